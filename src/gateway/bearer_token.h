// The token of a request, wherever auth/bearer_token.h looks for it, and nowhere else: one in the
// query is refused, since URLs end up in logs. As there are no cookies, another site's page can't
// borrow a user's login, so Origin is not checked.
#pragma once

#include <string>

#include "auth/refusal.h"
#include "http/message.h"

namespace sluice::gateway {

/// Errors: Unauthenticated.
auth::Accepted<std::string> find_bearer_token(const http::RequestHead& head);

}  // namespace sluice::gateway
