"""Tokens in the arguments of tools, and what stays in a list of tools, by the official SDKs."""

import json
from collections.abc import Iterator

import pytest

from conftest import World
from rig.clients import WAYS, Dialect, Way
from rig.gateway import Gateway, edit_section
from rig.planted import CARD, IBAN, assert_no_leak
from test_calls import CHAT_TOOL, MESSAGE_TOOL, scripted
from rig import answers


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory, upstream_urls: dict[str, str]) -> Iterator[Gateway]:
    """The starter policy with tokens and a list of tools."""
    folder = tmp_path_factory.mktemp("beside") / "ordain"
    Gateway.start(folder, upstream_urls).stop()
    policy = folder / "policy" / "policy.yaml"
    edit_section(policy, "data", r"\n  matrix:", "\n  tokens: {payment-card: restore, iban: reversible}\n  matrix:")
    edit_section(
        policy,
        "access",
        r"\n  clauses:\n",
        "\n  tools: {list: [{tool: find_note}]}\n  clauses:\n"
        "    - {id: AC-90, statement: Only some tools may be called., owner: cto, enforced_by: access.tools}\n",
    )
    with Gateway.start(folder, upstream_urls) as gateway:
        yield gateway


def named(tool: dict, name: str) -> dict:
    """The same tool by another name."""
    if "function" in tool:
        return {**tool, "function": {**tool["function"], "name": name}}
    return {**tool, "name": name}


def names(way: Way, body: bytes) -> list[str]:
    tools = json.loads(body).get("tools", [])
    return [it["function"]["name"] if way.dialect is Dialect.OPENAI else it["name"] for it in tools]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_arguments_come_back_with_what_their_tokens_stand_for(world: World, beside: Gateway, way: Way) -> None:
    upstream = world.upstream(way.dialect)
    made = {"words": 'card "[payment-card-1]"', "folder": "[iban-1]"}
    if way.dialect is Dialect.OPENAI:
        tool = CHAT_TOOL
        upstream.answers(scripted(way, {"tool_calls": [answers.tool_call("find_note", json.dumps(made))]}))
    else:
        tool = MESSAGE_TOOL
        upstream.answers(scripted(way, answers.tool_use("find_note", made)))
    tools = [named(tool, "wipe_disk"), tool]
    said = way.say(beside, f"Find the note on {CARD.value} and {IBAN.value}.", tools=tools)
    (name, arguments), *others = said.tools.values()
    assert name == "find_note" and not others
    got = json.loads(arguments) if isinstance(arguments, str) else arguments
    # Answers mask accounts, so what is `reversible` stays a token there; what is to be restored is.
    assert got == {"words": f'card "{CARD.value}"', "folder": "[iban-1]"}
    assert said.wire.headers["ordain-withheld"] == "wipe_disk"
    assert_no_leak(CARD, world.upstream_bytes())
    assert_no_leak(IBAN, world.upstream_bytes())
    assert names(way, upstream.only().body) == ["find_note"]

    # What the application sends back is masked with the same tokens again.
    upstream.reset()
    upstream.answers(scripted(way, {"content": "Found."} if way.dialect is Dialect.OPENAI else answers.text("Found.")))
    history = [{"role": "user", "content": f"Find the note on {CARD.value} and {IBAN.value}."}]
    if way.dialect is Dialect.OPENAI:
        call = answers.tool_call("find_note", json.dumps(got))
        history += [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": "None."},
        ]
    else:
        history += [
            {"role": "assistant", "content": [answers.tool_use("find_note", got)]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_0000", "content": "None."}]},
        ]
    again = way.say(beside, history, tools=[tool])
    assert again.text == "Found."
    body = json.loads(upstream.only().body)
    assert body["messages"][0]["content"] == "Find the note on [payment-card-1] and [iban-2]."
    sent = json.dumps(body["messages"][1])
    assert "[payment-card-1]" in sent
    assert_no_leak(CARD, world.upstream_bytes())


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_choice_of_what_vanished_is_none(world: World, beside: Gateway, way: Way) -> None:
    tool = CHAT_TOOL if way.dialect is Dialect.OPENAI else MESSAGE_TOOL
    wiping = named(tool, "wipe_disk")
    choice = (
        {"type": "function", "function": {"name": "wipe_disk"}}
        if way.dialect is Dialect.OPENAI
        else {"type": "tool", "name": "wipe_disk"}
    )
    said = way.say(beside, "Clean up.", tools=[tool, wiping], tool_choice=choice)
    assert said.text == "All is well."
    seen = world.upstream(way.dialect).only().body
    assert names(way, seen) == ["find_note"] and "tool_choice" not in json.loads(seen)
    world.upstream(way.dialect).reset()
    way.say(beside, "Clean up.", tools=[wiping], tool_choice=choice)
    assert not {"tools", "tool_choice"} & set(json.loads(world.upstream(way.dialect).only().body))
