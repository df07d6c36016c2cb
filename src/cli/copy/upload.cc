#include "cli/copy/upload.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/copy/archive_writer.h"
#include "cli/copy/checksum.h"
#include "cli/copy/copy_location.h"
#include "cli/copy/copy_report.h"
#include "cli/copy/copy_scripts.h"
#include "cli/copy/source_change.h"
#include "cli/terminal/blocking_io.h"
#include "cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxHeaderBytes = 256;
constexpr mode_t kPermissions = 0777;
constexpr std::size_t kSizeArgument = 4;
constexpr const char* kNoSize = "none";  // that no file has: it is removed
constexpr const char* kEndedEarly =
    "it ended before its size, as what a kernel makes up may; `cat` reads it";
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

struct Sent {
  std::string sha256;
  std::uint64_t size = 0;
};

/// The first `size` bytes of the file, all where it is not known; those from `offset` on are sent.
Result<Sent> send_file(const std::string& path, std::uint64_t offset,
                       std::optional<std::uint64_t> size, int to, const std::stop_token& stop) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(local_failure(path));
  Sha256 sum;
  std::vector<std::byte> block(kBlockBytes);
  std::uint64_t done = 0;
  while (!size || done < *size) {
    if (stop.stop_requested()) return fail(cancelled());
    // What is sent begins with a block of its own.
    const std::uint64_t end = done < offset ? offset : size.value_or(done + block.size());
    TRY(const std::size_t count,
        read_some(file.get(), {block.data(), std::min<std::uint64_t>(end - done, block.size())}));
    if (count == 0 && !size && done >= offset) break;
    if (count == 0) {
      return fail(ErrorCode::Internal, fmt::format("{}: {}", path, kEndedEarly));
    }
    const Bytes bytes(block.data(), count);
    sum.add(bytes);
    if (done >= offset) TRY_VOID(write_all(to, bytes));
    done += count;
  }
  return Sent{sum.hex(), done};
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
        status_(status),
        size_(static_cast<std::uint64_t>(status.st_size)) {
    const std::string name = base_name(copy_.local);
    const std::string identity =
        fmt::format("{}.{}.{}", size_, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    places_ = {copy_.remote, name, partial_name(name, identity),
               partial_name(base_name(copy_.remote), identity), std::to_string(size_)};
  }

  net::Task<Result<int>> run();

 private:
  net::Task<Result<int>> try_once();
  Result<> send(std::uint64_t offset, int to, const std::stop_token& stop);  // on the thread
  Result<> check_unchanged(std::string_view sum, const std::stop_token& stop) const;
  net::Task<Result<int>> finish();
  net::Task<Result<ScriptReport>> run_script(std::string_view script,
                                             std::vector<std::string> arguments,
                                             std::string subject, ContainerScript::Talk talk);

  Context& context_;
  Copy copy_;
  struct stat status_;  // as it was in the beginning
  std::uint64_t size_;
  std::vector<std::string> places_;  // the scripts' first arguments
  // What the thread learns; read when it has ended.
  std::string sha256_;
  std::optional<std::uint64_t> offset_;  // where it began
  std::optional<Error> unusable_;        // why what was sent has to be removed
};

net::Task<Result<int>> FileUpload::run() {
  Retries retries(context_);
  while (true) {
    Result<int> result = co_await try_once();
    if (result || !offset_) co_return result;
    retries.began_at(*offset_);
    CO_TRY_VOID(co_await retries.wait_after(result.error()));
  }
}

net::Task<Result<int>> FileUpload::try_once() {
  ContainerScript::Talk talk = [this](UniqueFd from, UniqueFd to,
                                      const std::stop_token& stop) -> Result<> {
    TRY(const std::uint64_t offset, read_offset(from.get()));
    offset_ = offset;
    TRY_VOID(send(offset, to.get(), stop));
    to.reset();
    return drain(from.get());
  };
  CO_TRY(const ScriptReport report,
         co_await run_script(kUploadFileScript, places_, base_name(copy_.local), std::move(talk)));
  CO_TRY_VOID(check_end(report, copy_));
  Result<int> finished = co_await finish();
  if (unusable_) co_return fail(*unusable_);
  co_return finished;
}

Result<> FileUpload::send(std::uint64_t offset, int to, const std::stop_token& stop) {
  // What is empty may be of a kernel's making: it has no size, and any time.
  const bool has_size = status_.st_size > 0;
  Result<Sent> sent =
      send_file(copy_.local, offset, has_size ? std::optional(size_) : std::nullopt, to, stop);
  if (!sent && sent.error().code != ErrorCode::Internal) return std::unexpected(sent.error());
  const std::string sum = sent ? sent->sha256 : std::string();
  Result<> same;
  if (has_size) same = check_unchanged(sum, stop);
  if (same && !sent) same = std::unexpected(sent.error());
  if (!same && same.error().code == ErrorCode::Cancelled) return same;
  if (!same) {
    unusable_ = same.error();
    return {};
  }
  sha256_ = sum;
  size_ = sent->size;
  return {};
}

/// One that has only grown is what it was, if its beginning still has the sum of what was sent.
Result<> FileUpload::check_unchanged(std::string_view sum, const std::stop_token& stop) const {
  struct stat now{};
  if (::stat(copy_.local.c_str(), &now) != 0) return fail(local_failure(copy_.local));
  if (is_unchanged(status_, now)) return {};
  if (now.st_size <= status_.st_size) return fail(changed(copy_.local));
  constexpr int kNowhere = -1;
  TRY(const Sent again, send_file(copy_.local, size_, size_, kNowhere, stop));
  if (again.sha256 != sum) return fail(changed(copy_.local));
  return {};
}

net::Task<Result<int>> FileUpload::finish() {
  std::vector<std::string> arguments = places_;
  arguments[kSizeArgument] = unusable_ ? kNoSize : std::to_string(size_);
  arguments.push_back(sha256_);
  arguments.push_back(fmt::format("{:o}", status_.st_mode & kPermissions));
  arguments.push_back(std::to_string(status_.st_mtim.tv_sec));
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
  const std::string whole = fmt::format("{}{}", kPlaceScript, script);
  ContainerScript::Command command{copy_.workload, copy_.target,
                                   shell_command(whole, std::move(arguments)), std::move(subject)};
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
