#include "base/text.h"
#include "session/session.h"

namespace sluice::session {
namespace {

constexpr std::size_t kMaxReasonBytes = 123;  // RFC 6455 5.5: 125 less the code

/// A prefix that fits, of the same text with what is not UTF-8 replaced: upstreams word some
/// reasons.
std::string fit_reason(std::string_view reason) {
  if (is_utf8(reason)) return std::string(truncate_utf8(reason, kMaxReasonBytes));
  std::string valid;
  while (!reason.empty() && valid.size() < kMaxReasonBytes) {
    const std::size_t length = utf8_sequence_length(reason);
    if (length == 0) {
      valid += '?';
      reason.remove_prefix(1);
    } else {
      valid += reason.substr(0, length);
      reason.remove_prefix(length);
    }
  }
  return std::string(truncate_utf8(valid, kMaxReasonBytes));
}

}  // namespace

std::optional<ws::Close> close_for(const SessionEnd& end) {
  using ws::CloseCode;
  const auto close = [&](CloseCode code) { return ws::Close{code, fit_reason(end.reason)}; };
  switch (end.kind) {
    case SessionEndKind::Completed: return close(CloseCode::Normal);
    case SessionEndKind::ClientClosed:
      return ws::Close{end.close ? end.close->code : CloseCode::Normal, {}};
    case SessionEndKind::Disconnected: return std::nullopt;
    case SessionEndKind::TargetDeleted:
    case SessionEndKind::ShuttingDown:
    case SessionEndKind::IdleTimeout: return close(CloseCode::GoingAway);
    case SessionEndKind::TokenExpired: return close(CloseCode::PolicyViolation);
    case SessionEndKind::ProtocolError:
      return close(end.close ? end.close->code : CloseCode::ProtocolError);
    case SessionEndKind::UpstreamFailed:
    case SessionEndKind::RecordingFailed: return close(CloseCode::InternalError);
  }
  std::unreachable();
}

}  // namespace sluice::session
