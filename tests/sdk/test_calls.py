"""What the policy allows passes unmodified: same bytes to the upstream, same answer to the client, by every way in."""

import json

import pytest

from conftest import World
from rig import answers
from rig.clients import STREAMED, WAYS, Dialect, Way
from rig.upstream import Framing

ANSWER = "The outlook is unchanged: margins held steady, and nothing needs doing."

CHAT_TOOL = {
    "type": "function",
    "function": {
        "name": "find_note",
        "description": "Finds a note by its words.",
        "parameters": {
            "type": "object",
            "properties": {"words": {"type": "string"}, "folder": {"type": "string", "enum": ["inbox", "archive"]}},
            "required": ["words"],
        },
    },
}
MESSAGE_TOOL = {
    "name": "find_note",
    "description": "Finds a note by its words.",
    "input_schema": CHAT_TOOL["function"]["parameters"],
}


def scripted(way: Way, *parts: dict):
    """The answer of these messages (OpenAI: choices) or blocks (Anthropic), in the form that this way asks for."""
    if way.dialect is Dialect.OPENAI:
        return answers.chat_stream(*parts) if way.streamed else answers.chat(*parts)
    return answers.message_stream(*parts) if way.streamed else answers.message(*parts)


def plain(way: Way, words: str):
    return scripted(way, {"content": words} if way.dialect is Dialect.OPENAI else answers.text(words))


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_plain_prompt_passes_unmodified(world: World, way: Way) -> None:
    world.upstream(way.dialect).answers(plain(way, ANSWER))
    said = way.say(world.gateway, "Is there news about the quarter? Größe, 日本, 🙂 and a \\u0041 escape.")
    assert said.text == ANSWER
    assert said.decision == "allow"
    seen = world.upstream(way.dialect).only()
    assert seen.body == said.wire.sent
    assert seen.target == way.dialect.path
    expected = "stop" if way.dialect is Dialect.OPENAI else "end_turn"
    assert said.finish == {0: expected}


@pytest.mark.parametrize("way", [it for it in WAYS if not it.streamed], ids=str)
def test_a_whole_answer_passes_byte_for_byte(world: World, way: Way) -> None:
    answer = plain(way, ANSWER)
    world.upstream(way.dialect).answers(answer)
    said = way.say(world.gateway, "Anything new?")
    assert bytes(said.wire.received) == b"".join(answer.pieces)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_answer_names_its_decision_policy_and_record(world: World, way: Way) -> None:
    said = way.say(world.gateway, "Good morning.")
    headers = said.wire.headers
    assert headers["ordain-decision"] == "allow"
    assert headers["ordain-policy"]
    assert headers["ordain-record"]
    # The upstream's operator can find the same record.
    assert world.upstream(way.dialect).only().headers["ordain-record"] == headers["ordain-record"]


def test_each_answer_has_a_record_of_its_own(world: World) -> None:
    records = [way.say(world.gateway, "Good morning.").wire.headers["ordain-record"] for way in WAYS]
    assert len(set(records)) == len(WAYS)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_virtual_key_stays_here(world: World, way: Way) -> None:
    way.say(world.gateway, "Good morning.")
    assert world.gateway.key.encode() not in world.upstream_bytes()


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_tool_call_goes_round_unmodified(world: World, way: Way) -> None:
    upstream = world.upstream(way.dialect)
    wanted = {"words": "quarterly \"outlook\" – Größe", "folder": "inbox"}
    if way.dialect is Dialect.OPENAI:
        tool = CHAT_TOOL
        upstream.answers(scripted(way, {"tool_calls": [answers.tool_call("find_note", json.dumps(wanted))]}))
    else:
        tool = MESSAGE_TOOL
        upstream.answers(scripted(way, answers.text("Looking."), answers.tool_use("find_note", wanted)))
    first = way.say(world.gateway, "Find my note.", tools=[tool])
    assert first.decision == "allow"
    (name, arguments), *others = first.tools.values()
    assert name == "find_note" and not others
    assert (json.loads(arguments) if isinstance(arguments, str) else arguments) == wanted
    assert first.finish[0] == ("tool_calls" if way.dialect is Dialect.OPENAI else "tool_use")
    assert upstream.only().body == first.wire.sent

    upstream.reset()
    upstream.answers(plain(way, ANSWER))
    second = way.say(world.gateway, _with_tool_result(way.dialect, wanted), tools=[tool])
    assert second.text == ANSWER
    assert upstream.only().body == second.wire.sent


def _with_tool_result(dialect: Dialect, wanted: dict) -> list[dict]:
    asked = {"role": "user", "content": "Find my note."}
    if dialect is Dialect.OPENAI:
        call = answers.tool_call("find_note", json.dumps(wanted))
        return [
            asked,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": "The note says: all is well."},
        ]
    use = answers.tool_use("find_note", wanted)
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": "The note says: all is well."}
    return [asked, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]


@pytest.mark.parametrize("way", [it for it in WAYS if it.dialect is Dialect.OPENAI], ids=str)
def test_three_choices_come_through_apart(world: World, way: Way) -> None:
    words = ["First of three.", "Second of the three.", "Third, and last."]
    world.upstream(way.dialect).answers(scripted(way, *[{"content": it} for it in words]))
    said = way.say(world.gateway, "Say it in three ways.", n=3)
    assert said.texts == dict(enumerate(words))
    assert said.finish == {0: "stop", 1: "stop", 2: "stop"}


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_reasoning_comes_through(world: World, way: Way) -> None:
    if way.dialect is Dialect.OPENAI:
        answer = scripted(way, {"reasoning_content": "Weighing both.", "content": "The second."})
    else:
        answer = scripted(way, answers.thinking("Weighing both."), answers.text("The second."))
    world.upstream(way.dialect).answers(answer)
    said = way.say(world.gateway, "Which one?")
    assert (said.reasoning, said.texts) == ({0: "Weighing both."}, {0: "The second."})


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_refusal_of_the_model_comes_through(world: World, way: Way) -> None:
    if way.dialect is Dialect.OPENAI:
        world.upstream(way.dialect).answers(scripted(way, {"refusal": "I would rather not."}))
        assert way.say(world.gateway, "Do it.").refusals == {0: "I would rather not."}
    else:
        world.upstream(way.dialect).answers(plain(way, "I would rather not."))
        assert way.say(world.gateway, "Do it.").text == "I would rather not."


@pytest.mark.parametrize("framing", Framing, ids=lambda it: it.value)
@pytest.mark.parametrize("cut", [answers.by_words, answers.by_character], ids=["words", "characters"])
@pytest.mark.parametrize("way", STREAMED, ids=str)
def test_framing_changes_no_text(world: World, way: Way, cut, framing: Framing) -> None:
    words = "Größe 42 🙂: 日本 and 7 more.\n\tNew line."
    if way.dialect is Dialect.OPENAI:
        answer = answers.chat_stream({"content": words}, cut=cut, framing=framing)
    else:
        answer = answers.message_stream(answers.text(words), cut=cut, framing=framing)
    world.upstream(way.dialect).answers(answer)
    assert way.say(world.gateway, "Go on.").text == words


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_error_of_the_upstream_raises_as_the_sdk_does(world: World, way: Way) -> None:
    error = {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
    body = {"error": error} if way.dialect is Dialect.OPENAI else {"type": "error", "error": error}
    answer = answers.Answer([answers.compact(body)], status=429)
    world.upstream(way.dialect).answers(answer)
    with pytest.raises(way.dialect.errors.RateLimitError):
        way.say(world.gateway, "Good morning.")
