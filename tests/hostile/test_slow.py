"""Threats B8 and I9: who is slow on purpose is dropped at a deadline, and nobody else notices.

Three crowds besiege one gateway at the same time: one sends its heads a byte at a time, one its bodies, one asks once
and then keeps its connection for nothing. Honest clients ask all the while. A fourth crowd asks for much and takes
nothing of it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import running
from bare import Client
from crowd import Crowd
from process import comes_true, holds_connection
from rig import answers
from rig.upstream import Answer, Seen, Upstream
from running import ask, head, port, prompt, request

ATTACKERS = 150  # in each crowd
HEAD_SECONDS = 10  # for a head to arrive; also how long a connection may be kept for nothing
BODY_SECONDS = 2
SLACK = 2.0
BODY = prompt("Good morning.")


@dataclass
class Siege:
    """What came of it."""

    heads: Crowd
    bodies: Crowd
    keepers: Crowd
    waits: list[float]  # of honest clients, in seconds
    refused: int  # records that say that a body was too slow


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    folder = tmp_path_factory.mktemp("siege") / "ordain"
    with (
        Upstream(running.plain_answer) as upstream,
        running.running(folder, upstream.url, body_seconds=BODY_SECONDS) as gateway,
    ):
        slow_head = head(gateway).removesuffix(b"\r\n") + b"X-Pad: "
        slow_body = head(gateway, "Content-Length: 1000")
        with (
            Crowd(port(gateway), ATTACKERS, slow_head, drip=b"x") as heads,
            Crowd(port(gateway), ATTACKERS, slow_body, drip=b" ") as bodies,
            Crowd(port(gateway), ATTACKERS, request(gateway, BODY)) as keepers,
        ):
            waits = []
            until = time.monotonic() + HEAD_SECONDS + SLACK
            while time.monotonic() < until and (heads.left() or bodies.left() or keepers.left()):
                began = time.monotonic()
                answer = ask(gateway, "Good morning.")
                assert answer.status == 200, answer
                waits.append(time.monotonic() - began)
                time.sleep(0.02)  # the pace of an honest client
            refused = sum(it["kind"] == "refusal" and it["status"] == 408 for it in running.records(folder))
            yield Siege(heads, bodies, keepers, waits, refused)


def assert_dropped(crowd: Crowd, after: float) -> None:
    assert crowd.left() == 0, f"{crowd.left()} of {ATTACKERS} are still connected"
    moments = [it.dropped_after for it in crowd.members]
    assert after - 0.5 < min(moments) and max(moments) < after + SLACK, (min(moments), max(moments))


def test_slow_heads_are_dropped(siege: Siege) -> None:
    assert_dropped(siege.heads, HEAD_SECONDS)


def test_slow_bodies_are_dropped_told_and_recorded(siege: Siege) -> None:
    assert_dropped(siege.bodies, BODY_SECONDS)
    assert all(it.heard.startswith(b"HTTP/1.1 408 ") for it in siege.bodies.members)
    assert siege.refused == ATTACKERS


def test_idle_connections_are_dropped(siege: Siege) -> None:
    assert all(it.heard.startswith(b"HTTP/1.1 200 ") for it in siege.keepers.members)
    assert_dropped(siege.keepers, HEAD_SECONDS)


def test_honest_clients_do_not_notice(siege: Siege) -> None:
    assert len(siege.waits) > 100, "too few questions for the test to mean anything"
    assert max(siege.waits) < 1.0, sorted(siege.waits)[-5:]


# --- slow readers ---------------------------------------------------------------------------------------------------

LARGE = 40 << 20  # more than the kernel's buffers on both ways hold
EVENT = answers.compact({"choices": [{"index": 0, "delta": {"content": "well " * 6000}}]})


def large_answer(seen: Seen) -> Answer:
    """An answer that does not fit into any buffer, whole or as a stream."""
    if b'"stream":true' in seen.body:
        return Answer([b"data: " + EVENT + b"\n\n"] * (LARGE // len(EVENT)), content_type=answers.STREAM)
    return answers.chat({"content": "well " * (LARGE // 5)})


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_who_takes_nothing_is_dropped(tmp_path: Path, stream: bool) -> None:
    """No byte can be written for longer than any limit of this gateway: the connection has to end."""
    with (
        Upstream(large_answer) as upstream,
        running.running(tmp_path / "ordain", upstream.url, body_bytes=2 * LARGE, first_byte_seconds=20) as gateway,
        Client(port(gateway), receive_buffer=4096) as client,
    ):
        client.send(request(gateway, prompt("Good morning.", stream=stream)))
        if not client.hears(20):
            raise TimeoutError("no answer")
        _, own_port = client.socket.getsockname()
        if not holds_connection(port(gateway), own_port):
            raise RuntimeError("the gateway's side of the connection is not found")
        assert comes_true(lambda: not holds_connection(port(gateway), own_port), within=4), "still connected"
