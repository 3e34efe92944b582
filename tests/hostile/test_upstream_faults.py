"""Threat B16: an upstream does wrong: the client is told in time, there is one outcome, and nothing is left over.

Each fault of `faults.py` happens to one exchange. Then: the status is the right one and came within the deadline that
bounds this wait; there are one intent and one outcome; nothing was tried a second time; the connection that
misbehaved is closed and not used again; and the next exchange is answered as if nothing had been.
"""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import running
from bare import PROBE, Answer, Client
from broken import Broken, Do, Endless, Pause, chunks, head, sized
from faults import CHUNKED, EVENTS, LAST, PLAIN, STREAM_HEAD, STREAMED, WHOLE, Fault
from process import comes_true
from rig.gateway import Gateway
from running import PROVIDER_KEY, ask, fault, of_exchange, port, prompt, request

WITHIN = 1 + 1.0  # each wait has a second (`running.LIMITS`), and the machine is busy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults") / "ordain"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Broken]:
    with Broken() as it:
        yield it


@pytest.fixture(scope="module")
def gateway(folder: Path, upstream: Broken) -> Iterator[Gateway]:
    with running.running(folder, upstream.url, one_worker=True) as it:
        yield it


def cases(faults: list[Fault]) -> list[object]:
    return [pytest.param(it, id=it.name, marks=[fault(it.wrong)] if it.wrong else []) for it in faults]


@pytest.mark.parametrize("case", cases(PLAIN))
def test_a_whole_answer(gateway: Gateway, upstream: Broken, folder: Path, case: Fault) -> None:
    answer = meets(gateway, upstream, folder, case, stream=False)
    if case.result == "stopped" and answer.status == 200:
        assert answer.one("ordain-decision") == "block"


@pytest.mark.parametrize("case", cases(STREAMED))
def test_a_stream(gateway: Gateway, upstream: Broken, folder: Path, case: Fault) -> None:
    answer = meets(gateway, upstream, folder, case, stream=True)
    if answer.one("content-type").startswith("text/event-stream") and case.result == "upstream-failed":
        *_, last, rest = answer.body.split(b"\n\n")
        assert last.startswith(b'data: {"error":') and rest == b"", "a client could take this stream for a whole one"


def meets(gateway: Gateway, upstream: Broken, folder: Path, case: Fault, stream: bool) -> Answer:
    upstream.will(*case.steps)
    began = time.monotonic()
    with Client(port(gateway)) as client:
        client.send(request(gateway, prompt("Good morning.", stream=stream)))
        if Do.WAIT in case.steps:
            client.hears(10)
            upstream.go_on()
        answer = client.answer()
    assert answer, "no answer"
    assert time.monotonic() - began < WITHIN
    assert answer.status in case.statuses, answer
    assert PROVIDER_KEY.encode() not in answer.body
    assert len(upstream.requests()) == 1, "a request that was sent must not be tried again"
    assert_one_outcome(folder, answer, case.result)
    used = [it for it in upstream.connections if it.requests]
    assert_all_is_well_again(gateway, upstream)
    if not case.reuse:
        assert all(it.closed.is_set() for it in used), "the connection that misbehaved was used again"
    return answer


def assert_one_outcome(folder: Path, answer: Answer, result: str) -> None:
    intent, *outcomes = of_exchange(folder, answer.one("ordain-record"))
    assert intent["kind"] == "intent"
    told = [(it["kind"], it["result"], it["status"]) for it in outcomes]
    assert told == [("outcome", result, answer.status)]


def assert_all_is_well_again(gateway: Gateway, upstream: Broken) -> None:
    """The next exchange is answered, with its own answer, and then one connection is open at most."""
    upstream.will(sized(WHOLE))
    answer = ask(gateway, "Good morning.")
    assert (answer.status, answer.body) == (200, WHOLE)
    assert comes_true(lambda: upstream.connected() <= 1, 2), f"{upstream.connected()} connections are left"


# --- faults that lie before any answer ------------------------------------------------------------------------------


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as it:
        return it.getsockname()[1]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_nobody_listens(tmp_path: Path, stream: bool) -> None:
    folder = tmp_path / "ordain"
    with running.running(folder, f"http://127.0.0.1:{unused_port()}") as gateway:
        answer = ask(gateway, "Good morning.", stream=stream)
        assert answer.status == 502
        assert_one_outcome(folder, answer, "upstream-failed")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_nobody_accepts(tmp_path: Path, stream: bool) -> None:
    """The queue of the listener is full, so that a connection is neither made nor refused."""
    folder = tmp_path / "ordain"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for it in waiting:
            it.setblocking(False)
            it.connect_ex(address)
        with running.running(folder, f"http://127.0.0.1:{address[1]}", first_byte_seconds=10) as gateway:
            began = time.monotonic()
            answer = ask(gateway, "Good morning.", stream=stream)
            assert time.monotonic() - began < WITHIN, "`connect_seconds` did not bound it"
            assert answer.status in (502, 504)
            assert_one_outcome(folder, answer, "upstream-failed")
        for it in waiting:
            it.close()


# --- what is slow, and what never ends ------------------------------------------------------------------------------


def dripping(data: bytes) -> list[bytes | Pause]:
    """Five pieces, none of them late."""
    size = len(data) // 5 + 1
    return [it for at in range(0, len(data), size) for it in (data[at : at + size], Pause(0.4))]


def test_a_stream_may_take_longer_than_any_of_its_pauses(gateway: Gateway, upstream: Broken, folder: Path) -> None:
    upstream.will(STREAM_HEAD, *dripping(chunks(*EVENTS)), LAST)
    answer = ask(gateway, "Good morning.", stream=True)
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert_one_outcome(folder, answer, "completed")


def test_a_whole_answer_may_take_longer_than_any_of_its_pauses(
    gateway: Gateway, upstream: Broken, folder: Path
) -> None:
    upstream.will(head(f"content-length: {len(WHOLE)}"), *dripping(WHOLE))
    answer = ask(gateway, "Good morning.")
    assert (answer.status, answer.body) == (200, WHOLE)
    assert_one_outcome(folder, answer, "completed")


FOREVER = {
    "comments": b": still here\n\n" * 99,
    "events": EVENTS[1],
}


@pytest.mark.parametrize("kind", FOREVER)
def test_a_stream_without_end_is_ended(gateway: Gateway, upstream: Broken, kind: str) -> None:
    upstream.will(STREAM_HEAD, Endless(chunks(FOREVER[kind])))
    with Client(port(gateway)) as client:
        client.send(request(gateway, prompt("Good morning.", stream=True)))
        until = time.monotonic() + 3
        while client.read(until - time.monotonic()):
            client.raw = client.raw[-100:]
        ended = client.closed or client.raw.endswith(b"0\r\n\r\n")
    comes_true(lambda: upstream.connected() == 0, 2)
    assert ended


def test_an_answer_without_end_costs_nobody_else(gateway: Gateway, upstream: Broken) -> None:
    """The one worker that there is here answers others while an upstream sends informational answers without end."""
    upstream.will(Endless(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9999))
    waits = []
    with Client(port(gateway)) as client:
        client.send(request(gateway, prompt("Good morning.")))
        upstream.arrived()
        while not client.hears(0):
            with Client(port(gateway)) as other:
                began = time.monotonic()
                other.send(PROBE)
                answer = other.answer()
                waits.append(time.monotonic() - began)
                if not answer or answer.status != 200:
                    raise RuntimeError("another client was not answered")
        answer = client.answer()
        if not answer or answer.status not in (502, 504):
            raise RuntimeError(f"no end of it: {answer}")
    # It may be over before anybody else has asked.
    assert max(waits, default=0) < 0.2, f"another client waited for {max(waits):.2f} s"


# --- C7: the provider's key stays between the gateway and its upstream ----------------------------------------------

REDIRECTS = [
    "301 Moved",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
    "300 Choose",
]


@pytest.mark.parametrize("body", [b"", b'{"error":{"message":"moved","type":"x"}}'], ids=["empty", "json"])
@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_is_not_followed(gateway: Gateway, upstream: Broken, folder: Path, status: str, body: bytes) -> None:
    with Broken() as elsewhere:
        elsewhere.will(sized(WHOLE))
        upstream.will(sized(body, f"location: {elsewhere.url}/v1/chat/completions", status=status))
        answer = ask(gateway, "Good morning.")
        assert answer.status in (502, int(status[:3])), answer
        assert answer.all("location") == []
        assert elsewhere.url.encode() not in answer.body
        assert elsewhere.connections == [], "the key went elsewhere"
    results = [it.get("result") for it in of_exchange(folder, answer.one("ordain-record"))]
    assert results[0] is None and results[1:] in (["stopped"], ["completed"], ["upstream-failed"])
    assert_all_is_well_again(gateway, upstream)


ECHOES = {
    "error": sized(
        f'{{"error":{{"message":"bad key {PROVIDER_KEY}","type":"x"}}}}'.encode(), status="401 Unauthorized"
    ),
    "answer": sized(WHOLE.replace(b"All is well.", PROVIDER_KEY.encode())),
    "header": sized(WHOLE, f"x-request-id: {PROVIDER_KEY}"),
    "unread-header": sized(WHOLE, f"www-authenticate: Bearer {PROVIDER_KEY}"),
    "page": sized(f"<html>{PROVIDER_KEY}</html>".encode(), kind="text/html", status="500 Oops"),
    "stream": head(CHUNKED, kind="text/event-stream")
    + chunks(*(it.replace(b" well.", PROVIDER_KEY.encode()) for it in EVENTS))
    + LAST,
    "stream-cut": head(CHUNKED, kind="text/event-stream")
    + chunks(*(bytes([it]) for it in b"".join(EVENTS).replace(b" well.", PROVIDER_KEY.encode())))
    + LAST,
}


@pytest.mark.parametrize("kind", ECHOES)
def test_a_key_that_comes_back_stops_here(gateway: Gateway, upstream: Broken, kind: str) -> None:
    upstream.will(ECHOES[kind])
    with Client(port(gateway)) as client:
        client.send(request(gateway, prompt("Good morning.", stream=kind.startswith("stream")), "Connection: close"))
        client.end()
    assert client.raw.startswith(b"HTTP/1.1 ")
    assert PROVIDER_KEY.encode() not in client.raw
