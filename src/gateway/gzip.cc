#include "gateway/gzip.h"

#define ZLIB_CONST  // its input is only read
#include <algorithm>
#include <cstdlib>

#include <zlib.h>

#include "base/text.h"

namespace sluice::gateway {
namespace {

enum class Verdict { Unsaid, Allowed, Refused };

/// `parameters`: what follows the coding's name, ";q=0.5". A weight of 0 means "not this one".
Verdict verdict(std::string_view parameters) {
  const std::size_t equals = parameters.find('=');
  if (equals == std::string_view::npos) return Verdict::Allowed;
  const std::string_view weight = trim(parameters.substr(equals + 1));
  const bool zero = weight.find_first_not_of("0.") == std::string_view::npos;
  return zero ? Verdict::Refused : Verdict::Allowed;
}

voidpf allocate(voidpf memory, uInt items, uInt size) {
  auto& buffers = *static_cast<std::vector<ws::PooledBuffer>*>(memory);
  buffers.push_back(ws::PooledBuffer::take(std::size_t{items} * size));
  return buffers.back().data();
}

void release(voidpf, voidpf) {}  // zlib gives all of it back at the end; the buffers end then, too

}  // namespace

bool accepts_gzip(std::span<const std::string_view> accept_encoding) {
  Verdict gzip = Verdict::Unsaid;
  Verdict any = Verdict::Unsaid;
  for (const std::string_view line : accept_encoding) {
    for (const std::string_view item : split(line, ',')) {
      const std::size_t semicolon = std::min(item.find(';'), item.size());
      const std::string_view coding = trim(item.substr(0, semicolon));
      if (equals_ignore_case(coding, "gzip") || equals_ignore_case(coding, "x-gzip")) {
        gzip = verdict(item.substr(semicolon));
      }
      if (coding == "*") any = verdict(item.substr(semicolon));
    }
  }
  return (gzip == Verdict::Unsaid ? any : gzip) == Verdict::Allowed;
}

GzipStream::GzipStream() : stream_(std::make_unique<z_stream_s>()) {
  constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip's header
  constexpr int kMemoryLevel = 8;
  // The fastest level: a log compresses well anyhow, and the loop has other sessions to serve.
  stream_->zalloc = allocate;
  stream_->zfree = release;
  stream_->opaque = &memory_;
  const int result = ::deflateInit2(stream_.get(), Z_BEST_SPEED, Z_DEFLATED, kGzipWindow,
                                    kMemoryLevel, Z_DEFAULT_STRATEGY);
  if (result != Z_OK) std::abort();  // out of memory; the parameters are right
}

GzipStream::~GzipStream() { ::deflateEnd(stream_.get()); }

void GzipStream::write(Bytes bytes, ws::OutputBuffer& out) { run(bytes, Z_NO_FLUSH, out); }

void GzipStream::finish(ws::OutputBuffer& out) { run({}, Z_FINISH, out); }

void GzipStream::run(Bytes bytes, int flush, ws::OutputBuffer& out) {
  constexpr uInt kRoomBytes = 16'384;
  stream_->next_in = reinterpret_cast<const Bytef*>(bytes.data());
  stream_->avail_in = static_cast<uInt>(bytes.size());
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(out.reserve(kRoomBytes));
    stream_->avail_out = kRoomBytes;
    (void)::deflate(stream_.get(), flush);  // fails only when called wrongly
    out.commit(kRoomBytes - stream_->avail_out);
  } while (stream_->avail_out == 0);
}

}  // namespace sluice::gateway
