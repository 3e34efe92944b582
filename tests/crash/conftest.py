"""An upstream that notes which marker came with which record, and answers at once; and a small disk.

The disk needs root for a tmpfs of 16 MiB; `ORDAIN_SKIP_DISK_FULL=1` leaves what needs it out on purpose.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from load import MARKER
from rig import answers
from rig.upstream import Answer, Seen, Upstream


class MarkedUpstream(Upstream):
    """Keeps the `ordain-record` of each marker instead of the requests, of which there are many."""

    def __init__(self) -> None:
        super().__init__(self._answer_marked)
        self.records: dict[str, list[str]] = {}
        whole, stream = answers.chat({"content": "All is well."}), answers.chat_stream({"content": "All is well."})
        self._whole, self._stream = whole, stream

    def _answer_marked(self, seen: Seen) -> Answer:
        self.requests.clear()
        for connection in self.connections:
            connection.raw.clear()
        marker = MARKER.search(seen.body.decode())
        assert marker, "a request without a marker"
        self.records.setdefault(marker.group(), []).append(seen.headers.get("ordain-record", ""))
        return self._stream if b'"stream": true' in seen.body else self._whole


@pytest.fixture
def upstream() -> Iterator[MarkedUpstream]:
    with MarkedUpstream() as it:
        yield it


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder for `up` whose store lies on 16 MiB."""
    if os.environ.get("ORDAIN_SKIP_DISK_FULL") == "1":
        pytest.skip("ORDAIN_SKIP_DISK_FULL is set")
    if os.geteuid() != 0:
        pytest.fail("mounting a small tmpfs needs root; set ORDAIN_SKIP_DISK_FULL=1 to leave this test out")
    folder = tmp_path / "ordain"
    store = folder / "store"
    store.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", str(store)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(store)], check=True)
