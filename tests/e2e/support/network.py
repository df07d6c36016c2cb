"""A network of the test's own, whose wire it can cut. Needs root."""
import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def current_namespace():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Network:
    """A network namespace with a loopback interface.

    Within `with network:` the calling thread is in it: sockets that it opens and processes that it
    starts belong there, and stay there.
    """

    def __init__(self):
        self._outside = current_namespace()
        check(LIBC.unshare(CLONE_NEWNET))
        self._inside = current_namespace()
        check(LIBC.setns(self._outside, CLONE_NEWNET))
        self._set_loopback(IFF_UP)

    def cut(self):
        """From now on nothing arrives, and nobody is told."""
        self._set_loopback(0)

    def close(self):
        os.close(self._inside)
        os.close(self._outside)

    def _set_loopback(self, flags):
        with self, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))

    def __enter__(self):
        check(LIBC.setns(self._inside, CLONE_NEWNET))
        return self

    def __exit__(self, *_):
        check(LIBC.setns(self._outside, CLONE_NEWNET))
