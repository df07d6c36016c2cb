#include "net/tls_bio.h"

#include <openssl/bio.h>

namespace sluice::net {
namespace {

TcpStream& tcp_of(BIO* bio) { return *static_cast<TcpStream*>(BIO_get_data(bio)); }

/// 0 with a retry flag: nothing now. 0 without: the end of the stream. -1: the connection is lost.
int read(BIO* bio, char* into, std::size_t size, std::size_t* taken) {
  *taken = 0;
  BIO_clear_retry_flags(bio);
  const auto count = tcp_of(bio).try_read({reinterpret_cast<std::byte*>(into), size});
  if (!count) return -1;
  if (!*count) {
    BIO_set_retry_read(bio);
    return -1;
  }
  if (**count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  *taken = **count;
  return **count > 0 ? 1 : 0;
}

int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* taken) {
  *taken = 0;
  BIO_clear_retry_flags(bio);
  const auto count = tcp_of(bio).try_write({reinterpret_cast<const std::byte*>(bytes), size});
  if (!count) return -1;
  if (*count == 0) {
    BIO_set_retry_write(bio);
    return -1;
  }
  *taken = *count;
  return 1;
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;  // nothing is held back
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tcp stream");
    BIO_meth_set_read_ex(made, read);
    BIO_meth_set_write_ex(made, write);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return kMethod;
}

}  // namespace

bio_st* new_tls_bio(TcpStream& tcp) {
  BIO* bio = BIO_new(method());
  BIO_set_data(bio, &tcp);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace sluice::net
