"""How each verdict looks to the official SDKs."""

import re
from pathlib import Path

import pytest

from conftest import World
from rig import answers
from rig.clients import WAYS, Dialect, Way
from rig.gateway import Gateway, edit_section
from rig.planted import API_KEY, AWS_KEY, CARD, EMAIL, IBAN, PRIVATE_KEY, US_SSN, Planted, assert_no_leak
from rig.upstream import Upstream

MASKED = [CARD, IBAN, US_SSN]
SECRETS = [API_KEY, AWS_KEY, PRIVATE_KEY]


def name_of(planted: object) -> str:
    return planted.name if isinstance(planted, Planted) else str(planted)


def answer_of(way: Way, words: str):
    match way.dialect, way.streamed:
        case Dialect.OPENAI, False:
            return answers.chat({"content": words})
        case Dialect.OPENAI, True:
            return answers.chat_stream({"content": words}, cut=answers.by_character)
        case _, False:
            return answers.message(answers.text(words))
        case _:
            return answers.message_stream(answers.text(words), cut=answers.by_character)


def assert_explained(way: Way, said) -> None:
    """A content block: a normal answer that refuses, and names clause and record."""
    headers = said.wire.headers
    assert said.wire.status == 200
    assert said.decision == "block"
    assert said.finish == {0: "content_filter" if way.dialect is Dialect.OPENAI else "refusal"}
    words = " ".join([*said.texts.values(), *said.refusals.values()])
    assert headers["ordain-clause"]
    assert re.split(r"[,;\s]+", headers["ordain-clause"])[0] in words, words
    assert headers["ordain-record"] in words, words


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_coach_passes_unchanged_with_a_notice(world: World, way: Way) -> None:
    said = way.say(world.gateway, f"Write a short reply to {EMAIL} please.")
    assert said.decision == "coach"
    assert said.wire.headers["ordain-notice"]
    assert said.wire.headers["ordain-clause"]
    assert EMAIL not in said.wire.headers["ordain-notice"]
    assert said.text == "All is well."
    assert world.upstream(way.dialect).only().body == said.wire.sent


@pytest.mark.parametrize("planted", MASKED, ids=name_of)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_redact_masks_the_prompt_and_nothing_else(world: World, way: Way, planted: Planted) -> None:
    said = way.say(world.gateway, f"Größe first: {planted.value} is what they gave me. 🙂")
    assert said.decision == "redact"
    assert said.wire.headers["ordain-clause"]
    assert said.text == "All is well."
    assert_no_leak(planted, world.upstream_bytes())
    # The edit is spliced in: all other bytes are those that the client sent.
    expected = said.wire.sent.replace(planted.value.encode(), planted.mask.encode())
    assert world.upstream(way.dialect).only().body == expected


@pytest.mark.parametrize("planted", SECRETS, ids=name_of)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_block_refuses_and_nothing_leaves(world: World, way: Way, planted: Planted) -> None:
    said = way.say(world.gateway, f"Why is this refused?\n{planted.value}\nPlease help.")
    assert_explained(way, said)
    assert world.requests_seen() == 0
    assert world.upstream_bytes() == b""
    assert_no_leak(planted, bytes(said.wire.received), *said.wire.headers.values())


@pytest.mark.parametrize("planted", [*MASKED, *SECRETS], ids=name_of)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_answer_is_masked(world: World, way: Way, planted: Planted) -> None:
    world.upstream(way.dialect).answers(answer_of(way, f"Here you are: {planted.value} and a good day."))
    said = way.say(world.gateway, "What was it again?")
    assert said.text == f"Here you are: {planted.mask} and a good day."
    assert_no_leak(planted, *answers.everything(bytes(said.wire.received), way.streamed))
    assert said.finish == {0: "stop" if way.dialect is Dialect.OPENAI else "end_turn"}
    if not way.streamed:  # the headers of a stream leave before its text is known
        assert said.decision == "redact"


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_answer_may_hold_what_only_a_prompt_is_coached_for(world: World, way: Way) -> None:
    world.upstream(way.dialect).answers(answer_of(way, f"Write to {EMAIL} then."))
    assert way.say(world.gateway, "Whom do I ask?").text == f"Write to {EMAIL} then."


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_look_alikes_pass(world: World, way: Way) -> None:
    last = str((int(CARD.value[-1]) + 1) % 10)
    said = way.say(world.gateway, f"Invoice {CARD.value[:-1]}{last} of order 20261123, ticket sk-ant-none.")
    assert said.decision == "allow"
    assert world.upstream(way.dialect).only().body == said.wire.sent


@pytest.fixture(scope="module")
def closed_gateway(tmp_path_factory: pytest.TempPathFactory, upstream_urls: dict[str, str]):
    """A gateway whose grants reach no sanctioned app."""
    folder: Path = tmp_path_factory.mktemp("closed") / "ordain"
    Gateway.start(folder, upstream_urls).stop()
    edit_section(folder / "policy" / "policy.yaml", "access", r"class:\s*sanctioned", "class: tolerated")
    with Gateway.start(folder, upstream_urls) as gateway:
        yield gateway


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_access_is_refused_with_403(closed_gateway: Gateway, world: World, way: Way) -> None:
    with pytest.raises(way.dialect.errors.PermissionDeniedError) as refused:
        way.say(closed_gateway, "Good morning.")
    headers = refused.value.response.headers
    assert headers["ordain-decision"] == "block"
    assert "access" in headers["ordain-clause"] or headers["ordain-clause"].startswith("AC-")
    assert headers["ordain-record"]
    assert world.upstream_bytes() == b""


def test_a_second_start_finds_what_the_first_made(tmp_path: Path, upstreams: dict[Dialect, Upstream]) -> None:
    urls = {dialect.value: it.url for dialect, it in upstreams.items()}
    way = WAYS[0]
    with Gateway.start(tmp_path / "ordain", urls) as first:
        policy = way.say(first, "Good morning.").wire.headers["ordain-policy"]
    with Gateway.start(tmp_path / "ordain", urls) as second:
        assert way.say(second, "Good morning.").wire.headers["ordain-policy"] == policy


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_an_upstream_url_joins_without_a_double_v1(
    tmp_path: Path, upstreams: dict[Dialect, Upstream], suffix: str
) -> None:
    way = WAYS[0]
    upstream = upstreams[way.dialect]
    upstream.reset()
    with Gateway.start(tmp_path / "ordain", {"openai": upstream.url + suffix}) as gateway:
        way.say(gateway, "Good morning.")
    assert upstream.only().target == "/v1/chat/completions"
