// The query of exec, and the Command header (contract section 6).
#pragma once

#include <string>
#include <vector>

#include "backend/options.h"
#include "gateway/query.h"
#include "gateway/stream_request.h"
#include "http/message.h"

namespace sluice::gateway {

struct ExecRequest {
  StreamRequest streams;
  std::vector<std::string> command;
  backend::OnDisconnect on_disconnect = backend::OnDisconnect::Terminate;
};

/// Errors: InvalidArgument. None of them quotes the command.
Result<ExecRequest> parse_exec_request(std::string_view raw_query, const http::FieldMap& fields);

}  // namespace sluice::gateway
