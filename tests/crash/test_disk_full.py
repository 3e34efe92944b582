"""A store on a full disk: 503, nothing upstream, and it goes on by itself when there is space again."""

import http.client
import itertools
import json
import sqlite3
import time
from pathlib import Path

import httpx2

from conftest import MarkedUpstream
from disk import Ballast
from load import Ledger, Load, ask, connect
from rig.gateway import Gateway
from store import Records

CLIENTS = 4
BEFORE = 40  # finished answers that make it "under load"
IN_A_ROW = 10  # refusals after which the disk counts as full for good: what space the store had left is used up
WHILE_FULL = 30
DEADLINE = 120.0


def test_a_full_disk_refuses_and_recovers(small_disk: Path, upstream: MarkedUpstream) -> None:
    ledger = Ledger()
    ballast = Ballast(small_disk / "store" / "ballast")
    with Gateway.start(small_disk, {"openai": upstream.url}) as gateway:
        deadline = time.monotonic() + DEADLINE

        load = Load(gateway, 0, CLIENTS, ledger)
        while len(ledger.finished) < BEFORE:
            _ask_once(gateway, 1, ledger)
            assert time.monotonic() < deadline, "the load did not get going"
        ballast.fill()
        while not ledger.refused:
            ballast.fill()
            _ask_once(gateway, 2, ledger)
            assert time.monotonic() < deadline, "a full disk refuses nothing"
        load.stop()

        in_a_row = 0
        while in_a_row < IN_A_ROW:
            ballast.fill()
            in_a_row = in_a_row + 1 if _ask_once(gateway, 3, ledger) == 503 else 0
            assert time.monotonic() < deadline, "the store finds space for ever"

        before = set(upstream.records)
        assert [_ask_once(gateway, 4, ledger) for _ in range(WHILE_FULL)] == [503] * WHILE_FULL
        assert set(upstream.records) == before, "a request that could not be recorded reached the upstream"
        assert httpx2.get(gateway.url + "/readyz").status_code == 503
        assert gateway.alive()

        ballast.drop()
        deadline = time.monotonic() + 30
        while _ask_once(gateway, 5, ledger) != 200:
            assert time.monotonic() < deadline, "it does not recover when there is space again"
        assert [_ask_once(gateway, 6, ledger) for _ in range(20)] == [200] * 20
        assert httpx2.get(gateway.url + "/readyz").status_code == 200
    _assert_accounted(ledger, upstream, Records.read(small_disk))


def test_a_version_that_cannot_be_recorded_waits_until_it_can(small_disk: Path, upstream: MarkedUpstream) -> None:
    ledger = Ledger()
    ballast = Ballast(small_disk / "store" / "ballast")
    policy = small_disk / "policy" / "policy.yaml"
    with Gateway.start(small_disk, {"openai": upstream.url}) as gateway:
        deadline = time.monotonic() + DEADLINE
        before = _policy_in_force(gateway)
        in_a_row = 0
        while in_a_row < IN_A_ROW:
            ballast.fill()
            in_a_row = in_a_row + 1 if _ask_once(gateway, 1, ledger) == 503 else 0
            assert time.monotonic() < deadline, "the store finds space for ever"
        policy.write_text(policy.read_text() + "# changed\n")
        while "that it comes into force cannot be recorded" not in gateway.log.read_text():
            ballast.fill()
            time.sleep(0.02)
            assert time.monotonic() < deadline, gateway.log.read_text()
        ballast.drop()
        # Nobody changes the folder again: it is tried until it can be recorded.
        while (now := _policy_in_force(gateway)) in {None, before}:
            time.sleep(0.02)
            assert time.monotonic() < deadline, "it never comes into force"
        assert _ask_once(gateway, 2, ledger) == 200
    assert _judging(small_disk) == [before, now], "each policy is on record before anything is judged by it"


def _policy_in_force(gateway: Gateway) -> str | None:
    ready = httpx2.get(gateway.url + "/readyz")
    lines = ready.text.splitlines()
    return lines[1].removeprefix("policy ") if ready.status_code == 200 else None


def _judging(folder: Path) -> list[str]:
    """The policies that came into force, in that order; each exchange is of one that had by then."""
    with sqlite3.connect(folder / "store" / "ordain.sqlite") as store:
        rows = [json.loads(row[0]) for row in store.execute("SELECT bytes FROM records ORDER BY seq")]
    store.close()
    active: list[str] = []
    for row in rows:
        digest = row.get("policy", {}).get("digest")
        if row["kind"] == "activation":
            active += [] if digest in active else [digest]
        elif digest:
            assert digest in active, row
    return active


_NUMBERS = itertools.count()


def _ask_once(gateway: Gateway, run: int, ledger: Ledger) -> int:
    """The status of one request; 0 when the answer broke off, which promises nothing."""
    connection = connect(gateway)
    marker = f"marker-{run}-999-{next(_NUMBERS)}"
    try:
        return ask(connection, gateway.key, marker, f"{marker} says good morning.", False, ledger)
    except http.client.HTTPException:
        return 0
    finally:
        connection.close()


def _assert_accounted(ledger: Ledger, upstream: MarkedUpstream, records: Records) -> None:
    """Every answer is in the store, and so is every request that left, also of those that were refused afterwards."""
    assert not ledger.odd, ledger.odd[:5]
    records.assert_sound()
    for promise in ledger.finished:
        assert records.of(promise.record), f"{promise} was acknowledged and is not in the store"
    for marker, seen in upstream.records.items():
        kinds = records.of(seen[0])
        assert kinds and kinds["intent"] == 1, f"{marker} reached the upstream without an intent"
    late = [it for it in ledger.refused if it in upstream.records]
    print(
        f"{len(ledger.finished)} answers, {len(ledger.refused)} refusals, of which {len(late)} when the outcome "
        "no longer fitted; all accounted for"
    )
