#include "gateway/port_forward_request.h"

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::gateway {
namespace {

constexpr std::size_t kMaxPorts = 16;
constexpr std::int64_t kMaxPort = 65'535;

Result<std::uint16_t> parse_port(std::string_view text) {
  if (text.find(',') != std::string_view::npos) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("query field port: takes one port, got {}; give several as port=1&port=2",
                    quoted(text)));
  }
  const auto port = parse_int64(text);
  if (port && *port >= 1 && *port <= kMaxPort) return static_cast<std::uint16_t>(*port);
  return fail(ErrorCode::InvalidArgument,
              fmt::format("query field port: must be a whole number from 1 to {}, got {}", kMaxPort,
                          quoted(text)));
}

}  // namespace

Result<PortForwardRequest> parse_port_forward_request(std::string_view raw_query) {
  TRY(const Query query, Query::parse(raw_query));
  PortForwardRequest request;
  TRY(request.target.pod, query.text("pod"));
  TRY(request.target.container, query.text("container"));
  for (const std::string_view text : query.all("port")) {
    TRY(const std::uint16_t port, parse_port(text));
    request.ports.push_back(port);
  }
  if (request.ports.empty()) {
    return fail(ErrorCode::InvalidArgument, "query field port: is missing; give at least one");
  }
  if (request.ports.size() > kMaxPorts) {
    return fail(ErrorCode::InvalidArgument, fmt::format("query field port: at most {}, got {}",
                                                        kMaxPorts, request.ports.size()));
  }
  TRY(const bool half_close, query.flag("halfClose", "empty"));
  if (half_close) request.empty_message = session::EmptyMessage::EndsInput;
  return request;
}

}  // namespace sluice::gateway
