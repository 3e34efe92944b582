"""An upstream that notes which marker came with which record, and answers at once."""

from collections.abc import Iterator

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
