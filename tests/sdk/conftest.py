"""One gateway over two recording upstreams for all tests, under the starter policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig import answers
from rig.clients import Dialect
from rig.gateway import Gateway
from rig.planted import EMAIL, EVERYTHING
from rig.upstream import Answer, Seen, Upstream


def _plain_answer(seen: Seen) -> Answer:
    """What an upstream says when a test did not script it."""
    streamed = b'"stream":true' in seen.body.replace(b" ", b"")
    if seen.target.startswith("/v1/messages"):
        return (answers.message_stream if streamed else answers.message)(answers.text("All is well."))
    return (answers.chat_stream if streamed else answers.chat)({"content": "All is well."})


@dataclass
class World:
    """The gateway and what stands behind it."""

    gateway: Gateway
    upstreams: dict[Dialect, Upstream]

    def upstream(self, dialect: Dialect) -> Upstream:
        return self.upstreams[dialect]

    def upstream_bytes(self) -> bytes:
        """Every byte that reached any upstream during this test."""
        return b"\n".join(filter(None, (it.raw() for it in self.upstreams.values())))

    def requests_seen(self) -> int:
        return sum(len(it.requests) for it in self.upstreams.values())


def _assert_quiet_log(log: Path) -> None:
    """Process logs hold no content (I6): none of what the tests planted may stand in them."""
    text = log.read_text(errors="replace")
    for planted in EVERYTHING:
        fragment = planted.found_in(text)
        assert fragment is None, f"the log {log} holds `{fragment}` of the planted {planted.name}"
    assert EMAIL not in text, f"the log {log} holds the planted e-mail address"


@pytest.fixture(scope="session")
def upstreams() -> Iterator[dict[Dialect, Upstream]]:
    with Upstream(_plain_answer) as openai_side, Upstream(_plain_answer) as anthropic_side:
        yield {Dialect.OPENAI: openai_side, Dialect.ANTHROPIC: anthropic_side}


@pytest.fixture(scope="session")
def upstream_urls(upstreams: dict[Dialect, Upstream]) -> dict[str, str]:
    return {dialect.value: it.url for dialect, it in upstreams.items()}


@pytest.fixture(scope="session")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory, upstream_urls: dict[str, str]) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("shared") / "ordain"
    with Gateway.start(folder, upstream_urls) as gateway:
        yield gateway
        assert gateway.alive(), f"the gateway ended by itself with {gateway.process.returncode}"
    _assert_quiet_log(gateway.log)


@pytest.fixture
def world(shared_gateway: Gateway, upstreams: dict[Dialect, Upstream]) -> World:
    for upstream in upstreams.values():
        upstream.reset()
    return World(shared_gateway, upstreams)
