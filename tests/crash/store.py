"""The store as a file: read with SQLite alone, so that the product's own reading code is not what vouches for it."""

import sqlite3
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

FILE = "ordain.sqlite"
KINDS = {
    1: "intent",
    2: "outcome",
    3: "refusal",
    4: "approval",
    5: "denial",
    6: "activation",
    7: "gap",
    8: "gap-review",
}


def _id(value: bytes) -> str:
    return str(uuid.UUID(bytes=value))


@dataclass
class Records:
    """All records, and for each exchange which kinds of record it has."""

    rows: list[tuple[int, str, str, str]]  # seq, id, kind, exchange
    kinds: dict[str, Counter]
    exchange_of: dict[str, str]  # by record id and by exchange id

    @classmethod
    def read(cls, folder: Path) -> "Records":
        path = folder / "store" / FILE
        # Not read-only: after a crash SQLite has to be able to replay the write-ahead log.
        connection = sqlite3.connect(path, timeout=30)
        try:
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            assert verdict == "ok", verdict
            found = connection.execute("SELECT seq, id, kind, exchange FROM records ORDER BY seq").fetchall()
        finally:
            connection.close()
        rows = [(seq, _id(record), KINDS[kind], _id(exchange)) for seq, record, kind, exchange in found]
        kinds: dict[str, Counter] = {}
        exchange_of: dict[str, str] = {}
        for _seq, record, kind, exchange in rows:
            kinds.setdefault(exchange, Counter())[kind] += 1
            exchange_of[record] = exchange
            exchange_of.setdefault(exchange, exchange)
        return cls(rows, kinds, exchange_of)

    def of(self, record: str) -> Counter | None:
        """The kinds of record that the exchange of this `ordain-record` has."""
        exchange = self.exchange_of.get(str(uuid.UUID(record)))
        return None if exchange is None else self.kinds[exchange]

    def assert_sound(self) -> None:
        """What holds of any store: no gaps, at most one of each kind an exchange, no outcome without its intent."""
        numbers = [seq for seq, *_ in self.rows]
        assert numbers == list(range(len(numbers))), "a gap in `seq`, or a beginning that is gone"
        assert len({record for _, record, _, _ in self.rows}) == len(self.rows), "a record id occurs twice"
        for exchange, kinds in self.kinds.items():
            assert kinds["intent"] <= 1 and kinds["outcome"] <= 1, (exchange, kinds)
            assert kinds["intent"] or not kinds["outcome"], f"{exchange} has an outcome without an intent"

    def open_intents(self) -> list[str]:
        return [it for it, kinds in self.kinds.items() if kinds["intent"] and not kinds["outcome"]]
