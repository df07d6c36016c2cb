// LogFileBody: a log file as its node's kubelet sends it, from some byte on, inflated if it is a
// compressed one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/logs/gunzip.h"
#include "backend/kubernetes/logs/log_files.h"

namespace sluice::backend::kubernetes {

class LogFileBody final {
 public:
  using Owned = std::unique_ptr<LogFileBody>;

  /// Asks for the file in that folder. A compressed one always comes from its beginning. Errors:
  /// NotFound; Conflict (it is shorter than that); and as ApiClient::stream().
  static net::Task<Result<Owned>> open(ApiClient& kubelet, const std::string& folder,
                                       const LogFile& file, std::uint64_t begin);

  LogFileBody(std::unique_ptr<ApiStream> stream, const LogFile& file, std::uint64_t begin);

  /// Of the file, the byte that comes first.
  std::uint64_t begin() const { return begin_; }
  /// Nobody had written to the file for a second or more when it was asked for.
  bool is_quiet() const;

  /// Completes when try_read() may give more. Errors: Unavailable, Cancelled.
  net::Task<Result<>> readable();
  /// Fills `into` as far as there is something; 0: the end; nullopt: nothing now. Errors:
  /// Unavailable (the connection is lost), InvalidArgument (the compressed file is damaged).
  Result<std::optional<std::size_t>> try_read(MutableBytes into);

 private:
  struct Compressed {
    Gunzip gunzip;
    std::array<std::byte, 64_KiB> received;
    Bytes left;  // of that, what was not inflated yet
  };
  Result<std::optional<std::size_t>> try_inflate(MutableBytes into);

  std::unique_ptr<ApiStream> stream_;
  std::unique_ptr<Compressed> compressed_;  // null: it is a plain one
  std::uint64_t begin_;
};

}  // namespace sluice::backend::kubernetes
