"""A relay in front of the gateway that keeps the bytes of both directions, whatever client it is that speaks."""

import socket
import threading
from urllib.parse import urlsplit

import h11


class Tap:
    """Listens on a port of its own and passes everything on, as it comes; used as a context manager, one call each."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._calls: list[tuple[bytearray, bytearray]] = []  # of each connection: sent, received

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Tap":
        self._start(self._accept)
        return self

    def __exit__(self, *_exc: object) -> None:
        # Ends `accept`, which `close` alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for it in self._sockets:
            _shut(it, socket.SHUT_RDWR)
        for it in self._threads:
            it.join(10)
        for it in self._sockets:
            it.close()

    def _start(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=arguments, name="tap", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            for it in (near, far):
                it.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sent, received = bytearray(), bytearray()
            self._sockets += [near, far]
            self._calls.append((sent, received))
            self._start(_pump, near, far, sent)
            self._start(_pump, far, near, received)

    # --- what was said --------------------------------------------------------------------------------------------

    def received_bytes(self) -> bytes:
        """Everything that came back, framing and all."""
        return b"".join(bytes(received) for _, received in self._calls)

    def request(self) -> tuple[h11.Request, bytes]:
        """The one request that was made."""
        assert len(self._used()) == 1, f"the SDK made {len(self._used())} connections"
        reader = h11.Connection(h11.SERVER)
        head, body, _ = _read(reader, bytes(self._used()[0][0]))
        return head, body

    def response(self) -> tuple[h11.Response, bytes, bool]:
        """The answer to it: head, body as far as it came, and whether that was all."""
        request, _ = self.request()
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method=request.method, target="/", headers=[("host", "tap")]))
        reader.send(h11.EndOfMessage())
        return _read(reader, bytes(self._used()[0][1]))

    def _used(self) -> list[tuple[bytearray, bytearray]]:
        return [it for it in self._calls if it[0]]


def _shut(end: socket.socket, how: int) -> None:
    try:
        end.shutdown(how)
    except OSError:
        pass  # the peer was faster


def _pump(source: socket.socket, sink: socket.socket, record: bytearray) -> None:
    try:
        while data := source.recv(65536):
            record += data  # before it is passed on: what a client has read is on record
            sink.sendall(data)
    except OSError:
        _shut(source, socket.SHUT_RDWR)
    _shut(sink, socket.SHUT_WR)


def _read(reader: h11.Connection, raw: bytes) -> tuple:
    reader.receive_data(raw)
    head, body = None, b""
    while True:
        match reader.next_event():
            case h11.Request() | h11.Response() as it:
                head = it
            case h11.Data(data=data):
                body += bytes(data)
            case h11.EndOfMessage():
                return head, body, True
            case h11.InformationalResponse():
                continue
            case _:
                return head, body, False
