#include "backend/kubernetes/logs/gunzip.h"

#define ZLIB_CONST  // its input is only read
#include <algorithm>
#include <cstdlib>
#include <limits>

#include <zlib.h>

namespace sluice::backend::kubernetes {
namespace {

uInt size_for_zlib(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

}  // namespace

Gunzip::Gunzip() : stream_(std::make_unique<z_stream_s>()) {
  constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip's header
  if (::inflateInit2(stream_.get(), kGzipWindow) != Z_OK) std::abort();  // out of memory
}

Gunzip::~Gunzip() { ::inflateEnd(stream_.get()); }

Result<std::size_t> Gunzip::inflate(Bytes& input, MutableBytes into) {
  std::size_t count = 0;
  while (count < into.size()) {
    if (complete_) {
      if (input.empty()) break;
      ::inflateReset(stream_.get());  // gzip files may be joined: another one begins
    }
    stream_->next_in = reinterpret_cast<const Bytef*>(input.data());
    stream_->avail_in = size_for_zlib(input.size());
    stream_->next_out = reinterpret_cast<Bytef*>(into.data() + count);
    stream_->avail_out = size_for_zlib(into.size() - count);
    const std::size_t offered = stream_->avail_in;
    const std::size_t room = stream_->avail_out;
    const int result = ::inflate(stream_.get(), Z_NO_FLUSH);
    input = input.subspan(offered - stream_->avail_in);
    count += room - stream_->avail_out;
    complete_ = result == Z_STREAM_END;
    if (result == Z_BUF_ERROR) break;  // it wants more input
    if (result == Z_OK || complete_) continue;
    if (count > 0) break;  // the error comes again
    return fail(ErrorCode::InvalidArgument, "damaged gzip data");
  }
  return count;
}

}  // namespace sluice::backend::kubernetes
