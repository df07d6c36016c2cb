#include "session/process_end.h"

#include "channel/remote_command.h"

namespace sluice::session {
namespace {

struct ToSessionEnd {
  SessionEnd operator()(const backend::Exited& exited) const {
    return {SessionEndKind::Completed, "exit code " + std::to_string(exited.code), {}, exited.code};
  }
  SessionEnd operator()(const backend::Killed& killed) const {
    return {SessionEndKind::Completed, "killed by signal " + std::to_string(killed.signal), {}};
  }
  SessionEnd operator()(const backend::ProcessFailed& failed) const {
    return {SessionEndKind::UpstreamFailed, failed.message, {}};
  }
  SessionEnd operator()(const backend::ProcessDeleted&) const {
    return {SessionEndKind::TargetDeleted, std::string(kPodDeleted), {}};
  }
  SessionEnd operator()(const backend::Detached&) const {
    return {SessionEndKind::Completed, "container ended", {}};
  }
};

struct ToStatus {
  std::string operator()(const backend::Exited& exited) const {
    return exited.code == 0 ? channel::success_status() : channel::exit_status(exited.code);
  }
  std::string operator()(const backend::Killed& killed) const {
    return channel::killed_status(killed.signal);
  }
  std::string operator()(const backend::ProcessFailed& failed) const {
    return channel::failure_status(failed.message);
  }
  std::string operator()(const backend::ProcessDeleted&) const {
    return channel::failure_status(kPodDeleted);
  }
  std::string operator()(const backend::Detached&) const { return channel::success_status(); }
};

}  // namespace

SessionEnd session_end_of(const backend::ProcessExit& exit) {
  return std::visit(ToSessionEnd{}, exit);
}

std::string status_of(const backend::ProcessExit& exit) { return std::visit(ToStatus{}, exit); }

}  // namespace sluice::session
