// What sluiced, the process host and the shims say to each other: the request to start a process (a
// memfd and descriptors in one SOCK_SEQPACKET packet), and the small messages on the control socket
// of one process. Both ends are the same program, so the layout is the compiler's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/unique_fd.h"

namespace sluice::backend::local {

/// What a shim does when its control socket reaches its end while the process runs: the owner died
/// or dropped it.
enum class EndPolicy : std::uint8_t {
  Kill,    // SIGKILL to the whole tree at once: containers
  HangUp,  // SIGHUP, SIGKILL after 5 s: exec
  Leave,   // nothing, until the leash ends: exec with onDisconnect=leave
};

/// As whom a process runs.
struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary, all of them

  bool operator==(const Credentials&) const = default;
};

struct SpawnRequest {
  std::string name;  // of its cgroup, beside a number: letters, digits, '-' and '.'
  std::vector<std::string>
      command;  // at least one; the first is looked up in PATH of `environment`
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory;         // empty: "/"
  bool tty = false;                      // descriptor 0 is a terminal: make it the controlling one
  EndPolicy end_policy = EndPolicy::Kill;
  /// Kill what the process left behind as soon as it has ended (containers).
  bool kill_rest = false;
  std::optional<Credentials> credentials;  // absent: sluiced's own

  bool operator==(const SpawnRequest&) const = default;
};

/// The descriptors of a new process; each may be absent.
struct SpawnDescriptors {
  UniqueFd stdin;
  UniqueFd stdout;
  UniqueFd stderr;
  /// One end of a socket pair. When the other end is closed the whole tree is killed at once,
  /// whatever the end policy; when the shim has gone, the other end reads an end of file.
  UniqueFd leash;
};

std::string serialize(const SpawnRequest& request);
/// nullopt when it is not what serialize() made.
std::optional<SpawnRequest> parse_spawn_request(std::string_view bytes);

enum class ShimEvent : std::uint8_t {
  Started,  // value: pid
  Failed,   // value: errno; stage says of what
  Exited,   // value: exit code
  Killed,   // value: signal
  Deleted,  // only of attach: the pod was removed
};

/// What a process could not do before it became the program.
enum class SpawnStage : std::uint8_t { Fork, Terminal, User, WorkingDirectory, Execute };

/// Shim to owner.
struct ShimMessage {
  ShimEvent event = ShimEvent::Failed;
  SpawnStage stage = SpawnStage::Fork;
  std::int32_t value = 0;
};

enum class OwnerCommand : std::uint8_t {
  SignalTree,  // value: the signal, to the process and all its descendants
  KillTree,    // SIGKILL until none is left
};

/// Owner to shim.
struct OwnerMessage {
  OwnerCommand command = OwnerCommand::KillTree;
  std::int32_t value = 0;
};

static_assert(std::is_trivially_copyable_v<ShimMessage> &&
              std::is_trivially_copyable_v<OwnerMessage>);

/// What comes with a spawn request, in this order; the mask says which are there.
inline constexpr unsigned kHasStdin = 1, kHasStdout = 2, kHasStderr = 4, kHasLeash = 8;

/// One spawn packet: the mask as data; the memfd with the request, the shim's end of the control
/// socket, and the descriptors of the mask as SCM_RIGHTS. False with errno; EAGAIN: wait until it
/// is writable.
bool send_spawn_packet(int socket, int request_memfd, int control,
                       const SpawnDescriptors& descriptors);

struct SpawnPacket {
  UniqueFd request_memfd;
  UniqueFd control;
  SpawnDescriptors descriptors;
};
enum class ReceiveResult {
  Packet,
  Nothing,  // none has come yet, or one that is no spawn packet and was dropped
  EndOfFile,
};
ReceiveResult receive_spawn_packet(int socket, SpawnPacket& packet);

}  // namespace sluice::backend::local
