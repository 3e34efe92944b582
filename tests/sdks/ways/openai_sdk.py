"""OpenAI's SDK beyond chat completions (those are in tests/sdk): responses, completions, Azure, and helpers."""

import json
from collections.abc import Callable
from dataclasses import replace

import openai

from scripted import TOOL, Api

from . import MODEL, PARAMETERS, PATIENCE, PNG_BASE64, TOOL_TEXT, Ask, Errors, Heard, Way, four, raises

ERRORS = Errors(
    auth=raises(openai.AuthenticationError),
    denied=raises(openai.PermissionDeniedError),
    server=raises(openai.InternalServerError, status_code=500),
    stream=raises(openai.APIError),
)
# The helper raises an exception of its own for `content_filter`, after it has passed on the words.
HELPER_ERRORS = replace(ERRORS, refused=raises(openai.ContentFilterFinishReasonError))
# This one knows of no end but `response.completed`.
RESPONSE_HELPER_ERRORS = replace(ERRORS, refused=raises(RuntimeError))
CHAT_TOOLS = [{"type": "function", "function": {"name": TOOL, "description": TOOL_TEXT, "parameters": PARAMETERS}}]
PICTURE = f"data:image/png;base64,{PNG_BASE64}"


def client(base: str, key: str, kind: type = openai.OpenAI):
    return kind(base_url=f"{base}/v1", api_key=key, max_retries=0, timeout=PATIENCE)


def client_async(base: str, key: str) -> openai.AsyncOpenAI:
    return client(base, key, openai.AsyncOpenAI)


def azure(base: str, key: str, kind: type = openai.AzureOpenAI):
    return kind(azure_endpoint=base, api_key=key, api_version="2024-10-21", max_retries=0, timeout=PATIENCE)


def _azure_async(base: str, key: str) -> openai.AsyncAzureOpenAI:
    return azure(base, key, openai.AsyncAzureOpenAI)


def parsed(arguments: str) -> dict:
    """Of a call whose stream was stopped there is the name alone."""
    return json.loads(arguments) if arguments else {}


# --- what is sent and heard, by endpoint ----------------------------------------------------------------------------


def _chat(ask: Ask) -> dict:
    content: str | list = ask.prompt
    if ask.image:
        content = [{"type": "text", "text": ask.prompt}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    tools = {"tools": CHAT_TOOLS} if ask.tools else {}
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], **tools}


def _take_chat(heard: Heard, answer) -> None:
    for choice in answer.choices:
        heard.take(choice.message.content)
        heard.take(choice.message.refusal)
        calls = choice.message.tool_calls or []
        heard.calls += [(it.function.name, parsed(it.function.arguments)) for it in calls]
        heard.finish = choice.finish_reason


class _ChatPieces:
    """Puts the pieces of a stream together, as applications do by hand."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._calls: dict[int, list[str]] = {}

    def take(self, chunk) -> None:
        for choice in chunk.choices:
            self._heard.take(choice.delta.content)
            self._heard.take(choice.delta.refusal)
            for call in choice.delta.tool_calls or []:
                place = self._calls.setdefault(call.index, ["", ""])
                place[0] += call.function.name or ""
                place[1] += call.function.arguments or ""
            self._heard.finish = choice.finish_reason or self._heard.finish

    def end(self) -> None:
        self._heard.calls += [(name, parsed(text)) for name, text in self._calls.values()]


def _response(ask: Ask) -> dict:
    content = [{"type": "input_text", "text": ask.prompt}]
    if ask.image:
        content.append({"type": "input_image", "detail": "auto", "image_url": PICTURE})
    tool = {"type": "function", "name": TOOL, "description": TOOL_TEXT, "parameters": PARAMETERS, "strict": False}
    tools = {"tools": [tool]} if ask.tools else {}
    return {"model": MODEL, "input": [{"role": "user", "content": content}], **tools}


def _take_response(heard: Heard, answer) -> None:
    for item in answer.output:
        match item.type:
            case "message":
                for part in item.content:
                    heard.take(part.text if part.type == "output_text" else part.refusal)
            case "function_call":
                heard.calls.append((item.name, parsed(item.arguments)))
    heard.finish = answer.status


class _ResponsePieces:
    """Takes the events of a response as applications do: deltas, calls when they are whole, the end."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    def take(self, event) -> None:
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta":
                self._heard.take(event.delta)
            case "response.output_item.done" if event.item.type == "function_call":
                self._heard.calls.append((event.item.name, parsed(event.item.arguments)))
            case "response.completed" | "response.incomplete" | "response.failed":
                self._heard.finish = event.response.status

    def end(self) -> None:
        pass


def _completion(ask: Ask) -> dict:
    return {"model": MODEL, "prompt": ask.prompt, "max_tokens": 100}


def _take_completion(heard: Heard, answer) -> None:
    for choice in answer.choices:
        heard.take(choice.text)
        heard.finish = choice.finish_reason or heard.finish


class _CompletionPieces:
    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    def take(self, chunk) -> None:
        _take_completion(self._heard, chunk)

    def end(self) -> None:
        pass


# --- the four ways of each ------------------------------------------------------------------------------------------


def _ways(name: str, api: Api, clients: tuple, method: Callable, request: Callable, take: Callable, pieces) -> list[Way]:
    now, later = clients

    def whole(base: str, key: str, ask: Ask, heard: Heard) -> None:
        with now(base, key) as it:
            take(heard, method(it).create(**request(ask)))

    def stream(base: str, key: str, ask: Ask, heard: Heard) -> None:
        taker = pieces(heard)
        with now(base, key) as it, method(it).create(stream=True, **request(ask)) as events:
            for event in events:
                taker.take(event)
            taker.end()

    async def whole_async(base: str, key: str, ask: Ask, heard: Heard) -> None:
        async with later(base, key) as it:
            take(heard, await method(it).create(**request(ask)))

    async def stream_async(base: str, key: str, ask: Ask, heard: Heard) -> None:
        taker = pieces(heard)
        async with later(base, key) as it, await method(it).create(stream=True, **request(ask)) as events:
            async for event in events:
                taker.take(event)
            taker.end()

    return four(name, api, ERRORS, whole, stream, whole_async, stream_async)


def _chat_helper(base: str, key: str, ask: Ask, heard: Heard) -> None:
    """`chat.completions.stream`, which puts the answer together itself."""
    with client(base, key) as it, it.chat.completions.stream(**_chat(ask)) as events:
        for event in events:
            if event.type in ("content.delta", "refusal.delta"):
                heard.take(event.delta)
            elif event.type == "chunk" and event.chunk.choices:
                heard.finish = event.chunk.choices[0].finish_reason
        calls = events.get_final_completion().choices[0].message.tool_calls or []
        heard.calls += [(it.function.name, parsed(it.function.arguments)) for it in calls]


def _response_helper(base: str, key: str, ask: Ask, heard: Heard) -> None:
    """`responses.stream`, which puts the answer together itself."""
    pieces, final = Heard(), Heard()
    with client(base, key) as it, it.responses.stream(**_response(ask)) as events:
        taker = _ResponsePieces(pieces)
        for event in events:
            taker.take(event)
            heard.text, heard.finish = pieces.text, pieces.finish
        _take_response(final, events.get_final_response())
    assert final.text == pieces.text, f"{final.text} was put together, and {pieces.text} came in pieces"
    heard.calls = final.calls


BOTH = (client, client_async)
WAYS = [
    Way("openai-chat-helper", Api.CHAT, True, HELPER_ERRORS, _chat_helper),
    *_ways("openai-responses", Api.RESPONSES, BOTH, lambda it: it.responses, _response, _take_response, _ResponsePieces),
    Way("openai-responses-helper", Api.RESPONSES, True, RESPONSE_HELPER_ERRORS, _response_helper),
    *_ways(
        "openai-completions",
        Api.COMPLETIONS,
        BOTH,
        lambda it: it.completions,
        _completion,
        _take_completion,
        _CompletionPieces,
    ),
    *_ways(
        "azure-chat",
        Api.AZURE_CHAT,
        (azure, _azure_async),
        lambda it: it.chat.completions,
        _chat,
        _take_chat,
        _ChatPieces,
    ),
]
