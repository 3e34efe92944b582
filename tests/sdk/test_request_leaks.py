"""A planted value in every place of a request: whatever the verdict, it never reaches the upstream."""

import json
from collections.abc import Callable

import pytest

from conftest import World
from rig import answers
from rig.clients import Dialect, post
from rig.planted import API_KEY, CARD, Planted, assert_no_leak

# What happens to a card there: masked, blocked since the place cannot be spliced safely, or either.
MASKED = {"redact"}
BLOCKED = {"block"}
EITHER = {"redact", "block"}

Place = tuple[Callable[[object], dict], set[str]]


def _chat(*messages: dict, **more: object) -> dict:
    return {"model": "scripted-1", "messages": list(messages) or [{"role": "user", "content": "Go on."}], **more}


def _chat_tool(**function: object) -> dict:
    parameters = {"type": "object", "properties": {"words": {"type": "string"}}}
    tool = {"name": "find_note", "description": "Finds a note.", "parameters": parameters, **function}
    return _chat(tools=[{"type": "function", "function": tool}])


def _chat_call(arguments: object, name: str = "find_note", call_id: str = "call_1") -> dict:
    encoded = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": encoded}}
    return _chat(
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": "Done."},
    )


def _schema(**value: object) -> dict:
    return {"type": "object", "properties": {"words": value}}


CHAT_PLACES: dict[str, Place] = {
    "system": (lambda it: _chat({"role": "system", "content": f"Note {it} well."}), MASKED),
    "developer": (lambda it: _chat({"role": "developer", "content": f"Note {it} well."}), MASKED),
    "user": (lambda it: _chat({"role": "user", "content": f"Note {it} well."}), MASKED),
    "user-part": (lambda it: _chat({"role": "user", "content": [{"type": "text", "text": f"Note {it}."}]}), MASKED),
    "assistant": (
        lambda it: _chat({"role": "assistant", "content": f"I noted {it} well."}, {"role": "user", "content": "?"}),
        MASKED,
    ),
    "assistant-refusal": (
        lambda it: _chat({"role": "assistant", "refusal": f"Not {it}."}, {"role": "user", "content": "?"}),
        MASKED,
    ),
    "tool": (lambda it: _chat({"role": "tool", "tool_call_id": "call_1", "content": f"Found {it} there."}), MASKED),
    "arguments": (lambda it: _chat_call({"words": f"Note {it} well."}), MASKED),
    "arguments-deep": (lambda it: _chat_call({"a": [{"b": {"c": [f"Note {it} well."]}}]}), MASKED),
    "arguments-key": (lambda it: _chat_call({str(it): "x"}), BLOCKED),
    "arguments-broken": (lambda it: _chat_call('{"words": "Note ' + str(it)), EITHER),
    "call-name": (lambda it: _chat_call({}, name=str(it)), BLOCKED),
    "call-id": (lambda it: _chat_call({}, call_id=str(it)), BLOCKED),
    "name": (lambda it: _chat({"role": "user", "name": str(it), "content": "Go on."}), BLOCKED),
    "model": (lambda it: _chat() | {"model": str(it)}, BLOCKED),
    "object-key": (lambda it: _chat(metadata={str(it): "x"}), BLOCKED),
    "object-key-invented": (lambda it: _chat(x_notes={"deep": [{str(it): 1}]}), BLOCKED),
    "top-level-key": (lambda it: _chat(**{str(it): 1}), BLOCKED),
    "tool-name": (lambda it: _chat_tool(name=str(it)), BLOCKED),
    "tool-description": (lambda it: _chat_tool(description=f"Finds {it} quickly."), MASKED),
    "schema-description": (lambda it: _chat_tool(parameters=_schema(description=f"Such as {it} here.")), MASKED),
    "schema-enum": (lambda it: _chat_tool(parameters=_schema(enum=["a", str(it)])), BLOCKED),
    "schema-default": (lambda it: _chat_tool(parameters=_schema(default=f"{it}")), EITHER),
    "schema-property": (lambda it: _chat_tool(parameters=_schema(properties={str(it): {}})), BLOCKED),
    "response-format": (
        lambda it: _chat(
            response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": _schema(const=str(it))}}
        ),
        EITHER,
    ),
    "metadata": (lambda it: _chat(metadata={"note": f"Note {it} well."}), EITHER),
    "user-field": (lambda it: _chat(user=f"user {it}"), EITHER),
    "stop": (lambda it: _chat(stop=[f"{it}"]), EITHER),
    "prediction": (lambda it: _chat(prediction={"type": "content", "content": f"Note {it} well."}), EITHER),
    "invented": (lambda it: _chat(x_note=f"Note {it} well."), MASKED),
    "invented-deep": (lambda it: _chat(x_notes=[{"a": {"b": [f"Note {it} well."]}}]), MASKED),
    "invented-in-message": (
        lambda it: _chat({"role": "user", "content": "Go on.", "x_note": f"Note {it} well."}),
        MASKED,
    ),
}

CHAT_NUMBERS: dict[str, Place] = {
    "invented": (lambda it: _chat(x_note=it), EITHER),
    "invented-list": (lambda it: _chat(x_notes=[1, [it]]), EITHER),
    "metadata": (lambda it: _chat(metadata={"note": it}), EITHER),
    "arguments": (lambda it: _chat_call({"amount": it}), EITHER),
    "arguments-list": (lambda it: _chat_call({"amounts": [1, it, 2]}), EITHER),
    "schema-enum": (lambda it: _chat_tool(parameters=_schema(enum=[1, it])), EITHER),
    "schema-default": (lambda it: _chat_tool(parameters=_schema(default=it)), EITHER),
    "seed": (lambda it: _chat(seed=it), EITHER),
    "in-message": (lambda it: _chat({"role": "user", "content": "Go on.", "x_note": it}), EITHER),
}


def _message(*messages: dict, **more: object) -> dict:
    return _chat(*messages, **more) | {"max_tokens": 9}


def _message_tool(**fields: object) -> dict:
    schema = {"type": "object", "properties": {"words": {"type": "string"}}}
    return _message(tools=[{"name": "find_note", "description": "Finds a note.", "input_schema": schema, **fields}])


def _use(value: object, name: str = "find_note", use_id: str = "toolu_1", result: object = "Done.") -> dict:
    return _message(
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": use_id, "name": name, "input": value}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use_id, "content": result}]},
    )


def _user_block(**block: object) -> dict:
    return _message({"role": "user", "content": [{"type": "text", "text": "Go on."}, block]})


MESSAGE_PLACES: dict[str, Place] = {
    "system": (lambda it: _message(system=f"Note {it} well."), MASKED),
    "system-block": (lambda it: _message(system=[{"type": "text", "text": f"Note {it} well."}]), MASKED),
    "user": (lambda it: _message({"role": "user", "content": f"Note {it} well."}), MASKED),
    "user-block": (lambda it: _user_block(type="text", text=f"Note {it} well."), MASKED),
    "assistant": (
        lambda it: _message(
            {"role": "user", "content": "Go on."},
            {"role": "assistant", "content": f"I noted {it} well."},
            {"role": "user", "content": "?"},
        ),
        MASKED,
    ),
    "thinking": (
        lambda it: _message(
            {"role": "user", "content": "Go on."},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": f"Was it {it}?", "signature": "c2lnbmVk"},
                    {"type": "text", "text": "So."},
                ],
            },
            {"role": "user", "content": "?"},
        ),
        EITHER,
    ),
    "document": (
        lambda it: _user_block(
            type="document", source={"type": "text", "media_type": "text/plain", "data": f"Note {it} well."}
        ),
        EITHER,
    ),
    "tool-result": (lambda it: _use({}, result=f"Found {it} there."), MASKED),
    "tool-result-block": (lambda it: _use({}, result=[{"type": "text", "text": f"Found {it} there."}]), MASKED),
    "input": (lambda it: _use({"words": f"Note {it} well."}), MASKED),
    "input-deep": (lambda it: _use({"a": [{"b": [f"Note {it} well."]}]}), MASKED),
    "input-key": (lambda it: _use({str(it): "x"}), BLOCKED),
    "use-name": (lambda it: _use({}, name=str(it)), BLOCKED),
    "use-id": (lambda it: _use({}, use_id=str(it)), BLOCKED),
    "tool-name": (lambda it: _message_tool(name=str(it)), BLOCKED),
    "tool-description": (lambda it: _message_tool(description=f"Finds {it} quickly."), MASKED),
    "schema-enum": (lambda it: _message_tool(input_schema=_schema(enum=["a", str(it)])), BLOCKED),
    "schema-property": (lambda it: _message_tool(input_schema=_schema(properties={str(it): {}})), BLOCKED),
    "metadata": (lambda it: _message(metadata={"user_id": f"user {it}"}), EITHER),
    "stop-sequences": (lambda it: _message(stop_sequences=[f"{it}"]), EITHER),
    "object-key": (lambda it: _message(x_notes={str(it): 1}), BLOCKED),
    "invented": (lambda it: _message(x_note=f"Note {it} well."), MASKED),
    "invented-in-block": (lambda it: _user_block(type="text", text="So.", x_note=f"Note {it} well."), MASKED),
    "invented-block": (lambda it: _user_block(type="x_block", x_note=f"Note {it} well."), EITHER),
}

MESSAGE_NUMBERS: dict[str, Place] = {
    "invented": (lambda it: _message(x_note=it), EITHER),
    "input": (lambda it: _use({"amount": it}), EITHER),
    "input-list": (lambda it: _use({"amounts": [1, [it]]}), EITHER),
    "schema-enum": (lambda it: _message_tool(input_schema=_schema(enum=[1, it])), EITHER),
    "tool-result": (lambda it: _use({}, result=[{"type": "text", "text": "So.", "x_note": it}]), EITHER),
}

TEXTS = [(Dialect.OPENAI, it) for it in CHAT_PLACES] + [(Dialect.ANTHROPIC, it) for it in MESSAGE_PLACES]
NUMBERS = [(Dialect.OPENAI, it) for it in CHAT_NUMBERS] + [(Dialect.ANTHROPIC, it) for it in MESSAGE_NUMBERS]


def _label(value: object) -> str:
    return value.value if isinstance(value, Dialect) else str(value)


def _escaped(body: bytes, value: str) -> bytes:
    """The same document, each character of the value written as a JSON escape."""
    changed = body.replace(value.encode(), "".join(f"\\u{ord(it):04x}" for it in value).encode())
    assert changed != body
    return changed


def _send(world: World, dialect: Dialect, body: bytes, planted: Planted) -> str:
    wire = post(world.gateway, dialect.path, body)
    said = bytes(wire.received)
    assert wire.status in (200, 403), said
    assert_no_leak(planted, world.upstream_bytes(), said, *wire.headers.values())
    decision = wire.headers["ordain-decision"]
    if decision == "block":
        assert world.upstream_bytes() == b""
    else:
        sent = world.upstream(dialect).only()
        json.loads(sent.body)
        assert int(sent.headers["content-length"]) == len(sent.body)
    return decision


@pytest.mark.parametrize("spelling", ["plain", "escaped"])
@pytest.mark.parametrize(("dialect", "place"), TEXTS, ids=_label)
def test_a_card_never_leaves(world: World, dialect: Dialect, place: str, spelling: str) -> None:
    build, expected = (CHAT_PLACES if dialect is Dialect.OPENAI else MESSAGE_PLACES)[place]
    body = answers.compact(build(CARD.value))
    if spelling == "escaped":
        body = _escaped(body, CARD.value)
    decision = _send(world, dialect, body, CARD)
    assert decision in expected
    if decision == "redact":
        assert CARD.mask in world.upstream(dialect).only().body.decode()


@pytest.mark.parametrize(("dialect", "place"), NUMBERS, ids=_label)
def test_a_card_as_a_number_never_leaves(world: World, dialect: Dialect, place: str) -> None:
    build, expected = (CHAT_NUMBERS if dialect is Dialect.OPENAI else MESSAGE_NUMBERS)[place]
    assert _send(world, dialect, answers.compact(build(int(CARD.value))), CARD) in expected


@pytest.mark.parametrize("spelling", ["plain", "escaped"])
@pytest.mark.parametrize(("dialect", "place"), TEXTS, ids=_label)
def test_an_api_key_never_leaves(world: World, dialect: Dialect, place: str, spelling: str) -> None:
    build, _ = (CHAT_PLACES if dialect is Dialect.OPENAI else MESSAGE_PLACES)[place]
    body = answers.compact(build(API_KEY.value))
    if spelling == "escaped":
        body = _escaped(body, API_KEY.value)
    assert _send(world, dialect, body, API_KEY) == "block"


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999], ids=["first", "middle", "last"])
def test_padding_hides_nothing(world: World, dialect: Dialect, share: float) -> None:
    words = ["benign words to fill the page. "] * 30_000
    words.insert(int(len(words) * share), f"Note {CARD.value} well. ")
    body = answers.compact(_message({"role": "user", "content": "".join(words)}))
    assert _send(world, dialect, body, CARD) == "redact"
