#include <gtest/gtest.h>

#include "session/session.h"

namespace sluice::session {
namespace {

using ws::Close;
using ws::CloseCode;

TEST(CloseFor, EachEndHasTheCodeOfTheContract) {
  const std::vector<std::pair<SessionEndKind, CloseCode>> table = {
      {SessionEndKind::Completed, CloseCode::Normal},
      {SessionEndKind::TargetDeleted, CloseCode::GoingAway},
      {SessionEndKind::ShuttingDown, CloseCode::GoingAway},
      {SessionEndKind::IdleTimeout, CloseCode::GoingAway},
      {SessionEndKind::TokenExpired, CloseCode::PolicyViolation},
      {SessionEndKind::ProtocolError, CloseCode::ProtocolError},
      {SessionEndKind::UpstreamFailed, CloseCode::InternalError}};
  for (const auto& [kind, code] : table) {
    EXPECT_EQ(close_for({kind, "why", {}}), (Close{code, "why"}));
  }
}

TEST(CloseFor, TheEchoOfAClientsCloseHasItsCodeAndNoReason) {
  const SessionEnd end{SessionEndKind::ClientClosed, "bye", Close{CloseCode{4001}, "bye"}};
  EXPECT_EQ(close_for(end), (Close{CloseCode{4001}, ""}));
}

TEST(CloseFor, AProtocolErrorHasTheCodeThatTheConnectionFound) {
  const SessionEnd end{SessionEndKind::ProtocolError, "text is not UTF-8",
                       Close{CloseCode::InvalidPayload, "text is not UTF-8"}};
  EXPECT_EQ(close_for(end), (Close{CloseCode::InvalidPayload, "text is not UTF-8"}));
}

TEST(CloseFor, NothingIsSentToAPeerThatIsGone) {
  EXPECT_EQ(close_for({SessionEndKind::Disconnected, "connection reset", {}}), std::nullopt);
}

TEST(CloseFor, ALongReasonIsCutBetweenCharacters) {
  std::string reason(122, 'a');
  reason += "é and more";
  EXPECT_EQ(close_for({SessionEndKind::UpstreamFailed, reason, {}})->reason, std::string(122, 'a'));
}

TEST(CloseFor, AReasonThatIsNotUtf8BecomesUtf8) {
  const SessionEnd end{SessionEndKind::UpstreamFailed, "bad \xFF\xC3 byte", {}};
  EXPECT_EQ(close_for(end)->reason, "bad ?? byte");
}

}  // namespace
}  // namespace sluice::session
