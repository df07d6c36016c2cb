#include "autobahn/echo.h"

namespace sluice::autobahn {
namespace {

constexpr nanoseconds kClosePatience = seconds(2);

/// What answers the end that receive() returned; nullopt: nobody is there any more.
std::optional<ws::Close> answer_to(const Result<ws::Received>& end, const ws::Connection& socket) {
  if (!end) {
    if (end.error().code != ErrorCode::InvalidArgument) return std::nullopt;
    return socket.violation();
  }
  const ws::CloseCode code = std::get<ws::Close>(*end).code;
  if (code == ws::CloseCode::Abnormal) return std::nullopt;
  return ws::Close{code, {}};
}

bool is_end(const Result<ws::Received>& received) {
  return !received || std::holds_alternative<ws::Close>(*received);
}

}  // namespace

net::Task<> echo(ws::Connection& socket) {
  std::string message;
  Result<ws::Received> received = co_await socket.receive();
  while (!is_end(received)) {
    const auto& piece = std::get<ws::MessagePiece>(*received);
    message += as_text(piece.payload);
    if (piece.ends_message) {
      const Result<> sent = co_await socket.send(piece.opcode, as_bytes(message));
      if (!sent) co_return;
      message.clear();
    }
    received = co_await socket.receive();
  }
  const std::optional<ws::Close> answer = answer_to(received, socket);
  if (answer) co_await socket.close(*answer, kClosePatience);
}

}  // namespace sluice::autobahn
