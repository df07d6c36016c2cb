// gzip (RFC 1952) of a stream, for downloads; and whether a client takes it.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ws/output_buffer.h"

struct z_stream_s;  // zlib's

namespace sluice::gateway {

/// Whether Accept-Encoding (RFC 9110 12.5.3) allows gzip; its values, one for each line of it.
bool accepts_gzip(std::span<const std::string_view> accept_encoding);

class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  /// Appends what comes out to `out`; it may be nothing for now.
  void write(Bytes bytes, ws::OutputBuffer& out);
  /// Appends the rest. Once, at the end.
  void finish(ws::OutputBuffer& out);

 private:
  void run(Bytes bytes, int flush, ws::OutputBuffer& out);

  std::vector<ws::PooledBuffer> memory_;  // zlib's, so that it counts with what is held
  std::unique_ptr<z_stream_s> stream_;
};

}  // namespace sluice::gateway
