#include "session/session_test_support.h"

namespace sluice::session {

TestClient::TestClient(net::EventLoop& loop, std::unique_ptr<net::Stream> stream,
                       net::Timers& timers, Random& random)
    : loop_(loop),
      stream_(stream.get()),
      socket_(loop.executor(), std::move(stream), {.role = ws::Role::Client, .compression = {}},
              timers, random, {}),
      reader_(loop.executor()),
      writer_(loop.executor()) {
  start_reading();
}

TestClient::~TestClient() {
  stop_reading();
  writer_.cancel();
  testing::run_until_empty(loop_, writer_);
}

void TestClient::start_reading() { reader_.spawn("client", read()); }

void TestClient::stop_reading() {
  reader_.cancel();
  testing::run_until_empty(loop_, reader_);
}

net::Task<> TestClient::read() {
  while (!closed) {
    const Result<ws::Received> received = co_await socket_.receive();
    if (!received) co_return;
    if (const auto* close = std::get_if<ws::Close>(&*received)) {
      closed = *close;
      co_return;
    }
    const auto& piece = std::get<ws::MessagePiece>(*received);
    message_ += as_text(piece.payload);
    if (!piece.ends_message) continue;
    all += message_;
    messages.push_back(std::exchange(message_, {}));
  }
}

net::Task<> TestClient::send_all(std::string message) {
  (void)co_await socket_.send(ws::Opcode::Binary, as_bytes(message));
}

void TestClient::send(std::string_view message) {
  testing::run(loop_, send_all(std::string(message)));
}

void TestClient::start_sending(std::string message) {
  writer_.spawn("client", send_all(std::move(message)));
  testing::run_until_idle(loop_);
}

void TestClient::close(ws::CloseCode code) {
  stop_reading();
  writer_.spawn("client close", socket_.close({code, {}}, seconds(3600)));
  testing::run_until_idle(loop_);
}

void TestClient::send_raw(std::string bytes) {
  testing::run_until_idle(loop_);
  EXPECT_EQ(stream_->try_write(as_bytes(bytes)).value_or(0), bytes.size());
  testing::run_until_idle(loop_);
}

SessionTest::SessionTest()
    : socket(loop.executor(), std::move(pipe.server), {}, clock, random, {}),
      client(loop, std::move(pipe.client), clock, random),
      tasks_(loop.executor()) {}

void SessionTest::TearDown() {
  tasks_.cancel();
  testing::run_until_empty(loop, tasks_);
}

SessionContext SessionTest::context() {
  return {.executor = loop.executor(),
          .timers = clock,
          .interruption = interruption,
          .token_expires_at = token_expires_at,
          .stats = &stats};
}

void SessionTest::start(net::Task<SessionEnd> session) {
  tasks_.spawn("session", serve(std::move(session)));
  settle();
}

net::Task<> SessionTest::serve(net::Task<SessionEnd> session) {
  end = co_await std::move(session);
  const std::optional<ws::Close> close = close_for(*end);
  if (close) {
    co_await socket.close(*close, seconds(5));
  } else {
    socket.abort();
  }
}

SessionEnd SessionTest::finish() {
  settle();
  if (end) return *end;
  ADD_FAILURE() << "the session goes on";
  return {};
}

}  // namespace sluice::session
