#include "gateway/log_request.h"

#include <limits>

namespace sluice::gateway {
namespace {

constexpr auto kUnlimited = std::numeric_limits<std::int64_t>::max();

Result<std::optional<WallTime>> parse_since(const Query& query, WallTime now) {
  TRY(const std::optional<nanoseconds> age, query.duration("sinceSeconds"));
  TRY(const std::optional<WallTime> time, query.time("sinceTime"));
  if (!age || *age == nanoseconds(0)) return time;
  if (time) {
    return fail(ErrorCode::InvalidArgument,
                "query fields sinceSeconds and sinceTime: only one of them may be given");
  }
  return now - *age;
}

}  // namespace

Result<LogRequest> parse_log_request(std::string_view raw_query, LogDelivery delivery,
                                     WallTime now) {
  TRY(const Query query, Query::parse(raw_query));
  LogRequest request;
  TRY(request.target.pod, query.text("pod"));
  TRY(request.target.container, query.text("container"));
  if (delivery == LogDelivery::Stream) {
    TRY(request.options.follow, query.boolean("follow", false));
  }
  TRY(request.options.previous, query.boolean("previous", false));
  TRY(request.options.timestamps, query.boolean("timestamps", false));
  TRY(request.options.since, parse_since(query, now));
  TRY(const std::optional<std::int64_t> tail, query.integer("tailLines", -1, kUnlimited));
  if (tail && *tail >= 0) request.options.tail_lines = static_cast<std::uint64_t>(*tail);
  TRY(const std::optional<std::int64_t> limit, query.integer("limitBytes", 1, kUnlimited));
  if (limit) request.options.limit_bytes = static_cast<std::uint64_t>(*limit);
  return request;
}

}  // namespace sluice::gateway
