"""An upstream that misbehaves on command, written in bare sockets so that nothing repairs what it sends.

It reads each request properly and then does the steps it was told, in order. After the last one it waits for the next
request, as a server that keeps connections alive does.
"""

import contextlib
import enum
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from process import comes_true


class Do(enum.Enum):
    CLOSE = "close"
    RESET = "reset"
    STOP_SENDING = "stop sending"  # half of a close: it would still listen
    STALL = "stall"  # until the peer leaves
    WAIT = "wait"  # until the test says `go_on`


@dataclass(frozen=True)
class Endless:
    """The same bytes again and again, until the peer leaves."""

    data: bytes


@dataclass(frozen=True)
class Pause:
    seconds: float


Step = bytes | Do | Endless | Pause


@dataclass
class Connection:
    """One connection of the gateway."""

    requests: list[bytes] = field(default_factory=list)
    sent: int = 0
    closed: threading.Event = field(default_factory=threading.Event)
    closed_at: float = 0.0


class Broken:
    """Listens on a port of its own; used as a context manager."""

    def __init__(self) -> None:
        self.steps: tuple[Step, ...] = ()
        self.connections: list[Connection] = []
        self._waiting = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def will(self, *steps: Step) -> None:
        """What each request gets from now on. What was seen before is forgotten, and only what is connected is kept."""
        self.steps = steps
        self.connections[:] = [it for it in self.connections if not it.closed.is_set()]
        for connection in self.connections:
            connection.requests.clear()
        self._waiting.clear()

    def go_on(self) -> None:
        self._waiting.set()

    def requests(self) -> list[bytes]:
        return [request for it in list(self.connections) for request in it.requests]

    def arrived(self, within: float = 10) -> None:
        """Waits for a request."""
        if not comes_true(lambda: bool(self.requests()), within):
            raise TimeoutError("no request came")

    def connected(self) -> int:
        return sum(not it.closed.is_set() for it in list(self.connections))

    def hang_up(self) -> None:
        """Ends all connections."""
        for it in self._sockets:
            with contextlib.suppress(OSError):
                it.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "Broken":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()
        self.hang_up()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection()
            self.connections.append(connection)
            self._sockets.append(accepted)
            threading.Thread(target=self._serve, args=(accepted, connection), daemon=True).start()

    def _serve(self, accepted: socket.socket, connection: Connection) -> None:
        try:
            with accepted:
                while request := self._read(accepted):
                    connection.requests.append(request)
                    for step in self.steps:
                        self._do(step, accepted, connection)
        except OSError:
            pass
        finally:
            connection.closed_at = time.monotonic()
            connection.closed.set()

    def _read(self, accepted: socket.socket) -> bytes:
        """One request. The gateway always says how long it is, and never sends a second one before the answer."""
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += self._receive(accepted)
        head = raw.partition(b"\r\n\r\n")[0]
        whole = len(head) + 4 + int(re.search(rb"\r\ncontent-length: (\d+)", head)[1])
        while len(raw) < whole:
            raw += self._receive(accepted)
        return raw

    @staticmethod
    def _receive(accepted: socket.socket) -> bytes:
        data = accepted.recv(1 << 16)
        if not data:
            raise ConnectionResetError("the peer has left")
        return data

    def _do(self, step: Step, accepted: socket.socket, connection: Connection) -> None:
        match step:
            case bytes():
                accepted.sendall(step)
                connection.sent += len(step)
            case Endless(data):
                while True:
                    accepted.sendall(data)
                    connection.sent += len(data)
            case Pause(seconds):
                time.sleep(seconds)
            case Do.STOP_SENDING:
                accepted.shutdown(socket.SHUT_WR)
            case Do.WAIT:
                self._waiting.wait(10)
            case Do.STALL:
                self._receive(accepted)
            case Do.RESET:
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise ConnectionAbortedError
            case Do.CLOSE:
                raise ConnectionAbortedError


# --- what it can say ------------------------------------------------------------------------------------------------

ERROR = b'{"error":{"message":"no","type":"x","code":1}}'


def head(*lines: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"content-type: {kind}", *lines]).encode("latin-1") + b"\r\n\r\n"


def sized(body: bytes, *lines: str, **more: str) -> bytes:
    """A whole answer with its length."""
    return head(*lines, f"content-length: {len(body)}", **more) + body


def chunks(*pieces: bytes) -> bytes:
    return b"".join(f"{len(it):x}\r\n".encode() + it + b"\r\n" for it in pieces)
