#include "session/recorded_process.h"

#include "session/process_session.h"

namespace sluice::session {

using backend::OutputChannel;
using backend::ProcessOutput;

net::Task<Result<ProcessOutput>> RecordedProcess::read(MutableBytes into) {
  const Result<ProcessOutput> output = co_await process_->read(into);
  if (!output || output->size == 0 || !is_wanted(streams_, output->channel)) co_return output;
  const auto stream = output->channel == OutputChannel::Stdout ? recording::Stream::Stdout
                                                               : recording::Stream::Stderr;
  const Bytes bytes = into.first(output->size);
  CO_TRY_VOID(co_await recording_.add_output(stream, bytes));
  co_return output;
}

net::Task<Result<>> RecordedProcess::write(Bytes bytes) {
  if (recording_.takes_input()) {
    CO_TRY_VOID(co_await recording_.add_input(bytes));
  }
  co_return co_await process_->write(bytes);
}

void RecordedProcess::resize(backend::TerminalSize size) {
  if (process_->has_terminal()) recording_.add_size(size.width, size.height);
  process_->resize(size);
}

}  // namespace sluice::session
