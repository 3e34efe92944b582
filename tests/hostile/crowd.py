"""Many connections at once, tended by one thread: each says something, then drips, or says nothing more."""

import errno
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


def flood(port: int, size: int) -> list[socket.socket]:
    """Connections that nobody waits for, since most of them cannot be accepted."""
    sockets = []
    for _ in range(size):
        it = socket.socket()
        it.setblocking(False)
        it.connect_ex(("127.0.0.1", port))
        sockets.append(it)
    return sockets


def leave(it: socket.socket) -> None:
    """Goes with a reset, so that no port lingers."""
    it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    it.close()


@dataclass
class Member:
    """One connection; moments are counted from when the crowd began."""

    socket: socket.socket
    heard: bytearray = field(default_factory=bytearray)
    dropped_after: float | None = None


class Crowd:
    """Opens `size` connections and keeps them: `first` is sent at once, then `drip` every `pause` seconds.

    `admitted` waits for the gateway after each hundred: its queue of connections that wait to be accepted is short.
    """

    def __init__(
        self,
        port: int,
        size: int,
        first: bytes = b"",
        drip: bytes = b"",
        pause: float = 0.25,
        admitted: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self.began = time.monotonic()
        self.members: list[Member] = []
        self._selector = selectors.DefaultSelector()
        self._drip, self._pause = drip, pause
        self._stop = threading.Event()
        for _ in range(size):
            member = Member(socket.create_connection(("127.0.0.1", port), timeout=20))
            if first:
                member.socket.sendall(first)
            member.socket.setblocking(False)
            self.members.append(member)
            self._selector.register(member.socket, selectors.EVENT_READ, member)
            if len(self.members) % 100 == 0:
                admitted(len(self.members))
        self._thread = threading.Thread(target=self._tend, daemon=True)
        self._thread.start()

    def _tend(self) -> None:
        next_drip = time.monotonic() + self._pause
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.05):
                self._hear(key.data)
            if self._drip and time.monotonic() >= next_drip:
                next_drip += self._pause
                for member in self.members:
                    if member.dropped_after is None:
                        self._say(member)

    def _hear(self, member: Member) -> None:
        try:
            data = member.socket.recv(1 << 16)
        except OSError:
            data = b""
        member.heard += data
        if not data:
            member.dropped_after = time.monotonic() - self.began
            self._selector.unregister(member.socket)

    def _say(self, member: Member) -> None:
        try:
            member.socket.send(self._drip)
        except OSError as problem:
            # A full buffer is no news; that the other side has gone is heard.
            assert problem.errno in (errno.EAGAIN, errno.EPIPE, errno.ECONNRESET), problem

    def left(self) -> int:
        """How many are still connected."""
        return sum(it.dropped_after is None for it in self.members)

    def heard(self) -> int:
        """How many were told something."""
        return sum(bool(it.heard) for it in self.members)

    def leave(self) -> None:
        self._stop.set()
        self._thread.join(20)
        for member in self.members:
            leave(member.socket)
        self._selector.close()

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.leave()
