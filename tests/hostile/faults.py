"""What an upstream can do wrong (threat B16), and what the gateway must make of each, whole or streamed."""

from dataclasses import dataclass

from broken import ERROR, Do, Endless, Step, chunks, head, sized
from rig import answers

WHOLE = answers.chat({"content": "All is well."}).pieces[0]
EVENTS = answers.chat_stream({"content": "All is well."}).pieces
CHUNKED = "transfer-encoding: chunked"
STREAM = {"kind": answers.STREAM}
STREAM_HEAD = head(CHUNKED, **STREAM)
LAST = b"0\r\n\r\n"
GARBAGE = b"\x00\xffsorry, wrong number\r\n\r\n" * 20
BROKEN, STOPPED, DONE = "upstream-failed", "stopped", "completed"


@dataclass(frozen=True)
class Fault:
    """The steps of the upstream, the statuses that may follow, and how the exchange ends on record."""

    name: str
    steps: tuple[Step, ...]
    statuses: tuple[int, ...]
    result: str
    reuse: bool = False  # whether the connection to the upstream may be used again
    wrong: str = ""  # what the gateway does otherwise so far

    def __str__(self) -> str:
        return self.name


PLAIN = [
    Fault("closes", (Do.CLOSE,), (502,), BROKEN),
    Fault("resets", (Do.RESET,), (502,), BROKEN),
    Fault("stops-sending", (Do.STOP_SENDING, Do.STALL), (502,), BROKEN),
    Fault("stalls", (Do.STALL,), (504,), BROKEN),
    Fault("stalls-in-head", (b"HTTP/1.1 200 OK\r\ncontent-", Do.STALL), (504,), BROKEN),
    Fault("stalls-in-body", (sized(WHOLE)[:-9], Do.STALL), (504,), BROKEN),
    Fault("resets-in-body", (sized(WHOLE)[:-9], Do.RESET), (502,), BROKEN),
    Fault("closes-in-body", (sized(WHOLE)[:-9], Do.CLOSE), (502,), BROKEN),
    Fault("stops-sending-in-body", (sized(WHOLE)[:-9], Do.STOP_SENDING, Do.STALL), (502,), BROKEN),
    Fault("garbage", (GARBAGE,), (502,), BROKEN),
    Fault("another-protocol", (b"SSH-2.0-OpenSSH_9.2\r\n",), (502,), BROKEN),
    Fault("http-2", (sized(WHOLE).replace(b"HTTP/1.1", b"HTTP/2"),), (502,), BROKEN),
    Fault(
        "three-informational",
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 3 + sized(WHOLE),),
        (200,),
        DONE,
        reuse=True,
    ),
    Fault("informational-without-end", (Endless(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9),), (502, 504), BROKEN),
    Fault("switches-protocols", (head("upgrade: h2c", status="101 Switching Protocols"),), (502,), STOPPED),
    Fault("endless-chunks", (head(CHUNKED), Endless(chunks(b" " * 9999))), (502,), BROKEN),
    Fault("endless-until-close", (head(), Endless(b" " * 9999)), (502,), BROKEN),
    Fault("endless-head", (b"HTTP/1.1 200 OK\r\n", Endless(b"x: y\r\n" * 99)), (502,), BROKEN),
    Fault("endless-header", (b"HTTP/1.1 200 OK\r\nx: ", Endless(b"y" * 9999)), (502,), BROKEN),
    # Cut short, it is no JSON: the policy blocks what cannot be inspected, in the shape of an answer.
    Fault("length-too-small", (head("content-length: 50") + WHOLE,), (200,), STOPPED),
    Fault("length-too-large", (head(f"content-length: {len(WHOLE) + 9}") + WHOLE, Do.CLOSE), (502,), BROKEN),
    Fault("length-too-large-stalls", (head(f"content-length: {len(WHOLE) + 9}") + WHOLE, Do.STALL), (504,), BROKEN),
    Fault("second-answer", (sized(WHOLE) + sized(ERROR),), (200,), DONE),
    Fault("two-lengths", (head("content-length: 50", f"content-length: {len(WHOLE)}") + WHOLE,), (502,), BROKEN),
    Fault(
        "both-lengths",
        (head("content-length: 50", CHUNKED) + chunks(WHOLE) + LAST,),
        (502,),
        BROKEN,
    ),
    Fault("bad-chunk", (head(CHUNKED) + b"zz\r\n" + WHOLE,), (502,), BROKEN),
    Fault("no-last-chunk", (head(CHUNKED) + chunks(WHOLE), Do.CLOSE), (502,), BROKEN),
    Fault("gzip", (sized(WHOLE, "content-encoding: gzip"),), (502,), BROKEN, reuse=True),
    Fault("unknown-encoding", (sized(WHOLE, "content-encoding: x"),), (502,), BROKEN, reuse=True),
    Fault("stacked-encodings", (sized(WHOLE, "content-encoding: gzip, br"),), (502,), BROKEN, reuse=True),
    Fault(
        "transfer-gzip",
        (head("transfer-encoding: gzip, chunked") + chunks(WHOLE) + LAST,),
        (502,),
        BROKEN,
    ),
    Fault("error-with-200", (sized(ERROR),), (200,), DONE, reuse=True),
    Fault("page-with-200", (sized(b"<html></html>", kind="text/html"),), (200,), STOPPED, reuse=True),
    Fault("nothing-with-200", (sized(b""),), (200,), STOPPED, reuse=True),
    Fault("no-content", (b"HTTP/1.1 204 No Content\r\n\r\n",), (200,), STOPPED, reuse=True),
    Fault(
        "page-with-500", (sized(b"<html></html>", kind="text/html", status="500 Oops"),), (502,), STOPPED, reuse=True
    ),
    Fault("error-with-500", (sized(ERROR, status="500 Oops"),), (500,), DONE, reuse=True),
    Fault("stream-with-500", (sized(EVENTS[0], status="500 Oops", **STREAM),), (502,), STOPPED, reuse=True),
    Fault("status-999", (sized(b"", status="999 Beyond"),), (502,), STOPPED, reuse=True),
]


def _same(name: str) -> Fault:
    """A fault before the answer begins is the same for a stream."""
    return next(it for it in PLAIN if it.name == name)


STREAMED = [
    _same("closes"),
    _same("resets"),
    _same("stops-sending"),
    _same("stalls"),
    _same("stalls-in-head"),
    _same("garbage"),
    _same("informational-without-end"),
    _same("switches-protocols"),
    _same("endless-head"),
    _same("error-with-200"),
    _same("page-with-500"),
    _same("error-with-500"),
    Fault("stalls-at-once", (STREAM_HEAD, Do.STALL), (200,), BROKEN),
    Fault("stalls-in-stream", (STREAM_HEAD + chunks(*EVENTS[:3]), Do.STALL), (200,), BROKEN),
    Fault("stalls-in-event", (STREAM_HEAD + chunks(EVENTS[0], EVENTS[1][:20]), Do.STALL), (200,), BROKEN),
    Fault("resets-in-stream", (STREAM_HEAD + chunks(*EVENTS[:3]), Do.WAIT, Do.RESET), (200,), BROKEN),
    Fault("closes-in-stream", (STREAM_HEAD + chunks(*EVENTS[:3]), Do.CLOSE), (200,), BROKEN),
    Fault("stops-sending-in-stream", (STREAM_HEAD + chunks(*EVENTS[:3]), Do.STOP_SENDING, Do.STALL), (200,), BROKEN),
    Fault("endless-event", (STREAM_HEAD, Endless(chunks(b"data: " + b"x" * 9999))), (200,), STOPPED),
    Fault("length-too-small", (head("content-length: 300", **STREAM) + b"".join(EVENTS),), (200,), BROKEN),
    Fault(
        "length-too-large", (head("content-length: 9999", **STREAM) + b"".join(EVENTS[:3]), Do.CLOSE), (200,), BROKEN
    ),
    Fault("bad-chunk", (STREAM_HEAD + chunks(*EVENTS[:3]) + b"zz\r\n",), (200,), BROKEN),
    Fault("ends-before-its-end", (STREAM_HEAD + chunks(*EVENTS[:3]) + LAST,), (200,), BROKEN, reuse=True),
    Fault("garbage-in-stream", (STREAM_HEAD + chunks(*EVENTS[:3], GARBAGE) + LAST,), (200,), STOPPED, reuse=True),
    Fault(
        "no-json-in-stream", (STREAM_HEAD + chunks(*EVENTS[:3], b"data: {\n\n") + LAST,), (200,), STOPPED, reuse=True
    ),
    Fault(
        "gzip",
        (head(CHUNKED, "content-encoding: gzip", **STREAM) + chunks(*EVENTS) + LAST,),
        (502,),
        BROKEN,
        reuse=True,
    ),
    Fault("error-in-stream", (STREAM_HEAD + chunks(b"data: " + ERROR + b"\n\n") + LAST,), (200,), DONE, reuse=True),
    Fault("second-answer", (STREAM_HEAD + chunks(*EVENTS) + LAST + sized(ERROR),), (200,), DONE),
]
