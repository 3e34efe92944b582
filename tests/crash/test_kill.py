"""kill -9 at random moments under load: nothing acknowledged is lost, nothing happened that was not recorded.

`ORDAIN_KILLS` sets the number of rounds (default 100), `ORDAIN_SEED` the sequence of moments.
"""

import os
import random
import time
from pathlib import Path

from conftest import MarkedUpstream
from load import Ledger, Load
from rig.gateway import Gateway
from store import Records

CLIENTS = 8
LATEST = 0.5  # seconds after it is ready; also 0, when the first requests are just on their way


def test_kill_at_random_moments(tmp_path: Path, upstream: MarkedUpstream) -> None:
    rounds = int(os.environ.get("ORDAIN_KILLS", "100"))
    seed = int(os.environ.get("ORDAIN_SEED", "20261123"))
    moments = random.Random(seed)
    folder = tmp_path / "ordain"
    ledger = Ledger()
    for run in range(rounds):
        gateway = Gateway.start(folder, {"openai": upstream.url})
        load = Load(gateway, run, CLIENTS, ledger)
        time.sleep(moments.uniform(0, LATEST))  # the moment itself: the one thing here that is about time
        assert gateway.alive(), f"round {run}: ended by itself with {gateway.process.returncode}"
        gateway.kill()
        load.stop()
    crashed = Records.read(folder)

    with Gateway.start(folder, {"openai": upstream.url}):
        recovered = Records.read(folder)

    print(
        f"{rounds} kills (seed {seed}): {len(ledger.finished)} answers acknowledged, "
        f"{len(upstream.records)} requests upstream, {len(recovered.rows)} records, "
        f"{len(crashed.open_intents())} intents open at the last crash"
    )
    assert not ledger.odd, ledger.odd[:5]
    assert not ledger.refused, f"{len(ledger.refused)} requests were refused with 503 on a healthy machine"
    assert len(ledger.finished) > 5 * rounds, "too little load for the test to mean anything"
    _assert_all_kept(ledger, upstream, recovered)
    assert not recovered.open_intents(), "recovery left intents open"
    # Recovery adds; it changes nothing that was there.
    assert recovered.rows[: len(crashed.rows)] == crashed.rows


def _assert_all_kept(ledger: Ledger, upstream: MarkedUpstream, records: Records) -> None:
    records.assert_sound()
    for promise in ledger.finished:
        kinds = records.of(promise.record)
        assert kinds, f"{promise} was acknowledged and is not in the store"
        if promise.decision == "block":
            assert promise.marker not in upstream.records
        else:
            assert kinds["intent"] == 1 and kinds["outcome"] == 1, (promise, kinds)
            assert upstream.records[promise.marker] == [promise.record], promise
    for marker, record in ledger.begun.items():
        assert records.of(record), f"{marker} was told of record {record}, which is not in the store"
    for marker, seen in upstream.records.items():
        assert len(seen) == 1, f"{marker} reached the upstream {len(seen)} times"
        kinds = records.of(seen[0])
        assert kinds and kinds["intent"] == 1, f"{marker} reached the upstream without an intent ({seen[0]!r})"
