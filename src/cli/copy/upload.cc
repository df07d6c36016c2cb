#include "cli/copy/upload.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/copy/archive_writer.h"
#include "cli/copy/checksum.h"
#include "cli/copy/copy_location.h"
#include "cli/copy/copy_report.h"
#include "cli/copy/copy_scripts.h"
#include "cli/terminal/blocking_io.h"
#include "cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxHeaderBytes = 256;
constexpr mode_t kPermissions = 0777;
constexpr const char* kQuiet = "";  // no progress is shown

Error local_failure(const std::string& path) {
  return {ErrorCode::InvalidArgument, fmt::format("{}: {}", path, std::strerror(errno))};
}

/// Until the script has ended.
Result<> drain(int from) {
  std::vector<std::byte> block(kBlockBytes);
  while (true) {
    TRY(const std::size_t count, read_some(from, block));
    if (count == 0) return {};
  }
}

/// The first `size` bytes of the file; those from `offset` on are sent. The SHA-256 of all.
Result<std::string> send_file(const std::string& path, std::uint64_t offset, std::uint64_t size,
                              int to, const std::stop_token& stop) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(local_failure(path));
  Sha256 sum;
  std::vector<std::byte> block(kBlockBytes);
  std::uint64_t done = 0;
  while (done < size) {
    if (stop.stop_requested()) return fail(cancelled());
    // What is sent begins with a block of its own.
    const std::uint64_t most = (done < offset ? offset : size) - done;
    TRY(const std::size_t count,
        read_some(file.get(), {block.data(), std::min<std::uint64_t>(most, block.size())}));
    if (count == 0) {
      return fail(ErrorCode::Internal, path + ": became shorter while it was copied");
    }
    const Bytes bytes(block.data(), count);
    sum.add(bytes);
    if (done >= offset) TRY_VOID(write_all(to, bytes));
    done += count;
  }
  return sum.hex();
}

/// "at SIZE" of the script.
Result<std::uint64_t> read_offset(int from) {
  constexpr std::string_view kAt = "at ";
  TRY(const std::string line, read_line(from, kMaxHeaderBytes));
  if (line.starts_with(kAt)) {
    const auto offset = parse_int64(std::string_view(line).substr(kAt.size()));
    if (offset && *offset >= 0) return static_cast<std::uint64_t>(*offset);
  }
  return fail(ErrorCode::Unavailable, "the container's answer makes no sense");
}

class FileUpload {
 public:
  FileUpload(Context& context, Copy copy, const struct stat& status)
      : context_(context),
        copy_(std::move(copy)),
        size_(static_cast<std::uint64_t>(status.st_size)),
        seconds_(status.st_mtim.tv_sec),
        mode_(status.st_mode & kPermissions) {
    const std::string name = base_name(copy_.local);
    const std::string identity =
        fmt::format("{}.{}.{}", size_, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    places_ = {copy_.remote, name, partial_name(name, identity),
               partial_name(base_name(copy_.remote), identity), std::to_string(size_)};
  }

  net::Task<Result<int>> run();

 private:
  net::Task<Result<int>> try_once();
  net::Task<Result<int>> finish();
  net::Task<Result<ScriptReport>> run_script(std::string_view script,
                                             std::vector<std::string> arguments,
                                             std::string subject, ContainerScript::Talk talk);

  Context& context_;
  Copy copy_;
  std::uint64_t size_;
  std::int64_t seconds_;
  mode_t mode_;
  std::vector<std::string> places_;  // the scripts' first arguments
  std::string sha256_;               // what the thread learns; read when it has ended
  bool started_ = false;
};

net::Task<Result<int>> FileUpload::run() {
  Retries retries(context_);
  while (true) {
    Result<int> result = co_await try_once();
    if (result || !started_) co_return result;
    CO_TRY_VOID(co_await retries.wait_after(result.error()));
  }
}

net::Task<Result<int>> FileUpload::try_once() {
  ContainerScript::Talk talk = [this](UniqueFd from, UniqueFd to,
                                      const std::stop_token& stop) -> Result<> {
    TRY(const std::uint64_t offset, read_offset(from.get()));
    started_ = true;
    TRY(sha256_, send_file(copy_.local, offset, size_, to.get(), stop));
    to.reset();
    return drain(from.get());
  };
  CO_TRY(const ScriptReport report,
         co_await run_script(kUploadFileScript, places_, base_name(copy_.local), std::move(talk)));
  CO_TRY_VOID(check_end(report, copy_));
  co_return co_await finish();
}

net::Task<Result<int>> FileUpload::finish() {
  std::vector<std::string> arguments = places_;
  arguments.push_back(sha256_);
  arguments.push_back(fmt::format("{:o}", mode_));
  arguments.push_back(std::to_string(seconds_));
  ContainerScript::Talk talk = [](UniqueFd from, UniqueFd to, const std::stop_token&) {
    to.reset();
    return drain(from.get());
  };
  CO_TRY(ScriptReport report,
         co_await run_script(kFinishFileScript, std::move(arguments), kQuiet, std::move(talk)));
  CO_TRY_VOID(check_end(report, copy_));
  if (!report.has("no-sum")) report.said.emplace("sum", sha256_);  // compared over there
  CO_TRY_VOID(check_sum(report, sha256_));
  co_return report_parts(report, {});
}

net::Task<Result<ScriptReport>> FileUpload::run_script(std::string_view script,
                                                       std::vector<std::string> arguments,
                                                       std::string subject,
                                                       ContainerScript::Talk talk) {
  ContainerScript::Command command{copy_.workload, copy_.target,
                                   shell_command(script, std::move(arguments)), std::move(subject)};
  co_return co_await ContainerScript::run(context_, std::move(command), std::move(talk));
}

net::Task<Result<int>> upload_directory(Context& context, Copy copy) {
  WrittenArchive written;
  std::vector<std::string> arguments{copy.remote, base_name(copy.local)};
  ContainerScript::Command command{copy.workload, copy.target,
                                   shell_command(kUploadDirectoryScript, std::move(arguments)),
                                   copy.local};
  ContainerScript::Talk talk = [&copy, &written](UniqueFd from, UniqueFd to,
                                                 const std::stop_token& stop) -> Result<> {
    TRY(written, pack_archive(copy.local, to.get(), stop));
    to.reset();
    return drain(from.get());
  };
  CO_TRY(const ScriptReport report,
         co_await ContainerScript::run(context, std::move(command), std::move(talk)));
  Result<> ended = check_end(report, copy);
  if (ended) ended = check_sum(report, written.sha256);
  if (ended) co_return report_parts(report, written.left_out);
  Error error = ended.error();
  if (error.code == ErrorCode::Unavailable) {
    error.details = "the copy is not whole: run the same command again";
  }
  co_return fail(std::move(error));
}

}  // namespace

net::Task<Result<int>> upload(Context& context, Copy copy) {
  struct stat status{};
  if (::stat(copy.local.c_str(), &status) != 0) co_return fail(local_failure(copy.local));
  if (S_ISDIR(status.st_mode)) co_return co_await upload_directory(context, std::move(copy));
  if (S_ISREG(status.st_mode)) {
    FileUpload one(context, std::move(copy), status);
    co_return co_await one.run();
  }
  co_return fail(ErrorCode::InvalidArgument, copy.local + ": is neither a file nor a directory");
}

}  // namespace sluice::cli
