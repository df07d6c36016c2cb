// The query of port-forward (contract section 7).
#pragma once

#include <vector>

#include "backend/options.h"
#include "gateway/query.h"
#include "session/session.h"

namespace sluice::gateway {

struct PortForwardRequest {
  backend::Target target;
  std::vector<std::uint16_t> ports;  // 1 to 16; the same one twice is two connections
  session::EmptyMessage empty_message = session::EmptyMessage::IsNothing;
};

/// `raw_query`: as in the request, without '?'. Errors: InvalidArgument.
Result<PortForwardRequest> parse_port_forward_request(std::string_view raw_query);

}  // namespace sluice::gateway
