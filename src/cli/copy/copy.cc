#include "cli/copy/copy.h"

#include "cli/cluster/workload_lookup.h"
#include "cli/copy/copy_location.h"
#include "cli/copy/download.h"
#include "cli/copy/upload.h"

namespace sluice::cli {

net::Task<Result<int>> run_copy(Context& context, CopyOptions options) {
  CO_TRY(CopyLocation from, parse_copy_location(options.from));
  CO_TRY(CopyLocation to, parse_copy_location(options.to));
  if (from.workload.empty() == to.workload.empty()) {
    co_return fail(ErrorCode::InvalidArgument,
                   "one of the two must be WORKLOAD:PATH, the other a path of this machine; "
                   "a path with a colon begins with ./");
  }
  const bool is_download = to.workload.empty();
  options.workload.name = is_download ? from.workload : to.workload;
  Copy copy{{}, std::move(options.target), std::move(from.path), std::move(to.path)};
  if (!is_download) std::swap(copy.remote, copy.local);
  CO_TRY(copy.workload, co_await look_up(context, options.workload));
  if (is_download) co_return co_await download(context, std::move(copy));
  co_return co_await upload(context, std::move(copy));
}

}  // namespace sluice::cli
