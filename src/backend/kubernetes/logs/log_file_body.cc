#include "backend/kubernetes/logs/log_file_body.h"

#include <fmt/format.h>

#include "base/text.h"
#include "http/status.h"

namespace sluice::backend::kubernetes {
namespace {

/// Of an HTTP date (RFC 9110 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT"; nullopt: it is none.
std::optional<std::int64_t> second_of_day(std::string_view date) {
  constexpr std::size_t kTimeAt = 17;
  if (date.size() < kTimeAt + 8) return std::nullopt;
  const auto hour = parse_int64(date.substr(kTimeAt, 2));
  const auto minute = parse_int64(date.substr(kTimeAt + 3, 2));
  const auto second = parse_int64(date.substr(kTimeAt + 6, 2));
  if (!hour || !minute || !second) return std::nullopt;
  return (*hour * 60 + *minute) * 60 + *second;
}

}  // namespace

net::Task<Result<LogFileBody::Owned>> LogFileBody::open(ApiClient& kubelet,
                                                        const std::string& folder,
                                                        const LogFile& file, std::uint64_t begin) {
  ApiRequest request;
  request.path = folder + file.name();
  request.accept = "*/*";
  if (begin > 0 && !file.compressed) request.fields.add("Range", fmt::format("bytes={}-", begin));
  CO_TRY(std::unique_ptr<ApiStream> stream, co_await kubelet.stream(std::move(request)));
  if (stream->head().status != http::status::kPartialContent) begin = 0;
  co_return std::make_unique<LogFileBody>(std::move(stream), file, begin);
}

LogFileBody::LogFileBody(std::unique_ptr<ApiStream> stream, const LogFile& file,
                         std::uint64_t begin)
    : stream_(std::move(stream)), begin_(begin) {
  if (file.compressed) compressed_ = std::make_unique<Compressed>();
}

bool LogFileBody::is_quiet() const {
  const http::FieldMap& fields = stream_->head().fields;
  const auto now = second_of_day(fields.find("Date").value_or(""));
  const auto modified = second_of_day(fields.find("Last-Modified").value_or(""));
  if (!now || !modified) return false;
  constexpr std::int64_t kDay = 86'400;
  // Both are cut to whole seconds. Days are not looked at: the worst of it is to look once more.
  return (*now - *modified + kDay) % kDay >= 2;
}

net::Task<Result<>> LogFileBody::readable() { return stream_->readable(); }

Result<std::optional<std::size_t>> LogFileBody::try_read(MutableBytes into) {
  return compressed_ ? try_inflate(into) : stream_->try_read(into);
}

Result<std::optional<std::size_t>> LogFileBody::try_inflate(MutableBytes into) {
  std::size_t total = 0;
  while (total < into.size()) {
    Result<std::size_t> count = compressed_->gunzip.inflate(compressed_->left, into.subspan(total));
    if (!count && total > 0) break;  // it fails again
    TRY(const std::size_t inflated, std::move(count));
    total += inflated;
    if (inflated > 0) continue;
    Result<std::optional<std::size_t>> received = stream_->try_read(compressed_->received);
    if (!received && total > 0) break;
    TRY(const std::optional<std::size_t> size, std::move(received));
    if (!size && total == 0) return std::nullopt;
    if (!size) break;
    if (*size == 0 && total == 0 && !compressed_->gunzip.complete()) {
      return fail(ErrorCode::InvalidArgument, "gzip data that was cut short");
    }
    if (*size == 0) break;
    compressed_->left = Bytes(compressed_->received).first(*size);
  }
  return total;
}

}  // namespace sluice::backend::kubernetes
