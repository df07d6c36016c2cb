#include "cli/process.h"

#include <unistd.h>

#include <array>
#include <csignal>

#include "base/base64.h"
#include "cli/console.h"
#include "cli/process_session.h"
#include "cli/terminal.h"
#include "cli/workload_lookup.h"

namespace sluice::cli {
namespace {

constexpr std::array<std::string_view, 2> kSubprotocols{"v5.channel.k8s.io", "v4.channel.k8s.io"};

std::string encode(const std::vector<std::string>& command) {
  json::array words;
  for (const std::string& word : command) words.emplace_back(word);
  return base64url_encode(as_bytes(json::serialize(json::value(words))));
}

std::string path_for(const workload::WorkloadRef& workload, const ProcessOptions& options) {
  Query query;
  query.add("pod", options.target.pod).add("container", options.target.container);
  if (options.stdin) query.add("stdin", "true");
  if (options.tty) query.add("tty", "true");
  if (options.command.empty()) return query.on(path_of(workload, "attach"));
  return query.add("command", encode(options.command)).on(path_of(workload, "exec"));
}

net::Task<Result<int>> run_session(Context& context, WebSocket& opened,
                                   const ProcessOptions& options, const DetachKeys& detach_keys) {
  const auto version =
      opened.subprotocol == kSubprotocols.front() ? channel::Version::V5 : channel::Version::V4;
  ServerSocket socket(context.executor, context.timers, std::move(opened.connection));
  Result<int> result = fail(Error{});
  {
    std::optional<HeldTerminal> raw;
    if (options.tty && options.stdin && is_terminal(STDIN_FILENO)) {
      raw.emplace(STDIN_FILENO, HeldTerminal::Mode::Raw);
    }
    ProcessSession session(context, socket, options, version, detach_keys);
    result = co_await session.run();
  }
  co_await socket.end();
  co_return result;
}

}  // namespace

net::Task<Result<int>> run_process(Context& context, WorkloadName name, ProcessOptions options) {
  CO_TRY(const DetachKeys detach_keys, DetachKeys::parse(options.detach_keys));
  CO_TRY(const workload::WorkloadRef workload, co_await look_up(context, name));
  if (options.tty && !is_terminal(STDIN_FILENO)) {
    note("stdin is no terminal, so -t makes one at the other end only");
  }
  const std::string path = path_for(workload, options);
  Result<WebSocket> opened = co_await context.api.open_websocket(path, kSubprotocols);
  if (!opened) {
    Error error = co_await explain(context, workload, opened.error());
    co_return fail(std::move(error));
  }
  co_return co_await run_session(context, *opened, options, detach_keys);
}

}  // namespace sluice::cli
