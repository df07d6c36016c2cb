// Plays tests/transcripts/ on a Connection that echoes, however the bytes are cut.
#include "testing/transcript.h"

#include <gtest/gtest.h>

#include "testing/memory_pipe.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"
#include "ws/connection.h"

namespace sluice::ws {
namespace {

using namespace std::chrono_literals;
using testing::Transcript;
using testing::TranscriptLine;

net::Task<> echo(Connection& connection) {
  std::string message;
  Close close;
  while (true) {
    Result<Received> received = co_await connection.receive();
    if (!received) {
      close = connection.violation();
      break;
    }
    if (const auto* from_peer = std::get_if<Close>(&*received)) {
      close = *from_peer;
      break;
    }
    const MessagePiece piece = std::get<MessagePiece>(*received);
    message += as_text(piece.payload);
    if (!piece.ends_message) continue;
    const Result<> sent = co_await connection.send(Opcode::Binary, as_bytes(message));
    if (!sent) break;
    message.clear();
  }
  if (close.code == CloseCode::Abnormal) co_return;
  co_await connection.close(close, 10s);
}

/// An echoing server on one end of a pipe.
struct EchoServer {
  EchoServer()
      : clock(loop),
        pipe(loop),
        connection(loop.executor(), std::move(pipe.server), {}, clock, random, ""),
        tasks(loop.executor()) {
    tasks.spawn("echo", echo(connection));
  }
  ~EchoServer() {
    pipe.client->close();
    clock.advance(10s);
    testing::run_until_empty(loop, tasks);
  }

  net::EventLoop loop;
  testing::VirtualClock clock;
  testing::SeededRandom random;
  testing::MemoryPipe pipe;
  Connection connection;
  net::TaskGroup tasks;
};

TEST(Transcript, PlaysTheSameHoweverTheBytesAreCut) {
  const auto transcripts = testing::read_transcripts("tests/transcripts");
  ASSERT_TRUE(transcripts) << transcripts.error().message;
  for (const auto& [path, transcript] : *transcripts) {
    if (path.find("/ws_") == std::string::npos) continue;
    for (const std::size_t fragment : {1u, 2u, 3u, 7u, 1000u, 100'000u}) {
      EchoServer server;
      EXPECT_EQ(testing::play(server.loop, *server.pipe.client, transcript, fragment), "")
          << path << " in pieces of " << fragment;
    }
  }
}

TEST(Transcript, CutOffAnywhereEndsTheConnectionAndNothingElse) {
  const auto transcripts = testing::read_transcripts("tests/transcripts");
  ASSERT_TRUE(transcripts) << transcripts.error().message;
  for (const auto& [path, transcript] : *transcripts) {
    if (path.find("/ws_") == std::string::npos) continue;
    std::string all;
    for (const TranscriptLine& line : transcript) {
      if (line.kind == TranscriptLine::Kind::Client && line.bytes.size() < 1000) all += line.bytes;
    }
    for (std::size_t size = 0; size < all.size(); ++size) {
      EchoServer server;
      EXPECT_TRUE(server.pipe.client->try_write(as_bytes(all).first(size)));
      testing::run_until_idle(server.loop);
    }
  }
}

TEST(Transcript, EscapesAreRead) {
  const auto transcript = testing::parse_transcript("# x\nC: a\\x01\\0\\{61*3}\\\\\\s  \nS-END\n");
  ASSERT_TRUE(transcript);
  EXPECT_EQ(transcript->at(0).bytes, std::string("a\x01\0aaa\\ ", 8));
  EXPECT_EQ(transcript->at(1).kind, TranscriptLine::Kind::ServerEnd);
  EXPECT_FALSE(testing::parse_transcript("C: \\q"));
  EXPECT_FALSE(testing::parse_transcript("hello"));
}

}  // namespace
}  // namespace sluice::ws
