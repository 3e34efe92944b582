"""An upstream that keeps every byte it is sent and answers as the test says.

It speaks HTTP/1.1 on bare asyncio streams, so that "nothing reached the upstream" can be said of bytes, and so that
an answer can be framed badly, stalled or cut.
"""

import asyncio
import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


class Framing(enum.Enum):
    """How an answer's body meets the network."""

    WHOLE = "whole-pieces"  # one HTTP chunk a piece, one write a chunk
    BYTE_CHUNKS = "one-byte-chunks"  # each byte is an HTTP chunk of its own
    TINY_WRITES = "one-byte-writes"  # well-formed chunks, each byte a write of its own


class End(enum.Enum):
    """How an answer ends."""

    CLEAN = "clean"
    CUT = "cut"  # the connection closes in the middle of the body
    STALL = "stall"  # nothing more comes until the test calls `release`, or the peer leaves


@dataclass
class Answer:
    """What the upstream says to one request. `pieces` are body parts; a stream has one for each event."""

    pieces: list[bytes]
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    framing: Framing = Framing.WHOLE
    end: End = End.CLEAN
    stall_after: int | None = None  # with `End.STALL`: after how many pieces; default after all

    @property
    def is_stream(self) -> bool:
        return self.content_type.startswith(("text/event-stream", "application/x-ndjson"))


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes


@dataclass
class Connection:
    """One accepted connection and everything that came over it."""

    raw: bytearray = field(default_factory=bytearray)
    closed: threading.Event = field(default_factory=threading.Event)


class Upstream:
    """A recording server on a port of its own; used as a context manager."""

    def __init__(self, default: Callable[[Seen], Answer]) -> None:
        self._default = default
        self._answer = default
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream", daemon=True)
        self._server: asyncio.Server | None = None
        self._release = asyncio.Event()
        self._tasks: set[asyncio.Task] = set()
        self.requests: list[Seen] = []
        self.connections: list[Connection] = []
        self.arrived = threading.Event()
        self.port = 0

    # --- what tests use -------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, answer: Answer | Callable[[Seen], Answer]) -> None:
        """What every request from now on is answered with."""
        self._answer = answer if callable(answer) else lambda _seen: answer

    def reset(self) -> None:
        """Forgets everything seen; idle connections stay open and count as new when they are used again."""
        self._answer = self._default
        self.requests.clear()
        for connection in self.connections:
            connection.raw.clear()
        self.connections[:] = [it for it in self.connections if not it.closed.is_set()]
        self.arrived.clear()
        self._loop.call_soon_threadsafe(self._release.clear)

    def release(self) -> None:
        """Lets every stalled answer go on."""
        self._loop.call_soon_threadsafe(self._release.set)

    def raw(self) -> bytes:
        """Every byte received on any connection since `reset`."""
        return b"\n".join(bytes(it.raw) for it in list(self.connections) if it.raw)

    def only(self) -> Seen:
        """The one request that was seen."""
        assert len(self.requests) == 1, f"{len(self.requests)} requests reached the upstream"
        return self.requests[0]

    # --- the server -----------------------------------------------------------------------------------------------

    def __enter__(self) -> "Upstream":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        connection = Connection()
        self.connections.append(connection)
        try:
            while True:
                seen = await self._read_request(reader, connection)
                if seen is None:
                    break
                self.requests.append(seen)
                self.arrived.set()
                if not await self._write_answer(self._answer(seen), reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            connection.closed.set()
            self._tasks.discard(task)
            writer.close()

    async def _read_request(self, reader: asyncio.StreamReader, connection: Connection) -> Seen | None:
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            line = await reader.readline()
            connection.raw += line
            head += line
            if not line:
                return None
        request_line, *header_lines = head.decode("latin-1").split("\r\n")
        method, target, _version = request_line.split(" ", 2)
        headers = {}
        for line in filter(None, header_lines):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = bytearray()
        if "chunked" in headers.get("transfer-encoding", ""):
            while True:
                size_line = await reader.readline()
                size = int(size_line.split(b";")[0], 16)
                data = await reader.readexactly(size + 2)
                connection.raw += size_line + data
                body += data[:-2]
                if size == 0:
                    break
        else:
            # Bit by bit, so that a body that never becomes complete is on record too.
            missing = int(headers.get("content-length", "0"))
            while missing:
                data = await reader.read(missing)
                if not data:
                    return None
                connection.raw += data
                body += data
                missing -= len(data)
        return Seen(method, target, headers, bytes(body), bytes(head) + bytes(body))

    async def _write_answer(
        self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        lines = [f"HTTP/1.1 {answer.status} Scripted", f"content-type: {answer.content_type}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.is_stream or answer.end is not End.CLEAN:
            writer.write(("\r\n".join([*lines, "transfer-encoding: chunked"]) + "\r\n\r\n").encode())
        else:
            length = sum(map(len, answer.pieces))
            writer.write(("\r\n".join([*lines, f"content-length: {length}"]) + "\r\n\r\n").encode())
            for piece in answer.pieces:
                await self._write(writer, piece, answer.framing is not Framing.WHOLE)
            await writer.drain()
            return True
        for at, piece in enumerate(answer.pieces):
            if answer.end is End.STALL and at == answer.stall_after:
                await self._stall(reader, writer)
            if answer.framing is Framing.BYTE_CHUNKS:
                chunks = b"".join(b"1\r\n" + piece[at : at + 1] + b"\r\n" for at in range(len(piece)))
                await self._write(writer, chunks, False)
            else:
                chunk = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
                await self._write(writer, chunk, answer.framing is Framing.TINY_WRITES)
        if answer.end is End.CUT:
            return False
        if answer.end is End.STALL and answer.stall_after is None:
            await self._stall(reader, writer)
        await self._write(writer, b"0\r\n\r\n", False)
        return True

    async def _stall(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.drain()
        released = asyncio.ensure_future(self._release.wait())
        gone = asyncio.ensure_future(reader.read(1))  # the peer sends nothing in the middle of an answer
        done, waiting = await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if gone in done:
            raise ConnectionResetError("the peer left during a stall")

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, one_by_one: bool) -> None:
        if not one_by_one:
            writer.write(data)
            await writer.drain()
            return
        for at in range(len(data)):
            # asyncio sets TCP_NODELAY: with an empty buffer each write is a segment.
            writer.write(data[at : at + 1])
            if at % 32 == 0:
                await asyncio.sleep(0)
        await writer.drain()
