"""What the gateway does beside verdicts, as each SDK shows it: a note behind the text, a label, tools that vanish, and values
that come back in place of their tokens."""

import json
from collections.abc import Iterator

import pytest

from conftest import World
from rig.gateway import Gateway, edit_section
from rig.planted import CARD, EMAIL, assert_no_leak
from rig.upstream import Upstream
from scripted import TOOL, Spoken
from test_structured import CHAT, GENAI, LANGCHAIN, RESPONSES
from test_verdicts import WAYS, WITH_TOOLS, assert_went_well
from ways import Ask, Way

TOKEN = "[payment-card-1]"


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory, upstreams: dict[str, Upstream]) -> Iterator[Gateway]:
    """The starter policy with labels, tokens for cards, and a list of tools; coaching stands in answers too."""
    urls = {name: it.url for name, it in upstreams.items()}
    folder = tmp_path_factory.mktemp("beside") / "ordain"
    Gateway.start(folder, urls).stop()
    policy = folder / "policy" / "policy.yaml"
    edit_section(policy, "data", r"\n  matrix:", "\n  tokens: {payment-card: restore}\n  matrix:")
    edit_section(
        policy,
        "acceptable_use",
        r"\n  clauses:\n",
        "\n  outputs: {inherit: highest-input}\n  clauses:\n"
        "    - {id: AU-90, statement: Answers carry a label., owner: dpo, enforced_by: acceptable_use.outputs}\n",
    )
    edit_section(
        policy,
        "access",
        r"\n  clauses:\n",
        "\n  tools: {list: [{tool: find_note}]}\n  clauses:\n"
        "    - {id: AC-90, statement: Only some tools may be called., owner: cto, enforced_by: access.tools}\n",
    )
    with (folder / "ordain.yaml").open("a") as config:
        config.write("\ncoach_note: trailing\n")
    with Gateway.start(folder, urls) as gateway:
        yield gateway


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_note_is_the_end_of_the_text(world: World, beside: Gateway, way: Way) -> None:
    heard = world.say(way, f"Write a short reply to {EMAIL} please.", Spoken("All is well."), gateway=beside)
    assert_went_well(way, heard)
    assert heard.headers["ordain-decision"] == "coach"
    assert heard.text == f"All is well.\n\n{heard.headers['ordain-notice']}"
    assert world.forwarded(way).body == heard.sent


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_without_a_notice_there_is_no_note(world: World, beside: Gateway, way: Way) -> None:
    heard = world.say(way, "Good morning.", Spoken("All is well."), gateway=beside)
    assert_went_well(way, heard)
    assert heard.text == "All is well."
    assert heard.headers["ordain-label"] == "internal"
    assert "ordain-withheld" not in heard.headers


@pytest.mark.parametrize("way", [GENAI, RESPONSES, CHAT, LANGCHAIN], ids=str)
def test_no_note_breaks_an_object(world: World, beside: Gateway, way: Way) -> None:
    spoken = Spoken(json.dumps({"owner": "Ana", "number": TOKEN}))
    heard = world.say(way, f"Whose card is {CARD.value}? Ask {EMAIL}.", spoken, gateway=beside)
    assert heard.error is None, repr(heard.error)
    assert heard.headers["ordain-notice"]
    assert heard.text == f"Ana/{CARD.value}"


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_token_comes_back_as_what_it_stands_for(world: World, beside: Gateway, way: Way) -> None:
    spoken = Spoken(f"You wrote {TOKEN}, and never [payment-card-2].")
    heard = world.say(way, f"Which card was it: {CARD.value}?", spoken, gateway=beside)
    assert_went_well(way, heard)
    assert heard.text == f"You wrote {CARD.value}, and never [payment-card-2]."
    assert heard.headers["ordain-decision"] == "redact"
    assert heard.headers["ordain-label"] == "restricted"
    assert_no_leak(CARD, world.upstream_bytes())
    assert world.forwarded(way).body == heard.sent.replace(CARD.value.encode(), TOKEN.encode())


@pytest.mark.parametrize("way", WITH_TOOLS, ids=str)
def test_a_tool_that_is_not_granted_vanishes_and_cannot_be_called(world: World, beside: Gateway, way: Way) -> None:
    spoken = Spoken("", [{"name": "Ana"}])
    heard = world.say(way, Ask("Look Ana up.", tools=True), spoken, gateway=beside)
    assert heard.headers["ordain-withheld"] == TOOL
    sent = json.loads(world.forwarded(way).body)
    assert TOOL not in json.dumps(sent) and "tools" not in sent and "tool_choice" not in sent
    # The upstream calls it all the same.
    assert not heard.calls or all(arguments in ({}, "") for _, arguments in heard.calls)
    assert b"Ana" not in heard.body
    assert heard.headers["ordain-record"] in heard.body.decode()
