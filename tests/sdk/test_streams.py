"""Streams that go wrong: a client is told, and never left hanging."""

import json

import httpx2
import pytest

from conftest import World
from rig import answers
from rig.clients import PATIENCE, STREAMED, Dialect, Way, post
from rig.planted import API_KEY, CARD, assert_no_leak
from rig.upstream import Answer, End

PROMPT = {"model": "scripted-1", "max_tokens": 9, "messages": [{"role": "user", "content": "Go on."}], "stream": True}
LONG = "A sentence that says nothing in particular, again and again. " * 40


def _stream(dialect: Dialect, words: str, end: End = End.CLEAN) -> Answer:
    if dialect is Dialect.OPENAI:
        return answers.chat_stream({"content": words}, end=end)
    return answers.message_stream(answers.text(words), end=end)


@pytest.mark.parametrize("way", STREAMED, ids=str)
def test_a_blocked_stream_ends_at_once(world: World, way: Way) -> None:
    said = way.say(world.gateway, f"Use {API_KEY.value} for it.")
    assert said.finish == {0: "content_filter" if way.dialect is Dialect.OPENAI else "refusal"}
    assert world.upstream_bytes() == b""


@pytest.mark.parametrize("way", STREAMED, ids=str)
def test_a_stream_stopped_in_the_middle_ends(world: World, way: Way) -> None:
    """A tool name cannot be masked: the stream stops, by a refusal or by an error that the SDK raises."""
    name = CARD.value
    if way.dialect is Dialect.OPENAI:
        answer = answers.chat_stream({"content": LONG, "tool_calls": [answers.tool_call(name, "{}")]})
    else:
        answer = answers.message_stream(answers.text(LONG), answers.tool_use(name, {}))
    world.upstream(way.dialect).answers(answer)
    try:
        said = way.say(world.gateway, "Go on.")
    except way.dialect.errors.APIError as refused:
        assert_no_leak(CARD, str(refused))
    else:
        assert said.finish[0] in ("content_filter", "refusal")
        assert_no_leak(CARD, *answers.everything(bytes(said.wire.received), True))


@pytest.mark.parametrize("way", STREAMED, ids=str)
def test_a_stream_cut_by_the_upstream_is_not_taken_for_whole(world: World, way: Way) -> None:
    world.upstream(way.dialect).answers(_stream(way.dialect, LONG, End.CUT))
    try:
        said = way.say(world.gateway, "Go on.")
    except (way.dialect.errors.APIError, httpx2.HTTPError):
        return
    assert said.finish.get(0) not in ("stop", "end_turn")


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_a_cut_does_not_flush_what_was_held_back(world: World, dialect: Dialect) -> None:
    """A card that lacks its last digit may still become one; a stream that breaks there must not release it as text."""
    world.upstream(dialect).answers(_stream(dialect, f"{LONG} {CARD.value}", End.CUT))
    wire_bytes = b""
    try:
        wire_bytes = bytes(post(world.gateway, dialect.path, answers.compact(PROMPT)).received)
    except httpx2.HTTPError:
        pass
    assert_no_leak(CARD, wire_bytes)


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_a_stream_without_its_last_event_is_not_taken_for_whole(world: World, dialect: Dialect) -> None:
    answer = _stream(dialect, LONG)
    answer.pieces = answer.pieces[:-3]  # finish reason, usage and end are gone; the HTTP body is complete
    world.upstream(dialect).answers(answer)
    raw = b""
    try:
        raw = bytes(post(world.gateway, dialect.path, answers.compact(PROMPT)).received)
    except httpx2.HTTPError:
        pass
    assert b'"finish_reason":"stop"' not in raw and b'"stop_reason":"end_turn"' not in raw


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_text_is_not_held_until_the_end(world: World, dialect: Dialect) -> None:
    """Most of what was said must be with the client while the upstream is still silent in the middle."""
    answer = _stream(dialect, LONG)
    answer.end, answer.stall_after = End.STALL, len(answer.pieces) * 3 // 4
    upstream = world.upstream(dialect)
    upstream.answers(answer)
    received = b""
    with httpx2.Client(timeout=PATIENCE) as client:
        headers = {"x-api-key": world.gateway.key}
        with client.stream("POST", world.gateway.url + dialect.path, json=PROMPT, headers=headers) as response:
            pieces = response.iter_bytes()
            while received.count(b"sentence") < LONG.count("sentence") // 2:
                received += next(pieces)
            upstream.release()
            received += b"".join(pieces)
    assert "".join(_said(dialect, received)) == LONG


def _said(dialect: Dialect, raw: bytes) -> list[str]:
    if dialect is Dialect.OPENAI:
        return [choice["delta"].get("content") or "" for it in answers.events(raw) for choice in it["choices"]]
    return [it["delta"].get("text", "") for it in answers.events(raw) if it["type"] == "content_block_delta"]


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_a_client_that_leaves_takes_the_upstream_with_it(world: World, dialect: Dialect) -> None:
    upstream = world.upstream(dialect)
    answer = _stream(dialect, LONG)
    answer.end, answer.stall_after = End.STALL, len(answer.pieces) // 2
    upstream.answers(answer)
    with httpx2.Client(timeout=PATIENCE) as client:
        headers = {"x-api-key": world.gateway.key}
        with client.stream("POST", world.gateway.url + dialect.path, json=PROMPT, headers=headers) as response:
            next(response.iter_bytes())
            busy = [it for it in upstream.connections if it.raw]
    assert len(busy) == 1
    # One second is the rule; what is over it pays for a loaded machine.
    assert busy[0].closed.wait(3), "the upstream connection outlived its client"


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_an_upstream_that_cannot_be_reached_is_502(world: World, dialect: Dialect) -> None:
    """The connection closes before any answer."""

    def leave(_seen: object) -> Answer:
        raise ConnectionResetError

    world.upstream(dialect).answers(leave)
    wire = post(world.gateway, dialect.path, answers.compact({**PROMPT, "stream": False}))
    assert wire.status == 502
    assert json.loads(wire.received)["error"]["message"]
