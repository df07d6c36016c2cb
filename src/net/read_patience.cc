#include "net/read_patience.h"

#include <sys/socket.h>

#include "net/steady_timer.h"

namespace sluice::net {

struct ReadPatience::Wait {
  Wait(const Executor& executor, int socket) : timer(executor), fd(socket) {}

  void set_wanted(std::size_t bytes) {
    const int value = static_cast<int>(bytes);
    // A socket that refuses goes on to wake its reader for every byte.
    ::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
    is_patient = bytes > 1;
  }

  SteadyTimer timer;
  int fd;
  bool is_patient = false;  // the socket is
  bool is_waiting = false;  // the reader is
};

void ReadPatience::begin_wait(const Executor& executor, int fd, MonotonicTime now) {
  if (!is_patient()) {
    if (!is_bulk(now)) return;
    if (!wait_) wait_ = std::make_shared<Wait>(executor, fd);
    wait_->set_wanted(kWantedBytes);
  }
  wait_->is_waiting = true;
  wait_->timer.expires_after(kPatience);
  wait_->timer.async_wait([weak = std::weak_ptr(wait_)](boost::system::error_code error) {
    const std::shared_ptr<Wait> wait = weak.lock();
    if (error || !wait || !wait->is_waiting) return;
    wait->set_wanted(1);  // which wakes the reader if anything has come, or else when it does
  });
}

void ReadPatience::note_read(std::size_t bytes) {
  if (!is_patient()) bytes_ += bytes;
  if (wait_) wait_->is_waiting = false;
}

bool ReadPatience::is_patient() const { return wait_ && wait_->is_patient; }

bool ReadPatience::is_bulk(MonotonicTime now) {
  const bool is_late = now > begin_ + kBulkTime;
  const bool is_bulk = !is_late && bytes_ >= kBulkBytes;
  if (is_late || is_bulk) {
    begin_ = now;
    bytes_ = 0;
  }
  return is_bulk;
}

}  // namespace sluice::net
