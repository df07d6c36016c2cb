// gzip (RFC 1952) of a stream, for downloads; and whether a client takes it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

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
  void write(Bytes bytes, std::string& out);
  /// Appends the rest. Once, at the end.
  void finish(std::string& out);

 private:
  void run(Bytes bytes, int flush, std::string& out);

  std::unique_ptr<z_stream_s> stream_;
};

}  // namespace sluice::gateway
