#include "cli/port/forwarded_connection.h"

namespace sluice::cli {
namespace {

ErrorCode code_of(const ws::Close& close) {
  switch (close.code) {
    case ws::CloseCode::Abnormal: return ErrorCode::Unavailable;
    case ws::CloseCode::PolicyViolation: return ErrorCode::Unauthenticated;
    default: return ErrorCode::Internal;
  }
}

}  // namespace

ForwardedConnection::ForwardedConnection(net::Executor executor, ServerSocket& socket,
                                         LocalEnd& local)
    : socket_(socket), local_(local), tasks_(executor) {}

net::Task<Result<>> ForwardedConnection::run() {
  tasks_.spawn("to the pod", send());
  tasks_.spawn("from the pod", receive());
  co_await tasks_.finish();
  if (!result_) co_return fail(cancelled());
  co_return *result_;
}

void ForwardedConnection::end(Result<> result) {
  if (!result_) result_ = std::move(result);
  tasks_.cancel();
}

net::Task<> ForwardedConnection::send() {
  while (true) {
    const Result<std::vector<std::byte>> bytes = co_await local_.read();
    if (!bytes) {
      // Who asked for the connection is gone: nobody is there to be told.
      if (bytes.error().code != ErrorCode::Cancelled) end({});
      co_return;
    }
    const Bytes message(*bytes);
    const Result<> sent = co_await socket_.send(message);  // an empty one says that it has ended
    if (!sent || message.empty()) co_return;               // whoever receives learns the rest
  }
}

net::Task<> ForwardedConnection::receive() {
  while (true) {
    const Result<ws::Received> received = co_await socket_.receive();
    if (!received) co_return;
    if (const auto* close = std::get_if<ws::Close>(&*received)) {
      if (close->code != ws::CloseCode::Normal) {
        end(fail(code_of(*close), close->reason));
        co_return;
      }
      Result<> ended = co_await local_.end_output();
      end(std::move(ended));
      co_return;
    }
    const ws::MessagePiece& piece = std::get<ws::MessagePiece>(*received);
    Result<> taken = co_await take(piece);
    if (taken && piece.payload.empty() && local_.ends_with_output()) {
      end({});
      co_return;
    }
    if (taken) continue;
    if (taken.error().code != ErrorCode::Cancelled) end(std::move(taken));
    co_return;
  }
}

net::Task<Result<>> ForwardedConnection::take(const ws::MessagePiece& piece) {
  if (piece.is_empty_message()) return local_.end_output();
  return local_.write(piece.payload);
}

}  // namespace sluice::cli
