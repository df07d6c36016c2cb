// Pipes and pseudo-terminals as the local backend wants them: close-on-exec, large, sized.
#pragma once

#include <unistd.h>

#include <optional>
#include <string>

#include "backend/options.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice::backend::local {

struct PipeEnds {
  UniqueFd reader;
  UniqueFd writer;
};
/// `size_bytes` is wished for: the kernel may grant less. Errors: Unavailable (too many
/// descriptors).
Result<PipeEnds> make_pipe(int size_bytes);

struct TerminalEnds {
  UniqueFd master;
  UniqueFd slave;
};
/// Errors: Unavailable.
Result<TerminalEnds> open_terminal(std::optional<TerminalSize> size);
void set_terminal_size(int master, TerminalSize size);
/// What means end of input to a reader of this terminal, after input that ends with this character:
/// Ctrl-D, unless it was changed. In a line that is unfinished the first one only hands that over,
/// and a second one is the end (termios(3), VEOF).
std::string end_of_input(int master, char last);

/// Reads from a pipe or a terminal's master that doesn't block: how many bytes; 0: it has ended;
/// -1: none have come yet. A terminal's end (EIO) is believed when it is told twice: the kernel
/// looks for input, and only then whether the other side is closed. What is written in between,
/// before it is closed, is there for the second read (n_tty_read() in linux/drivers/tty/n_tty.c).
ssize_t read_output(int fd, MutableBytes into, decltype(&::read) read = ::read);

Result<UniqueFd> duplicate(int fd);

/// Both ends of a SOCK_SEQPACKET pair. Errors: Unavailable.
struct SocketEnds {
  UniqueFd ours;
  UniqueFd theirs;
};
Result<SocketEnds> make_socket_pair();

}  // namespace sluice::backend::local
