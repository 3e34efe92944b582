"""Threat A9: every string of a request is seen, in fields that are known and in those that nobody has heard of.

The schemas of `schemas/` say in this project's own words what requests of three APIs can hold. A canary is put into each
place that can hold text, as a value, as a key and as a member that no schema names, one request for each place; and what
cannot be read as text is allowed here, so that only what is found in it stops a request. `scripts/eval/canary` does the
same by the description that OpenAI publishes.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import canary
from canary import ENDPOINTS, Schemas
from rig.gateway import Gateway
from rig.upstream import Upstream

AT_LEAST = {"anthropic-messages": 700, "gemini-generate-content": 1200, "ollama-chat": 280}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Upstream]]:
    with canary.world(tmp_path_factory.mktemp("canary") / "ordain") as it:
        yield it


@pytest.mark.parametrize("api", AT_LEAST)
def test_no_canary_goes_upstream_unseen(world: tuple[Gateway, Upstream], api: str) -> None:
    described = json.loads((Path(__file__).parent / "schemas" / f"{api}.json").read_text())
    fates = canary.send(*world, ENDPOINTS[api], Schemas(described["definitions"]), described["request"])
    print("\n" + canary.HEADER + "\n" + fates.row(api))
    assert fates.unseen == [] and fates.other == []
    assert fates.sent >= AT_LEAST[api] and fates.masked > fates.sent / 5
    assert fates.malformed < fates.sent / 50, "most of them have to be requests that the gateway can read"


def test_a_canary_that_nobody_looks_for_goes_upstream(world: tuple[Gateway, Upstream]) -> None:
    """What this file relies on: a text that no policy minds arrives, wherever it stands."""
    described = json.loads((Path(__file__).parent / "schemas" / "ollama-chat.json").read_text())
    schemas = Schemas(described["definitions"], canary="Note this well.")
    fates = canary.send(*world, ENDPOINTS["ollama-chat"], schemas, described["request"])
    assert fates.masked > fates.sent * 0.9, "the harmless word is not sent on"
