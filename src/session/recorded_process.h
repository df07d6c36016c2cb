// RecordedProcess: a process of the backend whose session is on record: what it prints, the sizes
// of its terminal and, where that is wanted, what it is sent.
#pragma once

#include <memory>

#include "backend/streams.h"
#include "recording/recording.h"

namespace sluice::session {

class RecordedProcess final : public backend::RemoteProcess {
 public:
  /// Of its output, what `streams` want. `recording` outlives it.
  RecordedProcess(std::unique_ptr<backend::RemoteProcess> process, recording::Recording& recording,
                  const backend::StreamOptions& streams)
      : process_(std::move(process)), recording_(recording), streams_(streams) {}

  net::Task<Result<backend::ProcessOutput>> read(MutableBytes into) override;
  net::Task<Result<>> write(Bytes bytes) override;
  net::Task<Result<>> close_stdin() override { return process_->close_stdin(); }
  bool has_terminal() const override { return process_->has_terminal(); }
  void resize(backend::TerminalSize size) override;
  net::Task<Result<backend::ProcessExit>> wait() override { return process_->wait(); }

 private:
  const std::unique_ptr<backend::RemoteProcess> process_;
  recording::Recording& recording_;
  const backend::StreamOptions streams_;
};

}  // namespace sluice::session
