// LocalEnd: this machine's end of a forwarded connection: a socket, or stdin and stdout.
#pragma once

#include <memory>
#include <vector>

#include "cli/terminal/input_thread.h"
#include "cli/terminal/output_thread.h"
#include "net/stream.h"

namespace sluice::cli {

/// One reader and one writer at a time.
class LocalEnd {
 public:
  virtual ~LocalEnd() = default;
  /// The next bytes; empty: their end. Errors: Unavailable (lost), Cancelled.
  virtual net::Task<Result<std::vector<std::byte>>> read() = 0;
  /// Errors: Unavailable, Cancelled.
  virtual net::Task<Result<>> write(Bytes bytes) = 0;
  /// No more will be written: what was is delivered, and the reader sees its end.
  virtual net::Task<Result<>> end_output() = 0;
  /// Whether nothing is left to do then: who reads stdout sees its end only when we have ended.
  virtual bool ends_with_output() const = 0;
};

class SocketEnd final : public LocalEnd {
 public:
  explicit SocketEnd(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}
  net::Task<Result<std::vector<std::byte>>> read() override;
  net::Task<Result<>> write(Bytes bytes) override;
  net::Task<Result<>> end_output() override;
  bool ends_with_output() const override { return false; }
  /// The peer learns that it was not the whole.
  void abort() { stream_->abort(); }

 private:
  std::unique_ptr<net::Stream> stream_;
};

class StandardEnd final : public LocalEnd {
 public:
  explicit StandardEnd(net::Executor executor);
  net::Task<Result<std::vector<std::byte>>> read() override { return input_.read(); }
  net::Task<Result<>> write(Bytes bytes) override;
  net::Task<Result<>> end_output() override { return output_.flush(); }
  bool ends_with_output() const override { return true; }

 private:
  InputThread input_;
  OutputThread output_;
};

}  // namespace sluice::cli
