"""No false joins: what belongs to different channels of an answer is never read as one text."""

import json

import pytest

from conftest import World
from rig import answers
from rig.clients import Dialect, post
from rig.planted import CARD
from rig.upstream import Answer

FIRST, SECOND = CARD.value[:8], CARD.value[8:]
PROMPT = {"model": "scripted-1", "max_tokens": 9, "messages": [{"role": "user", "content": "Go on."}]}

# The halves of a card in two channels. Taking turns, a wrong join would see the whole number.
CHAT_HALVES: dict[str, list[dict]] = {
    "two-choices": [{"content": FIRST}, {"content": SECOND}],
    "first-and-third-choice": [{"content": FIRST}, {"content": "So."}, {"content": SECOND}],
    "reasoning-and-text": [{"reasoning_content": FIRST, "content": SECOND}],
    "text-and-refusal": [{"content": FIRST, "refusal": SECOND}],
    "text-and-arguments": [
        {"content": FIRST, "tool_calls": [answers.tool_call("a", json.dumps({"n": SECOND}))]},
    ],
    "two-calls": [
        {
            "tool_calls": [
                answers.tool_call("a", json.dumps({"n": FIRST}), 0),
                answers.tool_call("b", json.dumps({"n": SECOND}), 1),
            ]
        }
    ],
}
MESSAGE_HALVES: dict[str, list[dict]] = {
    "thinking-and-text": [answers.thinking(FIRST), answers.text(SECOND)],
    "text-and-input": [answers.text(FIRST), answers.tool_use("a", {"n": SECOND})],
    "two-inputs": [answers.tool_use("a", {"n": FIRST}, 0), answers.tool_use("b", {"n": SECOND}, 1)],
}


def _ask(world: World, dialect: Dialect, answer: Answer) -> bytes:
    world.upstream(dialect).answers(answer)
    body = answers.compact(PROMPT | ({"stream": True} if answer.is_stream else {}))
    return bytes(post(world.gateway, dialect.path, body).received)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("halves", CHAT_HALVES)
def test_chat_channels_are_not_joined(world: World, halves: str, streamed: bool) -> None:
    parts = CHAT_HALVES[halves]
    answer = answers.chat_stream(*parts, cut=answers.by_character) if streamed else answers.chat(*parts)
    _assert_same(answer, _ask(world, Dialect.OPENAI, answer))


@pytest.mark.parametrize("streamed", ["whole", "in-order", "interleaved"])
@pytest.mark.parametrize("halves", MESSAGE_HALVES)
def test_message_blocks_are_not_joined(world: World, halves: str, streamed: str) -> None:
    parts = MESSAGE_HALVES[halves]
    if streamed == "whole":
        answer = answers.message(*parts)
    else:
        answer = answers.message_stream(*parts, cut=answers.by_character, interleaved=streamed == "interleaved")
    _assert_same(answer, _ask(world, Dialect.ANTHROPIC, answer))


def _assert_same(answer: Answer, received: bytes) -> None:
    """Every channel of the answer reads as it was sent."""
    sent = b"".join(answer.pieces)
    expected = _channel_texts(sent, answer.is_stream)
    assert any(FIRST in it for it in expected.values()) and any(SECOND in it for it in expected.values())
    assert _channel_texts(received, answer.is_stream) == expected


_TEXT_FIELDS = {"content", "refusal", "reasoning_content", "arguments", "text", "thinking", "partial_json", "n"}


def _channel_texts(raw: bytes, streamed: bool) -> dict[tuple, str]:
    return {path: text for path, text in answers.channels(raw, streamed).items() if text and path[-1] in _TEXT_FIELDS}


def test_three_interleaved_choices_are_each_masked_at_their_own_place(world: World) -> None:
    words = [f"One {CARD.value} here.", f"And two: {CARD.value}.", f"{CARD.value} is the third."]
    answer = answers.chat_stream(*[{"content": it} for it in words], cut=answers.by_character)
    texts = _channel_texts(_ask(world, Dialect.OPENAI, answer), True)
    said = [text for path, text in sorted(texts.items()) if path[-1] == "content"]
    assert said == [it.replace(CARD.value, CARD.mask) for it in words]


def test_a_value_split_within_its_own_channel_is_masked_through_the_noise(world: World) -> None:
    """The card goes on in choice 0 after every turn of the others, which say digits too."""
    parts = [{"content": f"Card {CARD.value} ends."}, {"content": "1234 5678 " * 3}, {"content": "0000 " * 5}]
    answer = answers.chat_stream(*parts, cut=answers.by_character)
    texts = _channel_texts(_ask(world, Dialect.OPENAI, answer), True)
    said = [text for path, text in sorted(texts.items()) if path[-1] == "content"]
    assert said == [f"Card {CARD.mask} ends.", parts[1]["content"], parts[2]["content"]]


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_successive_answers_are_not_joined(world: World, dialect: Dialect) -> None:
    for half in (FIRST, SECOND):
        if dialect is Dialect.OPENAI:
            answer = answers.chat_stream({"content": half})
        else:
            answer = answers.message_stream(answers.text(half))
        _assert_half(answer, _ask(world, dialect, answer), half)


def _assert_half(answer: Answer, received: bytes, half: str) -> None:
    assert half in _channel_texts(received, answer.is_stream).values()
