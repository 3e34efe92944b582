"""A full disk under a break-glass: the named use goes on, also after a crash, and all of it is in the ledger afterwards."""

import http.client
import json
import queue
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from disk import Ballast
from rig import answers
from rig.gateway import READY_WITHIN, Gateway, binary, edit_section
from rig.upstream import Answer, End, Seen, Upstream
from store import Records

DEADLINE = 60.0
IN_A_ROW = 10  # refusals after which the disk counts as full for good
GLASS = """monitoring:
  break_glass: {statement: Letters cannot wait., use: drafting, groups: [staff], lasts: 60 minutes, reviewer: dpo}
"""
WAITS = "wait for it"


def answer(seen: Seen) -> Answer:
    """At once, but for a prompt that says so: then only the head of the answer comes."""
    if b'"stream": true' in seen.body:
        return answers.chat_stream({"content": "All is well."})
    whole = answers.chat({"content": "All is well."})
    if WAITS in seen.body.decode():
        whole.end, whole.stall_after = End.STALL, 0
    return whole


@dataclass
class Heard:
    status: int
    record: str
    spooled: bool


def begin(gateway: Gateway, use: str | None, prompt: str, stream: bool = False) -> http.client.HTTPConnection:
    """Sends one request."""
    address = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    headers = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"}
    if use is not None:
        headers["ordain-use"] = use
    body = {"model": "scripted-1", "messages": [{"role": "user", "content": prompt}], "stream": stream}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    return connection


def ask(
    gateway: Gateway, use: str | None = "drafting", prompt: str = "Good morning.", stream: bool = False
) -> Heard:
    """One request; of an answer that broke off status 0."""
    connection = begin(gateway, use, prompt, stream)
    try:
        response = connection.getresponse()
        content = response.read()
        assert not stream or response.status != 200 or b"[DONE]" in content
    except (OSError, http.client.HTTPException):
        return Heard(0, "", False)
    finally:
        connection.close()
    told = response.headers
    return Heard(response.status, told.get("ordain-record", ""), told.get("ordain-break-glass") == "spooled")


def ready(gateway: Gateway) -> tuple[int, str]:
    address = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.request("GET", "/readyz")
    response = connection.getresponse()
    return response.status, response.read().decode()


def serve(folder: Path, key: str) -> Gateway:
    """Starts what is there: unlike `up` it makes no key, for which a full disk has no room."""
    log = folder.with_name("served.log")
    command = [str(binary()), "serve", "--dir", str(folder), "--listen", "127.0.0.1:0", "--format", "json"]
    with log.open("ab") as sink:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sink)
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    try:
        told = json.loads(lines.get(timeout=READY_WITHIN))
    except (queue.Empty, ValueError):
        process.kill()
        process.wait()
        raise RuntimeError(log.read_text(errors="replace")[-4000:]) from None
    return Gateway(process, told | {"key": key}, log)


def ordain(folder: Path, *words: str) -> subprocess.CompletedProcess:
    command = [str(binary()), *words, "--dir", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def incident(folder: Path) -> dict | None:
    shown = ordain(folder, "break-glass", "status", "--format", "json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)["incident"]


@pytest.fixture
def world(small_disk: Path, tmp_path: Path):
    """A gateway's folder with a break-glass, its key, and its upstream."""
    with Upstream(answer) as upstream:
        with Gateway.start(small_disk, {"openai": upstream.url}) as first:
            key = first.key
        edit_section(small_disk / "policy" / "policy.yaml", "monitoring", "monitoring:\n", GLASS)
        with (small_disk / "ordain.yaml").open("a") as config:
            config.write(f"break_glass: {{spool: {tmp_path / 'spool'}}}\n")
        yield small_disk, key, upstream


def fill(gateway: Gateway, ballast: Ballast) -> None:
    """Until nothing can be recorded any more."""
    deadline = time.monotonic() + DEADLINE
    in_a_row = 0
    while in_a_row < IN_A_ROW:
        ballast.fill()
        in_a_row = in_a_row + 1 if ask(gateway, use="coding").status == 503 else 0
        assert time.monotonic() < deadline, "the store finds space for ever"


def test_the_named_use_goes_on_through_a_full_disk_and_a_crash(world) -> None:
    folder, key, upstream = world
    ballast = Ballast(folder / "store" / "ballast")
    first = serve(folder, key)
    try:
        assert ask(first).status == 200
        fill(first, ballast)
        before = len(upstream.requests)

        spooled = [*(ask(first) for _ in range(4)), ask(first, stream=True)]
        assert all(heard.status == 200 and heard.spooled for heard in spooled), spooled
        assert len(upstream.requests) == before + 5
        for use in ("coding", None, "nonsense"):
            assert ask(first, use=use).status == 503
        assert len(upstream.requests) == before + 5, "a byte of what could not be recorded reached the upstream"
        status, text = ready(first)
        assert status == 200 and "for the use `drafting` alone" in text, text

        # The intent is in the spool and the request is upstream: then it dies.
        cut = threading.Thread(target=ask, args=(first, "drafting", WAITS))
        upstream.arrived.clear()
        cut.start()
        assert upstream.arrived.wait(30)
        assert upstream.requests[-1].body.decode().find(WAITS) > 0
        lost = upstream.requests[-1].headers["ordain-record"]
    finally:
        first.kill()
    cut.join(30)
    assert not cut.is_alive()
    known = incident(folder)
    assert known and known["records"] == 11 and known["taken"] == 0, known

    with serve(folder, key) as second:
        assert incident(folder)["begun_ms"] == known["begun_ms"], "a start gives no other hour"
        again = ask(second)
        assert again.status == 200 and again.spooled
        assert ask(second, use="coding").status == 503
        # Somebody leaves before the answer comes.
        upstream.arrived.clear()
        left = begin(second, "drafting", WAITS)
        assert upstream.arrived.wait(30)
        gone = upstream.requests[-1].headers["ordain-record"]
        left.close()
        deadline = time.monotonic() + DEADLINE
        while (now := incident(folder))["records"] < 15:
            assert time.monotonic() < deadline, now
        early = ordain(folder, "break-glass", "review", "--as", "dpo@example.com", "--reason", "Too early.")
        assert early.returncode == 1 and "has not taken everything" in early.stderr, early.stderr

        ballast.drop()
        deadline = time.monotonic() + DEADLINE
        while (now := incident(folder))["taken"] < 15:
            assert time.monotonic() < deadline, now
        assert ask(second, use="coding").status == 200
        assert ready(second)[0] == 200

        own = ordain(folder, "break-glass", "review", "--as", "you@example.com", "--reason", "All is well.")
        assert own.returncode == 1 and "may not review it" in own.stderr, own.stderr
        done = ordain(folder, "break-glass", "review", "--as", "dpo@example.com", "--reason", "The disk was full.")
        assert done.returncode == 0, done.stderr
        assert incident(folder) is None

    records = Records.read(folder)
    records.assert_sound()
    for heard in [*spooled, again]:
        assert dict(records.of(heard.record)) == {"intent": 1, "outcome": 1}
    for exchange, ended in ((lost, "unknown"), (gone, "client-gone")):
        assert dict(records.of(exchange)) == {"intent": 1, "outcome": 1}
        shown = json.loads(ordain(folder, "records", "show", exchange, "--format", "json").stdout)
        assert [it["result"] for it in shown["records"] if it["kind"] == "outcome"] == [ended]
    assert not records.open_intents()
    order = [exchange for _, _, kind, exchange in records.rows if kind == "intent"]
    in_order = [order.index(heard.record) for heard in [*spooled, again]]
    assert in_order == sorted(in_order)
    kinds = [kind for _, _, kind, _ in records.rows]
    # A start may find just enough space for what was spooled before it: then there is a gap for each part.
    shown = ordain(folder, "records", "list", "--kind", "gap", "--format", "json")
    gaps = json.loads(shown.stdout)["records"]
    assert sum(gap["records"] for gap in gaps) == 15 and not any(gap["damaged"] or gap["unplaced"] for gap in gaps)
    assert {gap["incident"] for gap in gaps} == {known["id"]}
    assert kinds.count("gap") == len(gaps) and kinds.count("gap-review") == 1
    log = folder.with_name("served.log").read_text()
    assert "the break-glass is open" in log and "has to be reviewed" in log
    assert "Good morning" not in log and key not in log
