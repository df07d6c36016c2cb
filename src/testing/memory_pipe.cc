#include "testing/memory_pipe.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "net/event.h"

namespace sluice::testing {

struct MemoryPipe::Wire {
  /// One end: what it has yet to read, and the waits of its own.
  struct End {
    explicit End(net::Executor executor) : readable(executor), writable(executor) {}
    std::string unread;
    bool unread_ends = false;  // the other end sends no more
    bool closed = false;
    net::Event readable;
    net::Event writable;
  };

  Wire(net::Executor executor, Options chosen)
      : ends{End(executor), End(executor)}, options(chosen) {}

  void wake_all() {
    for (End& end : ends) {
      end.readable.notify();
      end.writable.notify();
    }
  }

  std::array<End, 2> ends;
  Options options;
  bool lost = false;
};

namespace {

std::unexpected<Error> unavailable(std::string message) {
  return fail(ErrorCode::Unavailable, std::move(message));
}

class PipeEnd final : public net::Stream {
 public:
  PipeEnd(std::shared_ptr<MemoryPipe::Wire> wire, std::size_t side)
      : wire_(std::move(wire)), own_(wire_->ends[side]), other_(wire_->ends[1 - side]) {}
  PipeEnd(const PipeEnd&) = delete;
  PipeEnd& operator=(const PipeEnd&) = delete;
  ~PipeEnd() override {
    if (!own_.closed) close();
  }

  net::Task<Result<>> readable() override {
    while (true) {
      if (own_.closed) co_return fail(cancelled());
      if (wire_->lost || own_.unread_ends || !own_.unread.empty()) break;
      CO_TRY_VOID(co_await own_.readable.wait());
    }
    co_return Result<>{};
  }

  net::Task<Result<>> writable() override {
    while (true) {
      if (own_.closed) co_return fail(cancelled());
      if (wire_->lost || other_.closed || other_.unread.size() < wire_->options.capacity) break;
      CO_TRY_VOID(co_await own_.writable.wait());
    }
    co_return Result<>{};
  }

  Result<std::optional<std::size_t>> try_read(MutableBytes into) override {
    if (own_.closed || wire_->lost) return unavailable("connection reset");
    if (own_.unread.empty()) {
      if (own_.unread_ends) return 0;
      return std::nullopt;
    }
    const std::size_t count = std::min({into.size(), own_.unread.size(), wire_->options.fragment});
    std::memcpy(into.data(), own_.unread.data(), count);
    own_.unread.erase(0, count);
    other_.writable.notify();
    return count;
  }

  Result<std::size_t> try_write(Bytes bytes) override {
    if (own_.closed || wire_->lost) return unavailable("connection reset");
    if (other_.closed || other_.unread_ends) return unavailable("broken pipe");
    const std::size_t room =
        wire_->options.capacity - std::min(wire_->options.capacity, other_.unread.size());
    const std::size_t count = std::min({bytes.size(), room, wire_->options.fragment});
    other_.unread += as_text(bytes.first(count));
    if (count > 0) other_.readable.notify();
    return count;
  }

  void shutdown_write() override {
    other_.unread_ends = true;
    other_.readable.notify();
  }

  void close() override {
    own_.closed = true;
    own_.unread.clear();
    other_.unread_ends = true;
    wire_->wake_all();
  }

  void abort() override {
    wire_->lost = true;
    other_.unread.clear();
    close();
  }

  std::string peer() const override { return "memory"; }

 private:
  std::shared_ptr<MemoryPipe::Wire> wire_;
  MemoryPipe::Wire::End& own_;
  MemoryPipe::Wire::End& other_;
};

}  // namespace

MemoryPipe::MemoryPipe(net::EventLoop& loop, Options options)
    : wire_(std::make_shared<Wire>(loop.executor(), options)) {
  client = std::make_unique<PipeEnd>(wire_, 0);
  server = std::make_unique<PipeEnd>(wire_, 1);
}

void MemoryPipe::reset() {
  wire_->lost = true;
  for (Wire::End& end : wire_->ends) end.unread.clear();
  wire_->wake_all();
}

void MemoryPipe::set_options(Options options) {
  wire_->options = options;
  wire_->wake_all();
}

std::size_t MemoryPipe::under_way_to_client() const { return wire_->ends[0].unread.size(); }

std::size_t MemoryPipe::under_way_to_server() const { return wire_->ends[1].unread.size(); }

}  // namespace sluice::testing
