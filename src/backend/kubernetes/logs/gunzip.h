// Gunzip: what was compressed by gzip (RFC 1952), inflated as it arrives. No I/O; memory for the
// window only, whatever the size.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"

struct z_stream_s;  // zlib's

namespace sluice::backend::kubernetes {

class Gunzip {
 public:
  Gunzip();
  ~Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  /// Inflates from the beginning of `input`, and takes off it what was used, until `into` is full
  /// or `input` empty. Returns how many bytes came out. Errors: InvalidArgument: it is damaged
  /// behind what came out.
  Result<std::size_t> inflate(Bytes& input, MutableBytes into);
  /// All that was begun has been inflated, and its checksum holds: the input may end here.
  bool complete() const { return complete_; }

 private:
  std::unique_ptr<z_stream_s> stream_;
  bool complete_ = false;
};

}  // namespace sluice::backend::kubernetes
