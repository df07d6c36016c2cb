#include "cli/terminal/console.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include <fmt/format.h>

#include "base/file.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/printable.h"

namespace sluice::cli {
namespace {

/// What somebody can do about it.
std::string_view advice_for(const Error& error) {
  if (error.code == ErrorCode::Unauthenticated && !error.message.contains("sluice login")) {
    return "run `sluice login`, or set SLUICE_TOKEN to a new one";
  }
  const bool is_unknown_issuer = error.message.contains("self-signed certificate") ||
                                 error.message.contains("issuer certificate");
  if (is_unknown_issuer) return "name its authority's certificate with --ca-file";
  return {};
}

}  // namespace

void print_error(std::string_view text) { write_all(STDERR_FILENO, text); }

void note(std::string_view text) { print_error(fmt::format("sluice: {}\n", printable(text))); }

void note_list(std::string_view title, std::string_view lines) {
  print_error(fmt::format("sluice: {}:\n  {}\n", title, printable_lines(lines)));
}

void report(const Error& error) {
  std::string text = printable(error.message);
  if (!error.details.empty()) text += "\n  " + printable_lines(error.details);
  if (!error.cause.empty()) text += " (" + printable(error.cause) + ")";
  if (const std::string_view advice = advice_for(error); !advice.empty()) {
    text += fmt::format(": {}", advice);
  }
  print_error(fmt::format("sluice: {}\n", text));
}

Result<int> print(std::string_view text) {
  const int problem = write_all(STDOUT_FILENO, text);
  if (problem == 0) return kSuccess;
  if (problem == EPIPE) return kSignalBase + SIGPIPE;
  return fail(system_error(ErrorCode::Internal, "cannot write the output", "write", problem));
}

}  // namespace sluice::cli
