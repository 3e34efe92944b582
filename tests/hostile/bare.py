"""A client that writes bytes and reads bytes: nothing in it is polite, and nothing is repaired.

Answers are read as HTTP/1.1 says and not otherwise, so that bytes that belong to no answer fail a test.
"""

import select
import socket
import time
from dataclasses import dataclass

from crowd import leave

PATIENCE = 20.0
PROBE = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"


@dataclass
class Answer:
    """One answer of the gateway."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for it, value in self.headers if it == name]

    def one(self, name: str) -> str:
        values = self.all(name)
        assert len(values) == 1, f"{len(values)} times `{name}` in {self.headers}"
        return values[0]

    @property
    def closes(self) -> bool:
        return "close" in self.all("connection")


class Cut(Exception):
    """The bytes end in the middle of an answer."""


def take_answer(raw: bytes, to_head: bool = False) -> tuple[Answer, bytes]:
    """The first answer and what follows it. That to a `HEAD` has no body, whatever it announces."""
    head, end, rest = raw.partition(b"\r\n\r\n")
    if not end:
        raise Cut
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = status_line.split(" ", 2)
    assert version in ("HTTP/1.1", "HTTP/1.0"), f"no answer: {raw[:200]!r}"
    pairs = [line.partition(":") for line in lines]
    headers = [(name.lower(), value.strip()) for name, _, value in pairs]
    answer = Answer(int(status), headers, b"")
    if 100 <= answer.status < 200 or answer.status == 204 or to_head:
        return answer, rest
    if answer.all("transfer-encoding"):
        answer.body, rest = _take_chunks(rest)
        return answer, rest
    length = int(answer.one("content-length"))
    if len(rest) < length:
        raise Cut
    answer.body = rest[:length]
    return answer, rest[length:]


def _take_chunks(raw: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, end, raw = raw.partition(b"\r\n")
        length = int(size, 16) if end else 0
        if not end or len(raw) < length + 2:
            raise Cut
        body += raw[:length]
        assert raw[length : length + 2] == b"\r\n", raw[length:][:20]
        raw = raw[length + 2 :]
        if length == 0:
            return body, raw


def take_answers(raw: bytes) -> list[Answer]:
    """All answers; raises `Cut` when the last is not whole."""
    answers = []
    while raw:
        answer, raw = take_answer(raw)
        answers.append(answer)
    return answers


class Client:
    """One connection to the gateway."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.raw = b""
        self.closed = False

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Writes; that the gateway closed before it had everything is seen when reading."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def hears(self, within: float) -> bool:
        """Waits for bytes or the end, but not for longer."""
        poll = select.poll()  # unlike `select` it knows descriptors above 1024
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(within * 1000))

    def read(self, within: float) -> bool:
        """Takes what comes next; whether something came in time."""
        if self.closed or within <= 0 or not self.hears(within):
            return False
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self.raw += data
        self.closed = not data
        return bool(data)

    def answer(self, within: float = PATIENCE, to_head: bool = False) -> Answer | None:
        """The next answer, 100 among them; none if the connection ends, or if it does not come in time."""
        deadline = time.monotonic() + within
        while True:
            try:
                answer, self.raw = take_answer(self.raw, to_head)
                return answer
            except Cut:
                pass
            if not self.read(deadline - time.monotonic()):
                return None

    def end(self, within: float = PATIENCE) -> bool:
        """Reads on until the gateway closes; whether it did in time."""
        deadline = time.monotonic() + within
        while self.read(deadline - time.monotonic()):
            pass
        return self.closed

    def stop_sending(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self) -> None:
        """Leaves with a reset."""
        leave(self.socket)


@dataclass
class Talk:
    """What came of some bytes: all answers, and whether the gateway closed by itself."""

    answers: list[Answer]
    closed: bool

    @property
    def statuses(self) -> list[int]:
        return [it.status for it in self.answers]


PAUSE = 0.25


def talk(port: int, pieces: list[tuple[bytes, str]], within: float = PATIENCE) -> Talk:
    """Sends the pieces, each after what it waits for, and hears out what the gateway has to say to them.

    A connection that stays open after an answer is asked one honest question more, which closes it: what the gateway
    takes for further requests is answered before that, so that nobody has to wait for what does not come.
    """
    with Client(port) as client:
        for data, wait in pieces:
            if wait:
                client.hears(PAUSE if wait == "PAUSE" else within)
            client.send(data)
        answers = []
        while answer := client.answer(within):
            answers.append(answer)
            if answer.status >= 200:
                break
        if answer is None:
            # Either it has closed, or it still waits for more: then it is told that there is none.
            closed = client.closed
            client.stop_sending()
        else:
            closed = answer.closes
            if not closed:
                client.send(PROBE)
        client.end()
        more = take_answers(client.raw)
        if answer is not None and not closed:
            probed = bool(more) and more[-1].status == 200 and more[-1].body == b"ok\n"
            closed = not probed
            more = more[:-1] if probed else more
        return Talk(answers + more, closed)


def ask(port: int, raw: bytes, within: float = PATIENCE) -> Answer:
    """One request on a connection of its own, and its answer."""
    with Client(port) as client:
        client.send(raw)
        answer = client.answer(within, raw.startswith(b"HEAD "))
        assert answer, f"no answer; heard {client.raw[:200]!r}, closed: {client.closed}"
        return answer
