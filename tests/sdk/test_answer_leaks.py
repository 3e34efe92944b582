"""A planted value in every place of an answer, whole and streamed: it never reaches the client."""

import json
from collections.abc import Callable

import pytest

from conftest import World
from rig import answers
from rig.clients import Dialect, Wire, post
from rig.planted import API_KEY, CARD, Planted, assert_no_leak
from rig.upstream import Answer, Framing

PROMPT = {"model": "scripted-1", "max_tokens": 9, "messages": [{"role": "user", "content": "Go on."}]}

# How the answer comes: not as a stream, or as one with these cuts and this framing.
FORMS: dict[str, tuple[answers.Cut, Framing] | None] = {
    "whole": None,
    "by-character": (answers.by_character, Framing.WHOLE),
    "by-character-one-byte-chunks": (answers.by_character, Framing.BYTE_CHUNKS),
    "by-character-one-byte-writes": (answers.by_character, Framing.TINY_WRITES),
    "by-words": (answers.by_words, Framing.WHOLE),
}
STREAMS = [it for it in FORMS if FORMS[it]]


def _call(arguments: object) -> dict:
    encoded = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"tool_calls": [answers.tool_call("find_note", encoded)]}


def _words(value: str) -> str:
    return f"Look, {value} it is."


# Each place as the messages of an answer's choices.
CHAT_PLACES: dict[str, Callable[[str], list[dict]]] = {
    "text": lambda it: [{"content": _words(it)}],
    "text-alone": lambda it: [{"content": it}],
    "refusal": lambda it: [{"refusal": _words(it)}],
    "reasoning-content": lambda it: [{"reasoning_content": _words(it), "content": "So."}],
    "reasoning": lambda it: [{"reasoning": _words(it), "content": "So."}],
    "invented": lambda it: [{"x_note": _words(it), "content": "So."}],
    "arguments": lambda it: [_call({"words": _words(it)})],
    "arguments-deep": lambda it: [_call({"a": [{"b": [_words(it)]}]})],
    "arguments-escaped": lambda it: [_call('{"words":"' + "".join(f"\\u{ord(c):04x}" for c in it) + '"}')],
    "second-call": lambda it: [
        {"tool_calls": [answers.tool_call("a", "{}", 0), answers.tool_call("b", json.dumps({"w": _words(it)}), 1)]}
    ],
    "first-of-three": lambda it: [{"content": _words(it)}, {"content": "So."}, {"content": "And so."}],
    "second-of-three": lambda it: [{"content": "So."}, {"content": _words(it)}, {"content": "And so."}],
    "third-of-three": lambda it: [{"content": "So."}, {"content": "And so."}, {"content": _words(it)}],
    "all-of-three": lambda it: [{"content": _words(it)}] * 3,
    "all-channels": lambda it: [{"reasoning_content": _words(it), "content": _words(it)} | _call({"w": _words(it)})],
}

MESSAGE_PLACES: dict[str, Callable[[str], list[dict]]] = {
    "text": lambda it: [answers.text(_words(it))],
    "text-alone": lambda it: [answers.text(it)],
    "second-text": lambda it: [answers.text("So."), answers.text(_words(it))],
    "thinking": lambda it: [answers.thinking(_words(it)), answers.text("So.")],
    "input": lambda it: [answers.tool_use("find_note", {"words": _words(it)})],
    "input-deep": lambda it: [answers.tool_use("find_note", {"a": [{"b": [_words(it)]}]})],
    "second-use": lambda it: [answers.tool_use("a", {}, 0), answers.tool_use("b", {"words": _words(it)}, 1)],
    "all-blocks": lambda it: [
        answers.thinking(_words(it)),
        answers.text(_words(it)),
        answers.tool_use("find_note", {"words": _words(it)}),
    ],
}

PLACES = [(Dialect.OPENAI, it) for it in CHAT_PLACES] + [(Dialect.ANTHROPIC, it) for it in MESSAGE_PLACES]


def _label(value: object) -> str:
    match value:
        case Dialect():
            return value.value
        case Planted():
            return value.name
    return str(value)


def _scripted(dialect: Dialect, parts: list[dict], form: str) -> Answer:
    whole, stream = (
        (answers.chat, answers.chat_stream) if dialect is Dialect.OPENAI else (answers.message, answers.message_stream)
    )
    if FORMS[form] is None:
        return whole(*parts)
    cut, framing = FORMS[form]
    return stream(*parts, cut=cut, framing=framing)


def _ask(world: World, dialect: Dialect, answer: Answer, **more: object) -> Wire:
    world.upstream(dialect).answers(answer)
    body = answers.compact(PROMPT | more | ({"stream": True} if answer.is_stream else {}))
    wire = post(world.gateway, dialect.path, body)
    assert wire.status == 200, bytes(wire.received)
    return wire


def _texts(wire: Wire, answer: Answer) -> list[str]:
    return answers.everything(bytes(wire.received), answer.is_stream)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("planted", [CARD, API_KEY], ids=_label)
@pytest.mark.parametrize(("dialect", "place"), PLACES, ids=_label)
def test_an_answer_never_leaks(world: World, dialect: Dialect, place: str, planted: Planted, form: str) -> None:
    build = (CHAT_PLACES if dialect is Dialect.OPENAI else MESSAGE_PLACES)[place]
    parts = build(planted.value)
    answer = _scripted(dialect, parts, form)
    wire = _ask(world, dialect, answer, **({"n": 3} if len(parts) == 3 and dialect is Dialect.OPENAI else {}))
    texts = _texts(wire, answer)
    assert_no_leak(planted, *texts)
    if place == "invented" and _refused(dialect, bytes(wire.received), answer.is_stream):
        return  # a field that nobody knows may also stop the answer
    # Masked where it stood, once for each time that it was said. The first text is the bytes themselves.
    expected = json.dumps(parts, ensure_ascii=False).count(planted.value) or 1
    channels = answers.channels(bytes(wire.received), answer.is_stream)
    assert sum(it.count(planted.mask) for it in channels.values()) == expected, channels
    if answer.is_stream and dialect is Dialect.OPENAI:
        assert bytes(wire.received).rstrip().endswith(b"data: [DONE]")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("dialect", "parts"),
    [
        pytest.param(Dialect.OPENAI, [_call({"amount": int(CARD.value)})], id="openai-arguments"),
        pytest.param(Dialect.OPENAI, [_call({"amounts": [1, [int(CARD.value)]]})], id="openai-arguments-list"),
        pytest.param(Dialect.OPENAI, [{"content": "So.", "x_note": int(CARD.value)}], id="openai-invented"),
        pytest.param(Dialect.ANTHROPIC, [answers.tool_use("a", {"amount": int(CARD.value)})], id="anthropic-input"),
    ],
)
def test_a_number_never_leaks(world: World, dialect: Dialect, parts: list[dict], form: str) -> None:
    answer = _scripted(dialect, parts, form)
    assert_no_leak(CARD, *_texts(_ask(world, dialect, answer), answer))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("planted", [CARD, API_KEY], ids=_label)
@pytest.mark.parametrize(
    ("dialect", "build"),
    [
        pytest.param(Dialect.OPENAI, lambda it: [_call({it: 1})], id="openai-arguments-key"),
        pytest.param(
            Dialect.OPENAI, lambda it: [{"tool_calls": [answers.tool_call(it, "{}")]}], id="openai-tool-name"
        ),
        pytest.param(
            Dialect.OPENAI,
            lambda it: [{"tool_calls": [answers.tool_call("a", "{}") | {"id": it}]}],
            id="openai-call-id",
        ),
        pytest.param(Dialect.ANTHROPIC, lambda it: [answers.tool_use("a", {it: 1})], id="anthropic-input-key"),
        pytest.param(Dialect.ANTHROPIC, lambda it: [answers.tool_use(it, {})], id="anthropic-tool-name"),
    ],
)
def test_what_cannot_be_spliced_stops_the_answer(world: World, dialect: Dialect, build, planted, form: str) -> None:
    answer = _scripted(dialect, build(planted.value), form)
    wire = _ask(world, dialect, answer)
    assert_no_leak(planted, *_texts(wire, answer))
    assert _refused(dialect, bytes(wire.received), answer.is_stream)


def _refused(dialect: Dialect, raw: bytes, streamed: bool) -> bool:
    """Whether the answer ends as a content block does, or in an error event of the API."""
    documents = answers.events(raw) if streamed else [json.loads(raw)]
    if any(it.get("error") for it in documents):
        return True
    if dialect is Dialect.OPENAI:
        return any(choice.get("finish_reason") == "content_filter" for it in documents for choice in it["choices"])
    return any((it.get("delta") or it).get("stop_reason") == "refusal" for it in documents)


@pytest.mark.parametrize("size", [1, 3, 4])
@pytest.mark.parametrize("planted", [CARD, API_KEY], ids=_label)
def test_log_probabilities_do_not_tell_what_was_masked(world: World, planted: Planted, size: int) -> None:
    words = _words(planted.value)
    tokens = [{"token": words[at : at + size], "logprob": -1, "bytes": None} for at in range(0, len(words), size)]
    answer = answers.chat({"content": words}, logprobs={"content": tokens, "refusal": None})
    wire = _ask(world, Dialect.OPENAI, answer, logprobs=True)
    assert_no_leak(planted, *_texts(wire, answer))
    choice = json.loads(wire.received)["choices"][0]
    said = "".join(it["token"] for it in (choice.get("logprobs") or {}).get("content") or [])
    assert_no_leak(planted, said)
    assert planted.mask in choice["message"]["content"]


@pytest.mark.parametrize("place", ["annotation-title", "annotation-url", "audio-transcript", "top-level"])
def test_fields_around_the_text_do_not_leak(world: World, place: str) -> None:
    citation = {"start_index": 0, "end_index": 2, "title": "A page", "url": "https://northwind.example/"}
    message: dict = {"content": "So."}
    answer_fields: dict = {}
    match place:
        case "annotation-title":
            message["annotations"] = [{"type": "url_citation", "url_citation": citation | {"title": _words(CARD.value)}}]
        case "annotation-url":
            url = f"https://northwind.example/?q={CARD.value}"
            message["annotations"] = [{"type": "url_citation", "url_citation": citation | {"url": url}}]
        case "audio-transcript":
            message["audio"] = {"id": "audio_1", "data": "", "expires_at": 1, "transcript": _words(CARD.value)}
        case "top-level":
            answer_fields["x_note"] = _words(CARD.value)
    answer = answers.chat(message)
    if answer_fields:
        answer = Answer([answers.compact(json.loads(answer.pieces[0]) | answer_fields)])
    world.upstream(Dialect.OPENAI).answers(answer)
    wire = post(world.gateway, Dialect.OPENAI.path, answers.compact(PROMPT))
    assert_no_leak(CARD, bytes(wire.received))


@pytest.mark.parametrize("dialect", Dialect, ids=_label)
def test_the_text_of_an_upstream_error_does_not_leak(world: World, dialect: Dialect) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": _words(CARD.value)}}
    world.upstream(dialect).answers(Answer([answers.compact(error)], status=400))
    wire = post(world.gateway, dialect.path, answers.compact(PROMPT))
    assert wire.status >= 400
    assert_no_leak(CARD, bytes(wire.received))


@pytest.mark.parametrize("ending", ["\n\n", "\r\n\r\n", "\r\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("dialect", Dialect, ids=_label)
def test_line_endings_open_no_gap(world: World, dialect: Dialect, ending: str) -> None:
    parts = [{"content": _words(CARD.value)}] if dialect is Dialect.OPENAI else [answers.text(_words(CARD.value))]
    answer = _scripted(dialect, parts, "by-character")
    line = ending[: len(ending) // 2]
    answer.pieces = [it.replace(b"\n", line.encode()) for it in answer.pieces]
    wire = _ask(world, dialect, answer)
    texts = _texts(wire, answer)
    assert_no_leak(CARD, *texts)
    assert any(CARD.mask in it for it in texts)


@pytest.mark.parametrize("dialect", Dialect, ids=_label)
def test_a_comment_and_a_data_line_in_two_parts_open_no_gap(world: World, dialect: Dialect) -> None:
    parts = [{"content": _words(CARD.value)}] if dialect is Dialect.OPENAI else [answers.text(_words(CARD.value))]
    answer = _scripted(dialect, parts, "by-character")
    # A JSON document may go over two `data:` lines wherever white space is allowed in it.
    answer.pieces = [b": keep-alive\n\n" + it.replace(b"data: {", b"data: {\ndata: ", 1) for it in answer.pieces]
    wire = _ask(world, dialect, answer)
    assert_no_leak(CARD, bytes(wire.received))
    said = "".join(it for it in _lenient_texts(bytes(wire.received)))
    assert_no_leak(CARD, said)


def _lenient_texts(raw: bytes) -> list[str]:
    """The `content` and `text` of each event, also where its data goes over several lines."""
    found = []
    for event in raw.decode().replace("\r\n", "\n").split("\n\n"):
        data = "\n".join(it[5:].lstrip(" ") for it in event.split("\n") if it.startswith("data:"))
        if data and data != "[DONE]":
            found += [value for path, value in answers._strings(json.loads(data), ()) if path[-1] in ("content", "text")]
    return found
