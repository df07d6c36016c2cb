// What the queries of exec and attach have in common; attach has nothing else (contract section 6).
#pragma once

#include "backend/options.h"
#include "gateway/query.h"
#include "session/session.h"

namespace sluice::gateway {

struct StreamRequest {
  backend::Target target;
  backend::StreamOptions options;  // combine_output is left to whoever knows the framing
  session::EmptyMessage empty_message = session::EmptyMessage::IsNothing;
};

/// Errors: InvalidArgument.
Result<StreamRequest> parse_stream_request(const Query& query);
Result<StreamRequest> parse_attach_request(std::string_view raw_query);

}  // namespace sluice::gateway
