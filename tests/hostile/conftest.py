"""A recording upstream and a gateway over it, for all tests of a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import bare
import running
from rig.gateway import Gateway
from rig.upstream import Upstream


@dataclass
class World:
    """The gateway, the upstream that it believes in, and the folder that it keeps."""

    gateway: Gateway
    upstream: Upstream
    folder: Path

    def talk(self, raw: bytes, then: bytes | None = None) -> bare.Talk:
        """Sends, and after the first answer sends the rest."""
        pieces = [(raw, "")] + ([(then, "ANSWER")] if then is not None else [])
        return bare.talk(running.port(self.gateway), pieces, within=3)

    def ask(self, raw: bytes) -> bare.Answer:
        return bare.ask(running.port(self.gateway), raw)

    def records_of(self, answer: bare.Answer) -> list[dict]:
        """The records of the exchange that an answer names."""
        return running.of_exchange(self.folder, answer.one("ordain-record"))

    def assert_refused(self, answer: bare.Answer, *statuses: int) -> None:
        """Turned away with one of these, nothing upstream, and a refusal on record."""
        assert answer.status in statuses, answer
        assert self.upstream.raw() == b""
        (record,) = self.records_of(answer)
        assert (record["kind"], record["status"]) == ("refusal", answer.status)


@pytest.fixture(scope="module")
def module_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world") / "ordain"
    with (
        Upstream(running.plain_answer) as upstream,
        running.running(folder, upstream.url, one_worker=True) as gateway,
    ):
        yield World(gateway, upstream, folder)


@pytest.fixture
def world(module_world: World) -> World:
    module_world.upstream.reset()
    return module_world
