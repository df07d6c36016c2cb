#include "cli/copy/copy_report.h"

#include <array>

#include <fmt/format.h>

#include "cli/copy/copy_location.h"
#include "cli/copy/copy_scripts.h"
#include "cli/copy/source_change.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

constexpr int kCannotExecute = 126;  // as shells say it
constexpr int kNoSuchCommand = 127;

struct Word {
  const char* word;
  ErrorCode code;
  const char* meaning;
};

constexpr std::array kFailures{
    Word{"no-path", ErrorCode::NotFound, "no such file or directory in the container"},
    Word{"no-access", ErrorCode::Internal, "the container's user may not read it"},
    Word{"no-file", ErrorCode::InvalidArgument, "is neither a file nor a directory"},
    Word{"is-directory", ErrorCode::InvalidArgument, "is a directory in the container"},
    Word{"no-link", ErrorCode::InvalidArgument,
         "is a symbolic link in the container that leads nowhere"},
    Word{"no-sizes", ErrorCode::InvalidArgument,
         "directories of /proc and /sys can't be copied, only their files, one by one"},
    Word{"no-tar", ErrorCode::Internal,
         "the container has no tar, without which cp can copy files but no directories"},
    Word{"differs", ErrorCode::Internal,
         "what arrived differs from what was sent, and was removed: copy it again"},
};

// What the scripts need() besides tar.
constexpr std::array kPrograms{"cat", "dd", "mv", "readlink", "stat", "wc"};

std::string all_of(const Complaints& complaints) {
  std::string text = fmt::format("{}", fmt::join(complaints.kept(), "\n  "));
  if (complaints.count() > complaints.kept().size()) {
    text += fmt::format("\n  and {} more", complaints.count() - complaints.kept().size());
  }
  return text;
}

}  // namespace

std::vector<std::string> shell_command(std::string_view script,
                                       std::vector<std::string> arguments) {
  std::vector<std::string> command{"sh", "-c", fmt::format("{}{}", kCommonScript, script),
                                   "sluice-cp"};
  command.insert(command.end(), std::make_move_iterator(arguments.begin()),
                 std::make_move_iterator(arguments.end()));
  return command;
}

Result<> check_end(const ScriptReport& report, const Copy& copy) {
  // Unavailable, it only says that the other side ended too early: that side tells why.
  if (!report.talk && report.talk.error().code != ErrorCode::Unavailable) return report.talk;
  for (const Word& failure : kFailures) {
    if (!report.has(failure.word)) continue;
    return fail(failure.code, fmt::format("{}: {}", copy.remote, failure.meaning));
  }
  if (report.has("no-directory")) {
    return fail(ErrorCode::NotFound,
                fmt::format("{}: no such directory in the container", directory_part(copy.remote)));
  }
  for (const char* program : kPrograms) {
    if (!report.said.contains(fmt::format("no-{}", program))) continue;
    return fail(ErrorCode::Internal,
                fmt::format("the container has no {}, without which cp can't copy that", program));
  }
  if (!report.exit_code) return std::unexpected(report.exit_code.error());
  if (*report.exit_code == kCannotExecute || *report.exit_code == kNoSuchCommand) {
    return fail(ErrorCode::Internal,
                report.has("started") ? "the container lacks a program that cp needs"
                                      : "the container has no sh, without which cp can't copy",
                all_of(report.complaints));
  }
  if (*report.exit_code != 0) {
    return fail(ErrorCode::Internal,
                fmt::format("{}: the container could not copy it", copy.remote),
                all_of(report.complaints));
  }
  if (!report.talk) {
    return fail(ErrorCode::Internal,
                fmt::format("{}: {}", copy.remote, report.talk.error().message),
                all_of(report.complaints));
  }
  return {};
}

Result<> check_sum(const ScriptReport& report, std::string_view sha256) {
  if (report.after("sum") == sha256) return {};
  if (report.has("no-sum")) {
    note("the container has no sha256sum: sizes were compared, but no checksums");
    return {};
  }
  return fail(ErrorCode::Internal, "what arrived differs from what was sent: copy it again");
}

int report_parts(const ScriptReport& report, const Complaints& ours) {
  if (!ours.empty()) note_list("not copied", all_of(ours));
  if (!report.complaints.empty()) note_list("in the container", all_of(report.complaints));
  if (report.has("no-attributes")) note("mode and time could not be set in the container");
  return ours.empty() && !report.has("incomplete") ? kSuccess : kRemoteFailure;
}

Error changed(std::string_view path) {
  return {ErrorCode::Internal, fmt::format("{}: {}", path, kChanged)};
}

net::Task<Result<>> Retries::wait_after(Error error) {
  const bool is_cut = is_passing(error);
  if (is_cut && ++tried_ > kMost) {
    error.details = "what has arrived is kept: the same command goes on from there";
  }
  if (!is_cut || tried_ > kMost) co_return fail(std::move(error));
  note(fmt::format("{}; going on", error.message));
  co_return co_await context_.timers.sleep_for(backoff_.next(context_.random));
}

void Retries::began_at(std::uint64_t place) {
  if (place <= furthest_) return;
  furthest_ = place;
  tried_ = 0;
  backoff_.reset();
}

}  // namespace sluice::cli
