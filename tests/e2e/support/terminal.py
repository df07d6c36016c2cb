"""`sluice` at a terminal, as a person has it before them."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import tty

from support.cli import PATIENCE, SLUICE


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, cli, *arguments):
        self.master, self.slave = pty.openpty()
        self.resize(100, 30)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([SLUICE, *arguments], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, env=cli.environment, start_new_session=True)
        self.output = b""

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def type_ahead(self, line):
        """A line that nobody reads: until the kernel has it on the program's side."""
        self.type(line)
        assert select.select([self.slave], [], [], PATIENCE)[0]

    def read_until(self, words):
        while words not in self.output:
            self.output += os.read(self.master, 65536)
        self.output = self.output.partition(words)[2]

    def read_to_end(self):
        """What it shows until it ends, which is little."""
        assert self.process.wait(PATIENCE) == 0
        shown, self.output = self.output, b""
        while select.select([self.master], [], [], 0)[0]:
            shown += os.read(self.master, 65536)
        return shown

    def typed_ahead(self):
        """What was typed and nobody has read."""
        tty.setraw(self.slave, termios.TCSANOW)
        return os.read(self.slave, 65536) if select.select([self.slave], [], [], 0)[0] else b""

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        self.process.kill()
        self.process.wait(10)
        os.close(self.master)
        os.close(self.slave)
