#include "cli/copy/download.h"

#include <sys/stat.h>

#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/copy/archive_reader.h"
#include "cli/copy/copy_location.h"
#include "cli/copy/copy_report.h"
#include "cli/copy/copy_scripts.h"
#include "cli/copy/partial_file.h"
#include "cli/terminal/blocking_io.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxHeaderBytes = 256;

bool is_directory(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// "file IDENTITY MODE BLOCK" of the script, or "stream ...".
struct FileHeader {
  std::string identity;
  FileAttributes attributes;
  std::optional<std::uint64_t> size;  // none of a stream
  std::uint64_t offset = 0;
};

std::optional<FileHeader> parse_header(std::string_view line) {
  const auto next_word = [&line] {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    return word;
  };
  const std::string_view kind = next_word();
  if (kind != "file" && kind != "stream") return std::nullopt;
  FileHeader header;
  header.identity = next_word();
  const std::size_t dot = header.identity.find('.');
  if (dot == std::string::npos) return std::nullopt;
  const auto size = parse_int64(std::string_view(header.identity).substr(0, dot));
  const auto seconds = parse_int64(std::string_view(header.identity).substr(dot + 1));
  const std::string_view mode = next_word();
  constexpr int kOctal = 8;
  const auto read =
      std::from_chars(mode.data(), mode.data() + mode.size(), header.attributes.mode, kOctal);
  const auto block = parse_int64(next_word());
  if (!size || !seconds || read.ec != std::errc() || !block || *size < 0 || *block < 0) {
    return std::nullopt;
  }
  if (kind == "file") header.size = static_cast<std::uint64_t>(*size);
  header.offset = static_cast<std::uint64_t>(*block) * kCopyBlockBytes;
  if (header.offset > header.size.value_or(0)) return std::nullopt;
  header.attributes.modified.tv_sec = *seconds;
  return header;
}

class Download {
 public:
  Download(Context& context, Copy copy, std::string target)
      : context_(context),
        copy_(std::move(copy)),
        target_(std::move(target)),
        file_target_(follow_to_file(target_)) {}

  net::Task<Result<int>> run();

 private:
  net::Task<Result<int>> try_once(Retries& retries);
  Result<> receive(UniqueFd from, const std::stop_token& stop);  // on the thread
  Result<> receive_directory(int from, const std::stop_token& stop);
  Result<> receive_one(int from, const std::stop_token& stop);
  Result<int> conclude(const ScriptReport& report);
  bool has_changed(const ScriptReport& report) const;
  std::string partial() const { return partial_path(*file_target_, file_->identity); }
  void remove_partial() const;

  Context& context_;
  Copy copy_;
  std::string target_;
  Result<std::string> file_target_;  // where it leads, for a file
  // What the thread learns; read when it has ended.
  std::optional<FileHeader> file_;
  std::string sha256_;
  Complaints refused_;
};

net::Task<Result<int>> Download::run() {
  Retries retries(context_);
  while (true) {
    Result<int> result = co_await try_once(retries);
    if (result || !file_) co_return result;
    CO_TRY_VOID(co_await retries.wait_after(result.error()));
  }
}

net::Task<Result<int>> Download::try_once(Retries& retries) {
  const FoundPartial found = file_target_ ? find_partial(*file_target_) : FoundPartial();
  retries.began_at(found.bytes / kCopyBlockBytes);
  std::vector<std::string> arguments{copy_.remote, found.identity,
                                     std::to_string(found.bytes / kCopyBlockBytes)};
  ContainerScript::Command command{copy_.workload, copy_.target,
                                   shell_command(kDownloadScript, std::move(arguments)),
                                   base_name(target_)};
  ContainerScript::Talk talk = [this](UniqueFd from, UniqueFd to, const std::stop_token& stop) {
    to.reset();
    return receive(std::move(from), stop);
  };
  CO_TRY(const ScriptReport report,
         co_await ContainerScript::run(context_, std::move(command), std::move(talk)));
  co_return conclude(report);
}

Result<> Download::receive(UniqueFd from, const std::stop_token& stop) {
  TRY(const std::string header, read_line(from.get(), kMaxHeaderBytes));
  if (header == "directory") return receive_directory(from.get(), stop);
  file_ = parse_header(header);
  if (!file_) return fail(ErrorCode::Unavailable, "the container's answer makes no sense");
  return receive_one(from.get(), stop);
}

Result<> Download::receive_directory(int from, const std::stop_token& stop) {
  TRY(TargetDirectory directory, TargetDirectory::open(target_));
  TRY(ReadArchive read, unpack_archive(from, directory, stop));
  sha256_ = std::move(read.sha256);
  refused_ = std::move(read.refused);
  return {};
}

Result<> Download::receive_one(int from, const std::stop_token& stop) {
  if (copy_.local.ends_with('/') && !is_directory(copy_.local)) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{}: no such directory", copy_.local));
  }
  if (!file_target_) return std::unexpected(file_target_.error());
  TRY(sha256_, receive_file(from, partial(), file_->offset, file_->size, stop));
  return {};
}

Result<int> Download::conclude(const ScriptReport& report) {
  if (file_ && has_changed(report)) {
    remove_partial();
    return fail(changed(copy_.remote));
  }
  const Result<> ended = check_end(report, copy_);
  if (!ended) {
    // The script has ended, and no cut is why it is not whole.
    if (report.exit_code && !report.talk) remove_partial();
    Error error = ended.error();
    if (error.code == ErrorCode::Unavailable) {
      error.details = "the copy is not whole: run the same command again";
    }
    return fail(std::move(error));
  }
  const Result<> same = check_sum(report, sha256_);
  if (!same) {
    // What was kept of an earlier attempt may be what is wrong.
    remove_partial();
    return std::unexpected(same.error());
  }
  if (file_ && report.has("incomplete")) {
    remove_partial();
    return fail(ErrorCode::Internal,
                fmt::format("{}: the container could not read it whole", copy_.remote));
  }
  if (file_) TRY_VOID(put_in_place(partial(), *file_target_, file_->attributes));
  return report_parts(report, refused_);
}

/// One that has only grown is what it was: its beginning still has the sum of what arrived.
bool Download::has_changed(const ScriptReport& report) const {
  if (report.has("changed")) return true;
  const bool is_whole = report.talk && report.exit_code;
  return is_whole && report.has("grown") && report.after("sum") != sha256_;
}

void Download::remove_partial() const {
  if (file_ && file_target_) ::unlink(partial().c_str());
}

}  // namespace

net::Task<Result<int>> download(Context& context, Copy copy) {
  std::string target = copy.local;
  const std::string name = base_name(copy.remote);
  if (!name.empty() && is_directory(target)) target = join_path(target, name);
  while (target.size() > 1 && target.ends_with('/')) target.pop_back();
  Download one(context, std::move(copy), std::move(target));
  co_return co_await one.run();
}

}  // namespace sluice::cli
