// MemoryPipe: a connection without a network: two net::Streams, joined. A test chooses how the
// bytes are cut up and how many fit, and breaks it at will. Model: kj newTwoWayPipe,
// ReadFragmenter.
#pragma once

#include <limits>
#include <memory>

#include "net/event_loop.h"
#include "net/stream.h"

namespace sluice::testing {

class MemoryPipe final {
 public:
  struct Options {
    /// Bytes of each direction that may be under way; beyond: try_write() takes none.
    std::size_t capacity = 64_KiB;
    /// At most so many bytes a try_read() or try_write().
    std::size_t fragment = std::numeric_limits<std::size_t>::max();
  };

  explicit MemoryPipe(net::EventLoop& loop) : MemoryPipe(loop, Options{}) {}
  MemoryPipe(net::EventLoop& loop, Options options);

  /// The two ends; they are alike, and the tests' code takes them. Each may outlive the other and
  /// this.
  std::unique_ptr<net::Stream> client;
  std::unique_ptr<net::Stream> server;

  /// The network breaks: both ends' calls fail with Unavailable, what was under way is lost.
  void reset();
  void set_options(Options options);
  /// Bytes written and not yet read.
  std::size_t under_way_to_client() const;
  std::size_t under_way_to_server() const;

  struct Wire;

 private:
  std::shared_ptr<Wire> wire_;  // owned by both ends and by this
};

}  // namespace sluice::testing
