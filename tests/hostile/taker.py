"""An upstream that takes a body at the pace that a test sets, and says when its bytes come."""

import contextlib
import socket
import threading
import time

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Taker:
    """Listens on a port of its own; used as a context manager. A body is over when its announced end has come."""

    def __init__(self, takes: bool = True) -> None:
        self.raw = b""
        self.gone = threading.Event()
        self.gone_at = 0.0
        self._takes = threading.Event()
        if takes:
            self._takes.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    def take(self) -> None:
        """From now on it reads."""
        self._takes.set()

    def has(self, size: int, within: float = 10) -> bool:
        """Whether so many bytes of the body come in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.body) >= size, within)

    def says(self, data: bytes) -> None:
        """Speaks, whether or not the body is over."""
        self._sockets[-1].sendall(data)

    def __enter__(self) -> "Taker":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._takes.set()
        self._listener.close()
        for it in self._sockets:
            with contextlib.suppress(OSError):
                it.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(accepted)
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with accepted:
            try:
                while True:
                    # The head tells that there is a request; what follows waits for the test.
                    if b"\r\n\r\n" in self.raw:
                        self._takes.wait()
                    data = accepted.recv(1 << 14)
                    if not data:
                        break
                    with self._changed:
                        self.raw += data
                        self._changed.notify_all()
            except OSError:
                pass
            self.gone_at = time.monotonic()
            self.gone.set()
