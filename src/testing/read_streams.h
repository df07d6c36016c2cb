// What a stream of a backend gives, as one text: for tests that ask what came, not in which pieces.
#pragma once

#include <array>
#include <string>

#include "backend/streams.h"
#include "net/task.h"

namespace sluice::testing {

/// All text of a log until its end, or until it has `enough` bytes.
inline net::Task<Result<std::string>> read_log(backend::LogStream& log,
                                               std::size_t enough = std::string::npos) {
  std::string text;
  while (text.size() < enough) {
    const Result<> ready = co_await log.readable();
    if (!ready) co_return fail(ready.error());
    const auto pieces = log.read();
    if (!pieces) co_return fail(pieces.error());
    for (const backend::LogPiece& piece : *pieces) text += piece.text;
    if (log.end()) break;
  }
  co_return text;
}

struct CollectedOutput {
  std::string stdout_text;
  std::string stderr_text;
};

inline net::Task<Result<CollectedOutput>> read_output(backend::RemoteProcess& process,
                                                      std::size_t enough = std::string::npos) {
  CollectedOutput all;
  std::array<std::byte, 1000> buffer;
  const MutableBytes into(buffer);  // GCC 12 miscompiles a conversion inside the co_await
  while (all.stdout_text.size() + all.stderr_text.size() < enough) {
    const auto output = co_await process.read(into);
    if (!output) co_return fail(output.error());
    if (output->size == 0) break;
    const bool is_stdout = output->channel == backend::OutputChannel::Stdout;
    (is_stdout ? all.stdout_text : all.stderr_text) += as_text(into.first(output->size));
  }
  co_return all;
}

inline net::Task<Result<std::string>> read_port(backend::PortStream& port,
                                                std::size_t enough = std::string::npos) {
  std::string text;
  std::array<std::byte, 1000> buffer;
  const MutableBytes into(buffer);
  while (text.size() < enough) {
    const auto count = co_await port.read(into);
    if (!count) co_return fail(count.error());
    if (*count == 0) break;
    text += as_text(into.first(*count));
  }
  co_return text;
}

}  // namespace sluice::testing
