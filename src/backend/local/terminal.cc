#include "backend/local/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include <cerrno>
#include <utility>

namespace sluice::backend::local {
namespace {

std::unexpected<Error> unavailable(std::string_view what) {
  return fail(
      system_error(ErrorCode::Unavailable, "the server has no descriptors left", what, errno));
}

}  // namespace

Result<PipeEnds> make_pipe(int size_bytes) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return unavailable("pipe2");
  (void)::fcntl(fds[1], F_SETPIPE_SZ, size_bytes);
  return PipeEnds{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<TerminalEnds> open_terminal(std::optional<TerminalSize> size) {
  TerminalEnds ends;
  ends.master = UniqueFd(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!ends.master) return unavailable("ptmx");
  const int unlock = 0;
  if (::ioctl(ends.master.get(), TIOCSPTLCK, &unlock) != 0) return unavailable("unlock");
  // By descriptor, not by name: /dev/pts may be another mount than ptmx's.
  ends.slave = UniqueFd(::ioctl(ends.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!ends.slave) return unavailable("pts");
  set_terminal_size(ends.master.get(), size.value_or(TerminalSize{}));
  return ends;
}

void set_terminal_size(int master, TerminalSize size) {
  const winsize value{.ws_row = size.height, .ws_col = size.width, .ws_xpixel = 0, .ws_ypixel = 0};
  (void)::ioctl(master, TIOCSWINSZ, &value);  // fails only when the terminal has gone
}

std::string end_of_input(int master, char last) {
  termios settings{};
  const bool is_known = ::tcgetattr(master, &settings) == 0;
  const char end = is_known ? static_cast<char>(settings.c_cc[VEOF]) : '\x04';
  const bool in_line = last != '\n' && last != '\r' && last != end;
  return std::string(in_line ? 2 : 1, end);
}

ssize_t read_output(int fd, MutableBytes into, decltype(&::read) read) {
  bool end_was_told = false;
  while (true) {
    const ssize_t count = read(fd, into.data(), into.size());
    if (count >= 0) return count;
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return -1;
    if (errno != EIO || std::exchange(end_was_told, true)) return 0;
  }
}

Result<UniqueFd> duplicate(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) return unavailable("dup");
  return copy;
}

Result<SocketEnds> make_socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return unavailable("socketpair");
  }
  return SocketEnds{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

}  // namespace sluice::backend::local
