#include "cli/workloads/list.h"

#include "cli/cluster/api_path.h"
#include "cli/cluster/workload_lookup.h"
#include "cli/terminal/console.h"
#include "cli/terminal/table.h"
#include "cli/workloads/list_watch.h"
#include "cli/workloads/workload_table.h"

namespace sluice::cli {
namespace {

std::string table_of(const json::object& body, WallTime now) {
  Table table(workload_columns());
  for (const json::value& value : json::list_of(body, "workloads")) {
    if (const json::object* one = value.if_object()) table.add(workload_row(*one, now));
  }
  return table.text();
}

}  // namespace

net::Task<Result<int>> run_list(Context& context, ListOptions options) {
  CO_TRY(const std::string project, project_of(context.settings));
  Query query;
  query.add("type", options.type).add("watch", options.watch ? "true" : "");
  const std::string path = query.on(workloads_path(project));
  if (options.watch) {
    ListWatch watch(context, path, options.format);
    co_return co_await watch.run();
  }
  const Result<json::object> listed = co_await context.api.get_object(path);
  if (!listed) {
    Error error = without_list(listed.error());
    co_return fail(std::move(error));
  }
  const json::object& body = *listed;
  if (json::find_array(body, "workloads") == nullptr) {
    co_return fail(ErrorCode::Internal,
                   "the server answers with something else than a list of workloads: is it the "
                   "cluster API?");
  }
  co_return print(options.format == OutputFormat::Table
                      ? table_of(body, context.timers.wall_now())
                      : format_as(options.format, json::value(body)));
}

}  // namespace sluice::cli
