"""One gateway over recording upstreams of all dialects, under the starter policy, and one that blocks answers."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.gateway import Gateway, edit_section
from rig.planted import EMAIL, EVERYTHING
from rig.upstream import Answer, Seen, Upstream
from scripted import Api, Spoken
from ways import Ask, Heard, Way

DIALECTS = ["openai", "azure", "anthropic", "gemini", "ollama"]

SETTINGS = ("OPENAI_", "ANTHROPIC_", "AZURE_", "GOOGLE_", "GEMINI_", "OLLAMA_", "LANGCHAIN_", "LANGSMITH_")


def _unscripted(_seen: Seen) -> Answer:
    return Answer([b'{"error": "this test did not say what to answer"}'], status=418)


def wants_stream(api: Api, seen: Seen) -> bool:
    """Whether a request asks for a stream; a framework may do so where its user does not."""
    if api is Api.GEMINI:
        return ":streamGenerateContent" in seen.target
    return bool(json.loads(seen.body).get("stream", api.upstream == "ollama"))


@dataclass
class World:
    """The gateways and what stands behind them."""

    gateway: Gateway
    blocking: Gateway  # answers with anything restricted are blocked, not masked
    upstreams: dict[str, Upstream]

    def upstream_bytes(self) -> bytes:
        """Every byte that reached any upstream during this test."""
        return b"\n".join(filter(None, (it.raw() for it in self.upstreams.values())))

    def forwarded(self, way: Way) -> Seen:
        """The one request that reached the upstreams; it is the right one's."""
        assert sum(len(it.requests) for it in self.upstreams.values()) == 1
        return self.upstreams[way.api.upstream].only()

    def say(
        self, way: Way, ask: Ask | str, spoken: Spoken | Answer, *, gateway: Gateway | None = None, key: str | None = None
    ) -> Heard:
        """Asks by this way, while the upstream says `spoken`."""
        scripted = isinstance(spoken, Spoken)
        answer = (lambda seen: spoken.answer(way.api, wants_stream(way.api, seen))) if scripted else spoken
        self.upstreams[way.api.upstream].answers(answer)
        gateway = gateway or self.gateway
        return way.say(gateway.url, key or gateway.key, ask)


def _assert_quiet_log(log: Path) -> None:
    """Process logs hold no content (I6): none of what the tests planted may stand in them."""
    text = log.read_text(errors="replace")
    for planted in EVERYTHING:
        fragment = planted.found_in(text)
        assert fragment is None, f"the log {log} holds `{fragment}` of the planted {planted.name}"
    assert EMAIL not in text, f"the log {log} holds the planted e-mail address"


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Frameworks take keys, proxies and tracing from the environment; nothing of that is meant here."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(SETTINGS):
                patch.delenv(name)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("no_proxy", "127.0.0.1")
        yield


@pytest.fixture(scope="session")
def upstreams() -> Iterator[dict[str, Upstream]]:
    made = {it: Upstream(_unscripted) for it in DIALECTS}
    for it in made.values():
        it.__enter__()
    yield made
    for it in made.values():
        it.__exit__(None, None, None)


@pytest.fixture(scope="session")
def gateways(tmp_path_factory: pytest.TempPathFactory, upstreams: dict[str, Upstream]) -> Iterator[tuple]:
    urls = {name: it.url for name, it in upstreams.items()}
    folder = tmp_path_factory.mktemp("gateways")
    Gateway.start(folder / "blocking", urls).stop()
    policy = folder / "blocking" / "policy" / "policy.yaml"
    edit_section(policy, "data", r"(answers: \{.*restricted: )redact\}", r"\1block}")
    with Gateway.start(folder / "starter", urls) as starter, Gateway.start(folder / "blocking", urls) as blocking:
        yield starter, blocking
        for it in (starter, blocking):
            assert it.alive(), f"the gateway ended by itself with {it.process.returncode}"
    for it in (starter, blocking):
        _assert_quiet_log(it.log)


@pytest.fixture
def world(gateways: tuple[Gateway, Gateway], upstreams: dict[str, Upstream]) -> World:
    for upstream in upstreams.values():
        upstream.reset()
    return World(*gateways, upstreams)
