"""Threats G4 and G5: many connections cost little memory each, and running out of descriptors is a pause and no end.

The bounds are 16 KiB for a connection on which nothing happens, and 256 MiB for 500 slow readers or many large
bodies.
"""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

import bare
import running
from bare import PROBE, Client
from crowd import Crowd, flood, leave
from process import comes_true, open_files, processor_seconds, resident
from rig import answers
from rig.gateway import Gateway
from rig.upstream import Answer, Seen, Upstream
from running import ask, fault, head, of_exchange, port, prompt, request

KEPT_ALIVE = PROBE.replace(b"Connection: close\r\n", b"")
KIB = 1024
IDLE = 10_000
IDLE_AT_LEAST = 2_000
SPARE = 500  # descriptors that the test and the gateway need beside the crowd
AN_IDLE_ONE = 16 * KIB
A_SLOW_READER = 256 * KIB * KIB // 500


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream(running.plain_answer) as it:
        yield it


@pytest.fixture
def gateway(tmp_path: Path, upstream: Upstream) -> Iterator[Gateway]:
    """Allowed as many descriptors as this machine allows us: it inherits them."""
    upstream.reset()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with running.running(tmp_path / "ordain", upstream.url, first_byte_seconds=20) as it:
        for _ in range(10):
            assert ask(it, "Good morning.").status == 200  # what is made once is made now
        yield it


def crowd_size() -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    size = min(IDLE, most - SPARE)
    assert size >= IDLE_AT_LEAST, f"with {most} descriptors this test means nothing; `ulimit -Hn` has to be larger"
    if size < IDLE:
        print(f"{size} connections instead of {IDLE}, since only {most} descriptors are allowed here")
    return size


SILENT = pytest.param(b"", id="silent", marks=fault("G4: about 19 KiB each", measured=True))
ASKED_ONCE = pytest.param(KEPT_ALIVE, id="asked-once", marks=fault("G4: about 20 KiB each", measured=True))


@pytest.mark.parametrize("first", [SILENT, ASKED_ONCE])
def test_idle_connections_cost_little(gateway: Gateway, first: bytes) -> None:
    size = crowd_size()
    memory, files = resident(gateway.pid), open_files(gateway.pid)

    def admitted(so_far: int) -> None:
        # The last of the honest ones may have been about to go when files were counted.
        if not comes_true(lambda: open_files(gateway.pid) >= files + so_far - 10, 10):
            raise TimeoutError(f"{so_far} connections were not accepted in time")

    with Crowd(port(gateway), size, first, admitted=admitted) as crowd:
        if first and not comes_true(lambda: crowd.heard() == size, 10):
            raise TimeoutError(f"only {crowd.heard()} of {size} were answered")
        each = (resident(gateway.pid) - memory) / size
        if crowd.left() < size or ask(gateway, "Good morning.").status != 200:
            raise RuntimeError(f"{crowd.left()} of {size} are left")
        print(f"{size} connections, {each:.0f} bytes each")
        assert each < AN_IDLE_ONE


# --- slow readers of large streams ----------------------------------------------------------------------------------

READERS = 60
EVENT = b"data: " + answers.compact({"choices": [{"index": 0, "delta": {"content": "well " * 6000}}]}) + b"\n\n"
STREAM_BYTES = 50_000_000


class Pieces:
    """The events of one long stream, and how much of it has been asked for."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.taken < STREAM_BYTES:
            self.taken += len(EVENT)
            yield EVENT


def test_slow_readers_hold_the_upstream_back(gateway: Gateway, upstream: Upstream) -> None:
    streams: list[Pieces] = []

    def long_answer(_seen: Seen) -> Answer:
        streams.append(Pieces())
        return Answer(streams[-1], content_type=answers.STREAM)

    upstream.answers(long_answer)
    memory = resident(gateway.pid)
    clients = [Client(port(gateway), receive_buffer=4096) for _ in range(READERS)]
    try:
        for client in clients:
            client.send(request(gateway, prompt("Good morning.", stream=True)))
        readings = [-1]

        def stalled() -> bool:
            readings.append(sum(it.taken for it in streams))
            return len(streams) == READERS and len(readings) > 20 and len(set(readings[-20:])) == 1

        if not comes_true(stalled, 40) or readings[-1] >= READERS * STREAM_BYTES:
            raise RuntimeError(f"the upstream was not held back: it sent {readings[-1]} bytes")
        upstream.answers(running.plain_answer)
        if ask(gateway, "Good morning.").status != 200:
            raise RuntimeError("an honest client was not answered")
        each = (resident(gateway.pid) - memory) / READERS
        print(f"{READERS} slow readers, {each / KIB:.0f} KiB each")
        assert each < A_SLOW_READER
    finally:
        for client in clients:
            client.reset()


# --- many large bodies ----------------------------------------------------------------------------------------------

BODIES = 40
BODY_BYTES = 10 * KIB * KIB
IN_FLIGHT = 256 * KIB * KIB


def test_large_bodies_at_once_are_bounded(tmp_path: Path, upstream: Upstream) -> None:
    """All of them lack their last byte, so that none can be done with before the others."""
    upstream.reset()
    limits = {"body_bytes": 2 * BODY_BYTES, "body_seconds": 30}
    with running.running(tmp_path / "ordain", upstream.url, **limits) as gateway:
        memory = resident(gateway.pid)
        raw = request(gateway, prompt("x" * BODY_BYTES))[:-1]
        clients = [Client(port(gateway)) for _ in range(BODIES)]
        try:
            for client in clients:
                client.send(raw)
            if ask(gateway, "Good morning.").status != 200:
                raise RuntimeError("a small request was not answered")
            held = resident(gateway.pid) - memory
            told = bare.ask(port(gateway), head(gateway, f"Content-Length: {BODY_BYTES}"))
            assert (told.status, told.one("retry-after")) == (503, "1")
            (record,) = of_exchange(tmp_path / "ordain", told.one("ordain-record"))
            assert (record["kind"], record["status"]) == ("refusal", 503)
            print(f"{BODIES} bodies of {BODY_BYTES // KIB} KiB, {held // KIB} KiB held")
            assert held < IN_FLIGHT
        finally:
            for client in clients:
                client.reset()


# --- no descriptors left --------------------------------------------------------------------------------------------

DESCRIPTORS = 256
CROWD = 1000


def test_running_out_of_descriptors_is_a_pause(tmp_path: Path, upstream: Upstream) -> None:
    upstream.reset()
    folder = tmp_path / "ordain"
    with running.running(folder, upstream.url) as gateway, Client(port(gateway)) as known:
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        known.send(KEPT_ALIVE)
        assert known.answer().status == 200
        crowd = flood(port(gateway), CROWD)
        try:
            assert comes_true(lambda: open_files(gateway.pid) == DESCRIPTORS, 5), "descriptors are left"

            used = processor_seconds(gateway.pid)
            for _ in range(4):
                assert not known.hears(0.5)
                known.send(KEPT_ALIVE)
                assert known.answer().status == 200, "who is connected is served"
            assert processor_seconds(gateway.pid) - used < 1.0, "more than half a processor in two seconds"

            # Nothing can be asked upstream. That is an outcome like any other: records have their descriptors.
            known.send(request(gateway, prompt("Good morning.")))
            answer = known.answer()
            assert answer.status == 502
            kinds = [(it["kind"], it.get("result")) for it in of_exchange(folder, answer.one("ordain-record"))]
            assert kinds == [("intent", None), ("outcome", "upstream-failed")]
            assert open_files(gateway.pid) == DESCRIPTORS, "the crowd has gone before the test was over"
        finally:
            for it in crowd:
                leave(it)

        assert comes_true(lambda: open_files(gateway.pid) < DESCRIPTORS // 2, 10), "connections of the crowd are kept"
        assert ask(gateway, "Good morning.").status == 200
        known.send(request(gateway, prompt("Good morning.")))
        assert known.answer().status == 200


# --- one peer -------------------------------------------------------------------------------------------------------

A_PEER = 20


def test_one_address_holds_so_many_connections(tmp_path: Path, upstream: Upstream) -> None:
    upstream.reset()
    with running.running(tmp_path / "ordain", upstream.url, connections_per_peer=A_PEER) as gateway:
        clients = [Client(port(gateway)) for _ in range(A_PEER)]
        for client in clients:
            client.send(KEPT_ALIVE)
            assert client.answer().status == 200
        with Client(port(gateway)) as one_more:
            one_more.send(KEPT_ALIVE)
            assert one_more.answer() is None and one_more.closed
        clients.pop().reset()

        def served_again() -> bool:
            with Client(port(gateway)) as client:
                client.send(KEPT_ALIVE)
                return client.answer() is not None

        assert comes_true(served_again, 5)
        for client in clients:
            client.reset()
