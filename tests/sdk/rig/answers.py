"""What an upstream says, in both dialects, whole and as a stream, and how the texts in it are read back.

A message is given once, as the API's own JSON; its stream is derived from it, so that the whole and the streamed form
of one answer cannot drift apart.
"""

import itertools
import json
from collections.abc import Callable, Iterable

from .upstream import Answer, End, Framing

Cut = Callable[[str], list[str]]
STREAM = "text/event-stream"


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def by_character(text: str) -> list[str]:
    return list(text)


def by_words(text: str) -> list[str]:
    return [it for it in text.replace(" ", "\0 ").split("\0") if it]


def in_turns(*flows: Iterable) -> list:
    """The items of all flows, one of each at a time."""
    rounds = itertools.zip_longest(*flows)
    return [it for turn in rounds for it in turn if it is not None]


# --- OpenAI chat completions ----------------------------------------------------------------------------------------

_CHAT = {"id": "chatcmpl-scripted", "created": 1_760_000_000, "model": "scripted-1"}
_CHAT_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def chat_finish(message: dict) -> str:
    return "tool_calls" if message.get("tool_calls") else "stop"


def chat(*messages: dict, **choice_fields: object) -> Answer:
    """A whole answer with one choice a message."""
    choices = [
        {"index": at, "message": {"role": "assistant", "content": None, **it}, "finish_reason": chat_finish(it)}
        | choice_fields
        for at, it in enumerate(messages)
    ]
    body = {**_CHAT, "object": "chat.completion", "choices": choices, "usage": _CHAT_USAGE}
    return Answer([compact(body)])


def _chat_event(choices: list[dict], **more: object) -> bytes:
    body = {**_CHAT, "object": "chat.completion.chunk", "choices": choices, **more}
    return b"data: " + compact(body) + b"\n\n"


def _chat_delta(choice: int, delta: dict, finish: str | None = None) -> bytes:
    return _chat_event([{"index": choice, "delta": delta, "finish_reason": finish}])


def _chat_flows(choice: int, message: dict, cut: Cut) -> list[list[bytes]]:
    """One list of events for each channel of a message."""
    flows = []
    for name, value in message.items():
        if name == "tool_calls":
            for at, call in enumerate(value):
                function = call["function"]
                opening = {
                    "index": at,
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": function["name"], "arguments": ""},
                }
                events = [_chat_delta(choice, {"tool_calls": [opening]})]
                for piece in cut(function["arguments"]):
                    delta = {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}
                    events.append(_chat_delta(choice, delta))
                flows.append(events)
        elif isinstance(value, str):
            flows.append([_chat_delta(choice, {name: it}) for it in cut(value)])
        elif value is not None:
            flows.append([_chat_delta(choice, {name: value})])
    return flows


def chat_stream(*messages: dict, cut: Cut = by_words, framing: Framing = Framing.WHOLE, end: End = End.CLEAN) -> Answer:
    """The same answer as a stream; the channels of all choices take turns, event by event."""
    flows = [flow for at, it in enumerate(messages) for flow in _chat_flows(at, it, cut)]
    events = [_chat_delta(at, {"role": "assistant"}) for at in range(len(messages))]
    events += in_turns(*flows)
    if end is End.CLEAN:
        events += [_chat_delta(at, {}, chat_finish(it)) for at, it in enumerate(messages)]
        events += [_chat_event([], usage=_CHAT_USAGE), b"data: [DONE]\n\n"]
    return Answer(events, content_type=STREAM, framing=framing, end=end)


def tool_call(name: str, arguments: str, at: int = 0) -> dict:
    return {"id": f"call_{at:04}", "type": "function", "function": {"name": name, "arguments": arguments}}


# --- Anthropic messages ---------------------------------------------------------------------------------------------

_MESSAGE = {"id": "msg_scripted", "type": "message", "role": "assistant", "model": "scripted-1"}


def message_stop(blocks: Iterable[dict]) -> str:
    return "tool_use" if any(it["type"] == "tool_use" for it in blocks) else "end_turn"


def message(*blocks: dict) -> Answer:
    """A whole answer with the given content blocks."""
    usage = {"input_tokens": 11, "output_tokens": 7}
    body = {**_MESSAGE, "content": list(blocks), "stop_reason": message_stop(blocks), "stop_sequence": None}
    return Answer([compact(body | {"usage": usage})])


def _message_event(name: str, **fields: object) -> bytes:
    return f"event: {name}\ndata: ".encode() + compact({"type": name, **fields}) + b"\n\n"


def _message_flow(at: int, block: dict, cut: Cut) -> list[bytes]:
    def delta(kind: str, **fields: object) -> bytes:
        return _message_event("content_block_delta", index=at, delta={"type": kind, **fields})

    match block["type"]:
        case "text":
            empty = {"type": "text", "text": ""}
            deltas = [delta("text_delta", text=it) for it in cut(block["text"])]
        case "thinking":
            empty = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [delta("thinking_delta", thinking=it) for it in cut(block["thinking"])]
            deltas.append(delta("signature_delta", signature=block.get("signature", "c2lnbmVk")))
        case "tool_use":
            empty = {"type": "tool_use", "id": block["id"], "name": block["name"], "input": {}}
            deltas = [delta("input_json_delta", partial_json=it) for it in cut(compact(block["input"]).decode())]
        case other:
            raise ValueError(f"no stream is scripted for a `{other}` block")
    return [
        _message_event("content_block_start", index=at, content_block=empty),
        *deltas,
        _message_event("content_block_stop", index=at),
    ]


def message_stream(
    *blocks: dict,
    cut: Cut = by_words,
    framing: Framing = Framing.WHOLE,
    end: End = End.CLEAN,
    interleaved: bool = False,
) -> Answer:
    """The same answer as a stream; `interleaved` opens all blocks at once, which the indices allow."""
    opening = {**_MESSAGE, "content": [], "stop_reason": None, "stop_sequence": None}
    events = [_message_event("message_start", message=opening | {"usage": {"input_tokens": 11, "output_tokens": 1}})]
    flows = [_message_flow(at, it, cut) for at, it in enumerate(blocks)]
    events += in_turns(*flows) if interleaved else itertools.chain.from_iterable(flows)
    if end is End.CLEAN:
        stop = {"stop_reason": message_stop(blocks), "stop_sequence": None}
        events += [_message_event("message_delta", delta=stop, usage={"output_tokens": 7})]
        events += [_message_event("message_stop")]
    return Answer(events, content_type=STREAM, framing=framing, end=end)


def text(value: str) -> dict:
    return {"type": "text", "text": value}


def thinking(value: str) -> dict:
    return {"type": "thinking", "thinking": value, "signature": "c2lnbmVk"}


def tool_use(name: str, value: object, at: int = 0) -> dict:
    return {"type": "tool_use", "id": f"toolu_{at:04}", "name": name, "input": value}


# --- reading back ---------------------------------------------------------------------------------------------------


def events(raw: bytes) -> list[dict]:
    """The JSON of each `data:` event; the gateway's own framing is plain enough for lines."""
    found = []
    for line in raw.decode().splitlines():
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            found.append(json.loads(line[5:]))
    return found


def _strings(value: object, path: tuple) -> Iterable[tuple[tuple, str]]:
    """Every string, key and number below `value`, with its path; list items that carry an `index` are named by it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, "key"), key
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            name = item.get("index", at) if isinstance(item, dict) else "item"
            yield from _strings(item, (*path, name))
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, str(value)


def channels(raw: bytes, streamed: bool) -> dict[tuple, str]:
    """The text of each place of an answer. In a stream the same place of successive events is one text."""
    if not streamed:
        documents = [json.loads(raw)]
    else:
        documents = events(raw)
    found: dict[tuple, str] = {}
    for document in documents:
        # Anthropic puts the index of the block beside the delta.
        root = (document["index"],) if isinstance(document.get("index"), int) else ()
        for path, value in _strings(document, root):
            found[path] = found.get(path, "") + value
    return found


def everything(raw: bytes, streamed: bool) -> list[str]:
    """What a leak may hide in: the bytes, and each text that a client would put together from them."""
    return [raw.decode("utf-8", "replace"), *channels(raw, streamed).values()]
