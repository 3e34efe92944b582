"""Threat I10: a client that leaves takes its upstream along within a second, and what it got is on record.

It leaves politely or with a reset, at every moment of an exchange. The one outcome says `client-gone` with the bytes
that were delivered, and the connection to the upstream is closed, since nobody would read the rest of it.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import running
from bare import Client
from broken import Broken, Do, Endless, chunks, head, sized
from faults import CHUNKED, EVENTS, LAST, STREAM_HEAD, WHOLE
from process import comes_true
from rig.gateway import Gateway
from running import ask, fault, of_exchange, port, prompt, records, request

SOON = 1.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gone") / "ordain"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Broken]:
    with Broken() as it:
        yield it


@pytest.fixture(scope="module")
def gateway(folder: Path, upstream: Broken) -> Iterator[Gateway]:
    """Nothing but the client's leaving ends an exchange here."""
    limits = {"body_seconds": 60, "first_byte_seconds": 60, "idle_seconds": 60}
    with running.running(folder, upstream.url, one_worker=True, **limits) as it:
        yield it


def leave(client: Client, how: str) -> float:
    """The moment at which the client has gone."""
    if how == "reset":
        client.reset()
    else:
        client.socket.close()
    return time.monotonic()


def newest(folder: Path) -> tuple[dict, list[dict]]:
    """The intent of the last exchange and its outcomes."""
    intent = next(it for it in records(folder) if it["kind"] == "intent")
    return intent, of_exchange(folder, intent["id"])[1:]


def assert_upstream_gone(upstream: Broken, left_at: float) -> None:
    (connection,) = [it for it in upstream.connections if it.requests]
    assert connection.closed.wait(SOON + 1), "the upstream goes on for a client that has left"
    assert connection.closed_at - left_at < SOON


def assert_recorded(folder: Path) -> dict:
    assert comes_true(lambda: bool(newest(folder)[1]), SOON), "no outcome is on record"
    _, outcomes = newest(folder)
    assert [it["result"] for it in outcomes] == ["client-gone"]
    return outcomes[0]


HOW = pytest.mark.parametrize("how", ["close", "reset"])
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@HOW
@STREAM
def test_while_it_waits(gateway: Gateway, upstream: Broken, folder: Path, stream: bool, how: str) -> None:
    upstream.will(Do.STALL)
    client = Client(port(gateway))
    client.send(request(gateway, prompt("Good morning.", stream=stream)))
    upstream.arrived()
    left_at = leave(client, how)
    assert_upstream_gone(upstream, left_at)
    assert assert_recorded(folder)["bytes"] == 0


@HOW
def test_while_the_body_comes(gateway: Gateway, upstream: Broken, folder: Path, how: str) -> None:
    upstream.will(sized(WHOLE)[:-9], Do.STALL)
    client = Client(port(gateway))
    client.send(request(gateway, prompt("Good morning.")))
    upstream.arrived()
    left_at = leave(client, how)
    assert_upstream_gone(upstream, left_at)
    assert assert_recorded(folder)["bytes"] == 0


@HOW
def test_in_a_stream_that_stalls(gateway: Gateway, upstream: Broken, folder: Path, how: str) -> None:
    upstream.will(STREAM_HEAD + chunks(*EVENTS[:3]), Do.STALL)
    client = Client(port(gateway))
    client.send(request(gateway, prompt("Good morning.", stream=True)))
    assert comes_true(lambda: client.read(0.1) and b"data: " in client.raw, 10)
    left_at = leave(client, how)
    assert_upstream_gone(upstream, left_at)
    assert 0 < assert_recorded(folder)["bytes"] <= len(b"".join(EVENTS[:3]))


@HOW
def test_in_a_stream_that_flows(gateway: Gateway, upstream: Broken, folder: Path, how: str) -> None:
    upstream.will(STREAM_HEAD, Endless(chunks(EVENTS[1])))
    client = Client(port(gateway))
    client.send(request(gateway, prompt("Good morning.", stream=True)))
    read = 0
    while read < 100_000:
        assert client.read(10)
        read += len(client.raw)
        client.raw = b""
    left_at = leave(client, how)
    assert_upstream_gone(upstream, left_at)
    # Chunks and the head are not counted, and what was on its way when the client left is.
    assert assert_recorded(folder)["bytes"] > 50_000


@HOW
def test_in_a_stream_that_it_does_not_read(gateway: Gateway, upstream: Broken, folder: Path, how: str) -> None:
    """Its buffers are full: nothing is being written when it leaves, and nothing read."""
    upstream.will(STREAM_HEAD, Endless(chunks(EVENTS[1] * 99)))
    client = Client(port(gateway), receive_buffer=4096)
    client.send(request(gateway, prompt("Good morning.", stream=True)))
    sent = [-1]

    def stalled() -> bool:
        sent.append(sum(it.sent for it in upstream.connections))
        return len(sent) > 20 and len(set(sent[-20:])) == 1

    assert comes_true(stalled, 20)
    left_at = leave(client, how)
    assert_upstream_gone(upstream, left_at)
    assert assert_recorded(folder)["bytes"] > 0


@HOW
@STREAM
@fault("I10: hyper does not look for the end of a connection while bytes of another request wait in its buffer")
def test_with_another_request_behind(gateway: Gateway, upstream: Broken, folder: Path, stream: bool, how: str) -> None:
    """The client has sent more than this request before it leaves."""
    upstream.will(Do.STALL)
    client = Client(port(gateway))
    client.send(request(gateway, prompt("Good morning.", stream=stream)) + b"POST /v1/")
    upstream.arrived()
    left_at = leave(client, how)
    try:
        assert_upstream_gone(upstream, left_at)
    finally:
        upstream.hang_up()
    assert_recorded(folder)


@HOW
def test_while_it_sends(gateway: Gateway, upstream: Broken, how: str) -> None:
    """Nothing was judged yet: nothing goes upstream, and others are served."""
    upstream.will(sized(WHOLE))
    client = Client(port(gateway))
    client.send(request(gateway, prompt("Good morning."))[:-9])
    leave(client, how)
    assert ask(gateway, "Good evening.").status == 200
    assert [it.partition(b"\r\n\r\n")[2] for it in upstream.requests()] == [prompt("Good evening.")]


@HOW
def test_after_the_end_it_was_no_client_gone(gateway: Gateway, upstream: Broken, folder: Path, how: str) -> None:
    upstream.will(head(CHUNKED, kind="text/event-stream") + chunks(*EVENTS) + LAST)
    client = Client(port(gateway))
    client.send(request(gateway, prompt("Good morning.", stream=True)))
    answer = client.answer()
    leave(client, how)
    _, outcomes = newest(folder)
    assert [(it["result"], it["bytes"]) for it in outcomes] == [("completed", len(answer.body))]


def test_the_bytes_of_a_whole_answer_are_counted(gateway: Gateway, upstream: Broken, folder: Path) -> None:
    upstream.will(sized(WHOLE))
    answer = ask(gateway, "Good morning.")
    _, outcomes = newest(folder)
    assert [(it["result"], it["bytes"]) for it in outcomes] == [("completed", len(answer.body))]
