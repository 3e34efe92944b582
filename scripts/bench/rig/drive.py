"""Driving the subjects: whole answers, streams, one request after the other, and connections that idle."""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from .bodies import Bodies
from .cast import Subject

HERE = Path(__file__).resolve().parents[1]
STREAMS = 16
IDLE = 1_000
PATH = "/v1/chat/completions"


def wholes(subject: Subject, body: Path, connections: int, seconds: float) -> dict:
    """Whole answers by wrk: rate, p50 and p99 in µs, failures."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", str(HERE / "load.lua")]
    return _last_json([*command, f"http://{subject.address}{PATH}", "--", str(body), *subject.headers], seconds)


def streams(client: Path, subject: Subject, body: Path, connections: int, seconds: float) -> dict:
    """Streams read to their end: rate, first byte in µs, failures."""
    command = [str(client), subject.address, PATH, str(body), str(connections), f"{seconds:g}"]
    return _last_json([*command, *subject.headers], seconds)


def _last_json(command: list[str], seconds: float) -> dict:
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise RuntimeError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
    return json.loads(lines[-1])


def parts(subject: Subject, body: Path, count: int) -> dict[str, float]:
    """What the gateway itself says of its parts (`Server-Timing`), as medians in µs, one request after the other."""
    host, port = subject.address.split(":")
    connection = http.client.HTTPConnection(host, int(port))
    headers = dict(line.split(": ", 1) for line in subject.headers) | {"content-type": "application/json"}
    seen: dict[str, list[float]] = {}
    for _request in range(count):
        connection.request("POST", PATH, body.read_bytes(), headers)
        answer = connection.getresponse()
        answer.read()
        for name, millis in re.findall(r"(\w+);dur=([0-9.]+)", answer.getheader("server-timing", "")):
            seen.setdefault(name, []).append(float(millis) * 1000)
    connection.close()
    return {name: statistics.median(values) for name, values in seen.items()}


def idle(subject: Subject) -> float:
    """KiB that each connection costs which has sent nothing yet, out of a thousand."""
    host, port = subject.address.split(":")
    before = subject.memory()
    with ExitStack() as held:
        for _connection in range(IDLE):
            held.enter_context(socket.create_connection((host, int(port))))
        _settle(subject)
        grown = subject.memory() - before
    return grown * 1024 / IDLE


def _settle(subject: Subject) -> None:
    """Waits until memory has stopped growing, for five seconds at most."""
    last, deadline = -1.0, time.monotonic() + 5
    while time.monotonic() < deadline:
        now = subject.memory()
        if now == last:
            return
        last = now
        time.sleep(0.2)


def two_syncs(folder: Path, count: int = 200) -> tuple[float, float]:
    """p50 and p99 in µs of two plain appends, each followed by fdatasync: what durable records cost at the least."""
    path = folder / "syncs"
    times = []
    with path.open("ab", buffering=0) as file:
        for _round in range(count):
            begun = time.perf_counter()
            for _append in range(2):
                file.write(b"x" * 1024)
                os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1e6)
    path.unlink()
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100]


class Rounds:
    """All measurements, `rounds` times, each subject in its turn."""

    def __init__(self, subjects: list[Subject], client: Path, bodies: Bodies, rounds: int, seconds: float) -> None:
        self._subjects, self._client, self._bodies = subjects, client, bodies
        self._rounds, self._seconds = rounds, seconds
        self.failures = 0

    def warm_up(self) -> None:
        """Caches, pools and page tables fill before anything counts."""
        for subject in self._subjects:
            wholes(subject, self._bodies.small, 16, 1)
            streams(self._client, subject, self._bodies.stream, STREAMS, 1)

    def run(self, say) -> None:
        kinds = [("small", self._bodies.small, it) for it in (1, 16, 64)]
        kinds += [("large", self._bodies.large, 16), ("personal", self._bodies.personal, 16)]
        for at in range(self._rounds):
            say(f"round {at + 1} of {self._rounds}")
            # Who goes first changes, so that nobody always profits from a quiet or a warm machine.
            shift = at % len(self._subjects)
            turn = self._subjects[shift:] + self._subjects[:shift]
            for name, body, connections in kinds:
                for subject in turn:
                    self._wholes(subject, f"{name}-{connections}", body, connections)
            for subject in turn:
                self._streams(subject)

    def _wholes(self, subject: Subject, what: str, body: Path, connections: int) -> None:
        before = subject.cpu()
        found = wholes(subject, body, connections, self._seconds)
        requests = max(1.0, found["rate"] * self._seconds)
        self.failures += found["failures"]
        for figure in ("rate", "p50", "p99"):
            subject.note(f"{figure}-{what}", found[figure])
        if what == "small-64":
            for part, spent in subject.cpu().items():
                subject.note(f"cpu-{part}", (spent - before.get(part, 0.0)) / requests)

    def _streams(self, subject: Subject) -> None:
        found = streams(self._client, subject, self._bodies.stream, STREAMS, self._seconds)
        self.failures += found["failures"]
        subject.note("streams", found["rate"])
        subject.note("first-p50", found["first_p50"])
        subject.note("first-p99", found["first_p99"])
        subject.note("memory", subject.memory())
