#include "cli/logs/log_download.h"

#include <csignal>

#include "base/text.h"
#include "cli/logs/output_file.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/output_thread.h"
#include "cli/terminal/progress_line.h"

namespace sluice::cli {
namespace {

std::optional<std::uint64_t> length_of(const http::ResponseHead& head) {
  const auto length = parse_int64(head.fields.find("Content-Length").value_or(""));
  if (!length || *length < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*length);
}

net::Task<Result<>> copy_body(http::ClientConnection& connection, OutputThread& output,
                              ProgressLine& progress) {
  while (true) {
    const Result<Bytes> piece = co_await connection.read_body();
    if (!piece && piece.error().code == ErrorCode::Unavailable) {
      co_return fail(ErrorCode::Unavailable,
                     "the connection was lost before the log's end: " + piece.error().message);
    }
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return co_await output.flush();
    output.append(*piece);
    progress.add(piece->size());
    CO_TRY_VOID(co_await output.wait());
  }
}

}  // namespace

net::Task<Result<int>> download_log(Context& context, const std::string& path,
                                    const std::string& file) {
  CO_TRY(const StreamedResponse response, co_await context.api.get_stream(path));
  CO_TRY(OutputFile into, OutputFile::replace(file, context.random));
  OutputThread output(context.executor, into.descriptor());
  ProgressLine progress(file.substr(file.rfind('/') + 1), length_of(response.head), context.timers);
  const Result<> copied = co_await copy_body(*response.connection, output, progress);
  if (!output.has_reader()) co_return kSignalBase + SIGPIPE;
  if (!copied) co_return fail(copied.error());
  CO_TRY_VOID(into.commit());
  progress.finish();
  co_return kSuccess;
}

}  // namespace sluice::cli
