#include "testing/fake_streams.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace sluice::testing {

using backend::LogPiece;
using backend::OutputChannel;
using backend::ProcessExit;
using backend::ProcessOutput;
using backend::StreamEnd;

class FakeLogStream final : public backend::LogStream {
 public:
  FakeLogStream(std::shared_ptr<FakeLog> log, backend::LogOptions options)
      : log_(std::move(log)),
        options_(options),
        waiter_(log_->waiters_.emplace(log_->waiters_.end(), log_->executor_)),
        stop_at_(options.follow ? kUnlimited : log_->lines_.size()),
        bytes_left_(options.limit_bytes.value_or(kUnlimited)) {
    const std::size_t count = log_->lines_.size();
    if (options_.tail_lines) next_ = count - std::min<std::size_t>(count, *options_.tail_lines);
  }
  FakeLogStream(const FakeLogStream&) = delete;
  FakeLogStream& operator=(const FakeLogStream&) = delete;
  ~FakeLogStream() override { log_->waiters_.erase(waiter_); }

  net::Task<Result<>> readable() override {
    while (!log_->error_ && !end() && next_ >= log_->lines_.size()) {
      CO_TRY_VOID(co_await waiter_->wait());
    }
    if (log_->error_ && next_ >= log_->lines_.size()) co_return fail(*log_->error_);
    co_return Result<>{};
  }

  Result<std::span<const LogPiece>> read() override {
    texts_.clear();
    pieces_.clear();
    std::size_t bytes = 0;
    while (!all_read() && next_ < log_->lines_.size() && bytes < log_->block_bytes) {
      const FakeLog::Line& line = log_->lines_[next_++];
      if (options_.since && line.at < *options_.since) continue;
      std::string& text = texts_.emplace_back();
      if (options_.timestamps) text = format_rfc3339_nano(line.at) + " ";
      text += line.text;
      if (text.size() > bytes_left_) text.resize(bytes_left_);
      bytes_left_ -= text.size();
      bytes += text.size();
      add_pieces(text);
    }
    if (bytes > 0) ++log_->blocks_read;
    return pieces_;
  }

  std::optional<StreamEnd> end() const override {
    if (all_read()) return StreamEnd::Completed;
    if (options_.follow && log_->end_ && next_ >= log_->lines_.size()) return log_->end_;
    return std::nullopt;
  }

  std::string_view end_reason() const override {
    if (all_read()) return "end of logs";
    return log_->end_ == StreamEnd::TargetDeleted ? "pod deleted" : "container ended";
  }

 private:
  bool all_read() const { return bytes_left_ == 0 || next_ >= stop_at_; }

  void add_pieces(std::string_view text) {
    while (text.size() > log_->piece_bytes) {
      pieces_.push_back({text.substr(0, log_->piece_bytes), false});
      text.remove_prefix(log_->piece_bytes);
    }
    pieces_.push_back({text, true});
  }

  std::shared_ptr<FakeLog> log_;  // shared with the test
  backend::LogOptions options_;
  std::list<net::Event>::iterator waiter_;
  std::size_t next_ = 0;
  std::size_t stop_at_;
  std::size_t bytes_left_;
  std::deque<std::string> texts_;  // a deque: the pieces' views stay valid while it grows
  std::vector<LogPiece> pieces_;
};

std::unique_ptr<backend::LogStream> FakeLog::open(std::shared_ptr<FakeLog> log,
                                                  backend::LogOptions options) {
  return std::make_unique<FakeLogStream>(std::move(log), options);
}

void FakeLog::append(std::string line, WallTime at) {
  lines_.push_back({std::move(line), at});
  wake();
}

void FakeLog::end(StreamEnd how) {
  end_ = how;
  wake();
}

void FakeLog::fail(Error error) {
  error_ = std::move(error);
  wake();
}

void FakeLog::wake() {
  for (net::Event& waiter : waiters_) waiter.notify();
}

class FakeProcessStream final : public backend::RemoteProcess {
 public:
  FakeProcessStream(std::shared_ptr<FakeProcess> process, backend::StreamOptions streams)
      : process_(std::move(process)), streams_(streams) {
    if (streams_.size) process_->sizes.push_back(*streams_.size);
  }
  FakeProcessStream(const FakeProcessStream&) = delete;
  FakeProcessStream& operator=(const FakeProcessStream&) = delete;
  ~FakeProcessStream() override { process_->dropped = true; }

  net::Task<Result<ProcessOutput>> read(MutableBytes into) override {
    FakeProcess& process = *process_;
    while (process.output_.empty() && !process.endless_) {
      if (process.output_error_) co_return fail(*process.output_error_);
      if (process.output_ended_) co_return ProcessOutput{};
      CO_TRY_VOID(co_await process.output_changed_.wait());
    }
    if (process.output_.empty()) {
      for (std::size_t i = 0; i < into.size(); ++i) into[i] = std::byte(i % 2 == 0 ? 'y' : '\n');
      process.bytes_read += into.size();
      co_return ProcessOutput{OutputChannel::Stdout, into.size()};
    }
    FakeProcess::Chunk& next = process.output_.front();
    const std::size_t size = std::min(into.size(), next.text.size());
    std::memcpy(into.data(), next.text.data(), size);
    const OutputChannel channel = streams_.tty ? OutputChannel::Stdout : next.channel;
    next.text.erase(0, size);
    if (next.text.empty()) process.output_.pop_front();
    process.bytes_read += size;
    co_return ProcessOutput{channel, size};
  }

  net::Task<Result<>> write(Bytes bytes) override {
    FakeProcess& process = *process_;
    if (!streams_.stdin) co_return fail(ErrorCode::Conflict, "stdin was not asked for");
    while (!bytes.empty()) {
      if (process.exit_ || process.input_ended) break;  // taken and dropped
      const std::size_t size = std::min(bytes.size(), process.input_room_);
      if (process.input_room_ != kUnlimited) process.input_room_ -= size;
      const std::string text(as_text(bytes.first(size)));
      process.input += text;
      if (size > 0 && process.on_input) process.on_input(process, text);
      bytes = bytes.subspan(size);
      if (!bytes.empty()) CO_TRY_VOID(co_await process.room_changed_.wait());
    }
    co_return Result<>{};
  }

  net::Task<Result<>> close_stdin() override {
    while (process_->input_room_ == 0 && !process_->exit_) {
      CO_TRY_VOID(co_await process_->room_changed_.wait());
    }
    if (!std::exchange(process_->input_ended, true) && process_->on_input_end) {
      process_->on_input_end(*process_);
    }
    co_return Result<>{};
  }

  bool has_terminal() const override { return streams_.tty; }
  void resize(backend::TerminalSize size) override {
    if (streams_.tty) process_->sizes.push_back(size);
  }

  net::Task<Result<ProcessExit>> wait() override {
    while (!process_->exit_) CO_TRY_VOID(co_await process_->exited_.wait());
    co_return *process_->exit_;
  }

 private:
  std::shared_ptr<FakeProcess> process_;  // shared with the test
  backend::StreamOptions streams_;
};

FakeProcess::FakeProcess(net::Executor executor)
    : output_changed_(executor), room_changed_(executor), exited_(executor) {}

std::unique_ptr<backend::RemoteProcess> FakeProcess::open(std::shared_ptr<FakeProcess> process,
                                                          backend::StreamOptions streams) {
  return std::make_unique<FakeProcessStream>(std::move(process), streams);
}

std::shared_ptr<FakeProcess> FakeProcess::cat(net::Executor executor) {
  auto process = std::make_shared<FakeProcess>(executor);
  process->on_input = [](FakeProcess& self, std::string_view text) {
    self.write(OutputChannel::Stdout, std::string(text));
  };
  process->on_input_end = [](FakeProcess& self) { self.exit(backend::Exited{0}); };
  return process;
}

std::shared_ptr<FakeProcess> FakeProcess::exits(net::Executor executor, std::string output,
                                                ProcessExit how) {
  auto process = std::make_shared<FakeProcess>(executor);
  if (!output.empty()) process->write(OutputChannel::Stdout, std::move(output));
  process->exit(std::move(how));
  return process;
}

std::shared_ptr<FakeProcess> FakeProcess::yes(net::Executor executor) {
  auto process = std::make_shared<FakeProcess>(executor);
  process->endless_ = true;
  return process;
}

void FakeProcess::write(OutputChannel channel, std::string text) {
  output_.push_back({channel, std::move(text)});
  output_changed_.notify();
}

void FakeProcess::exit(ProcessExit how, Output output) {
  exit_ = std::move(how);
  exited_.notify();
  room_changed_.notify();
  if (output == Output::Ends) end_output();
}

void FakeProcess::end_output() {
  endless_ = false;
  output_ended_ = true;
  output_changed_.notify();
}

void FakeProcess::fail_output(Error error) {
  output_error_ = std::move(error);
  output_changed_.notify();
}

void FakeProcess::set_input_room(std::size_t bytes) {
  input_room_ = bytes;
  room_changed_.notify();
}

class FakePortStream final : public backend::PortStream {
 public:
  explicit FakePortStream(std::shared_ptr<FakePort> port) : port_(std::move(port)) {}
  FakePortStream(const FakePortStream&) = delete;
  FakePortStream& operator=(const FakePortStream&) = delete;
  ~FakePortStream() override { port_->dropped = true; }

  net::Task<Result<std::size_t>> read(MutableBytes into) override {
    FakePort& port = *port_;
    port.largest_read = std::max(port.largest_read, into.size());
    if (port.endless) port.unread_.resize(into.size(), 'e');
    while (port.unread_.empty()) {
      if (port.error_) co_return fail(*port.error_);
      if (port.end_ && !port.waits_for_deletion()) co_return 0;
      CO_TRY_VOID(co_await port.readable_.wait());
    }
    const std::size_t size = std::min(into.size(), port.unread_.size());
    std::memcpy(into.data(), port.unread_.data(), size);
    port.unread_.erase(0, size);
    port.bytes_read += size;
    co_return size;
  }

  net::Task<Result<>> write(Bytes bytes) override {
    FakePort& port = *port_;
    while (true) {
      if (port.error_) co_return fail(*port.error_);
      const std::size_t size = std::min(bytes.size(), port.input_room_);
      if (port.input_room_ != kUnlimited) port.input_room_ -= size;
      port.received += as_text(bytes.first(size));
      if (port.echo && size > 0) port.send(std::string(as_text(bytes.first(size))));
      bytes = bytes.subspan(size);
      if (bytes.empty()) co_return Result<>{};
      CO_TRY_VOID(co_await port.room_changed_.wait());
    }
  }

  net::Task<Result<>> half_close() override {
    port_->half_closed = true;
    if (port_->echo) port_->end();
    co_return Result<>{};
  }

  std::optional<StreamEnd> end() const override { return port_->end_; }

 private:
  std::shared_ptr<FakePort> port_;  // shared with the test
};

FakePort::FakePort(net::Executor executor) : readable_(executor), room_changed_(executor) {}

std::unique_ptr<backend::PortStream> FakePort::open(std::shared_ptr<FakePort> port) {
  return std::make_unique<FakePortStream>(std::move(port));
}

void FakePort::send(std::string text) {
  unread_ += text;
  readable_.notify();
}

bool FakePort::waits_for_deletion() {
  return end_ == StreamEnd::Completed && std::exchange(end_was_read_, true);
}

void FakePort::end(StreamEnd how) {
  end_ = how;
  endless = false;
  readable_.notify();
}

void FakePort::reset(Error error) {
  error_ = std::move(error);
  endless = false;
  readable_.notify();
  room_changed_.notify();
}

void FakePort::set_input_room(std::size_t bytes) {
  input_room_ = bytes;
  room_changed_.notify();
}

}  // namespace sluice::testing
