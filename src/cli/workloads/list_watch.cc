#include "cli/workloads/list_watch.h"

#include <unistd.h>

#include <csignal>

#include <fmt/format.h>

#include "cli/cluster/json_lines.h"
#include "cli/cluster/workload_lookup.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "cli/workloads/workload_table.h"
#include "net/deadline.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kContentType = "application/x-ndjson";

/// What an END says. A new token may be at hand where one has expired: asking again tells.
Error end_of(const json::object& event) {
  constexpr std::int64_t kNotFoundStatus = 404;
  const bool is_gone = json::find_int64(event, "code") == kNotFoundStatus;
  return {is_gone ? ErrorCode::NotFound : ErrorCode::Unavailable, json::text_of(event, "message")};
}

}  // namespace

ListWatch::ListWatch(Context& context, std::string path, OutputFormat format)
    : context_(context),
      path_(std::move(path)),
      format_(format),
      output_(context.executor, STDOUT_FILENO),
      table_(workload_columns()),
      backoff_(kReconnecting) {}

net::Task<Result<int>> ListWatch::run() {
  while (true) {
    const Error error = co_await watch_once();
    // As programs are ended whose output nobody reads.
    if (!output_.has_reader()) co_return kSignalBase + SIGPIPE;
    if (!has_begun_ || !is_passing(error)) co_return fail(error);
    if (!is_lost_) note(fmt::format("{}; connecting again", error.message));
    is_lost_ = true;
    const nanoseconds pause = backoff_.next(context_.random);
    CO_TRY_VOID(co_await context_.timers.sleep_for(pause));
  }
}

/// One connection; why it has ended.
net::Task<Error> ListWatch::watch_once() {
  const Result<StreamedResponse> opened = co_await context_.api.get_stream(path_);
  if (!opened) {
    Error error = without_list(opened.error());
    co_return error;
  }
  if (opened->head.fields.find("Content-Type") != kContentType) {
    co_return Error{ErrorCode::Internal, "this server can't watch workloads"};
  }
  if (is_lost_) note("connected again");
  is_lost_ = false;
  has_begun_ = true;
  changes_.begin();
  JsonLines events(*opened->connection);
  while (true) {
    auto next = events.next();
    const MonotonicTime limit = context_.timers.now() + kSilence;
    const Result<json::object> event =
        co_await net::before(limit, context_.timers, std::move(next));
    if (!event) co_return event.error();
    backoff_.reset();
    const Result<> taken = take(*event);
    if (!taken) co_return taken.error();
    const Result<> written = co_await output_.flush();
    if (!written) co_return written.error();
  }
}

Result<> ListWatch::take(const json::object& event) {
  if (json::text_of(event, "event") == "END") return std::unexpected(end_of(event));
  for (const json::object& change : changes_.take(event)) show(change);
  return {};
}

void ListWatch::show(const json::object& change) {
  switch (format_) {
    case OutputFormat::Table: show_row(change); return;
    case OutputFormat::Json: output_.append(as_bytes(json::serialize(change) + "\n")); return;
    case OutputFormat::Yaml: output_.append(as_bytes("---\n" + to_yaml(change))); return;
  }
}

void ListWatch::show_row(const json::object& change) {
  const std::string event = json::text_of(change, "event");
  if (event == "SYNCED") {
    output_.append(as_bytes(table_.text()));
    has_table_ = true;
    return;
  }
  json::object workload = json::object_of(change, "workload");
  if (event == "DELETED") workload["phase"] = "Deleted";
  std::vector<std::string> row = workload_row(workload, context_.timers.wall_now());
  if (has_table_) {
    output_.append(as_bytes(table_.add_line(std::move(row))));
  } else {
    table_.add(std::move(row));  // all there is has columns of the same width
  }
}

}  // namespace sluice::cli
