"""Ollama's SDK: chat and generate."""

from functools import partial

import ollama

from scripted import TOOL, Api

from . import MODEL, PARAMETERS, PATIENCE, PNG_BASE64, TOOL_TEXT, Ask, Errors, Heard, Way, four, raises

ERRORS = Errors(
    auth=raises(ollama.ResponseError, status_code=401),
    denied=raises(ollama.ResponseError, status_code=403),
    server=raises(ollama.ResponseError, status_code=500),
    stream=raises(ollama.ResponseError),
)
TOOLS = [{"type": "function", "function": {"name": TOOL, "description": TOOL_TEXT, "parameters": PARAMETERS}}]


def client(kind: type, base: str, key: str):
    return kind(host=base, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)


def _request(api: Api, ask: Ask) -> dict:
    images = {"images": [PNG_BASE64]} if ask.image else {}
    if api is Api.OLLAMA_GENERATE:
        return {"model": MODEL, "prompt": ask.prompt, **images}
    tools = {"tools": TOOLS} if ask.tools else {}
    return {"model": MODEL, "messages": [{"role": "user", "content": ask.prompt, **images}], **tools}


def _method(api: Api, it):
    return it.generate if api is Api.OLLAMA_GENERATE else it.chat


def _take(api: Api, heard: Heard, answer) -> None:
    if api is Api.OLLAMA_GENERATE:
        heard.take(answer.response)
    else:
        heard.take(answer.message.content)
        calls = answer.message.tool_calls or []
        heard.calls += [(it.function.name, dict(it.function.arguments)) for it in calls]
    heard.finish = answer.done_reason or heard.finish


def _whole(api: Api, base: str, key: str, ask: Ask, heard: Heard) -> None:
    _take(api, heard, _method(api, client(ollama.Client, base, key))(**_request(api, ask)))


def _stream(api: Api, base: str, key: str, ask: Ask, heard: Heard) -> None:
    for piece in _method(api, client(ollama.Client, base, key))(stream=True, **_request(api, ask)):
        _take(api, heard, piece)


async def _whole_async(api: Api, base: str, key: str, ask: Ask, heard: Heard) -> None:
    _take(api, heard, await _method(api, client(ollama.AsyncClient, base, key))(**_request(api, ask)))


async def _stream_async(api: Api, base: str, key: str, ask: Ask, heard: Heard) -> None:
    async for piece in await _method(api, client(ollama.AsyncClient, base, key))(stream=True, **_request(api, ask)):
        _take(api, heard, piece)


def _ways(name: str, api: Api) -> list[Way]:
    calls = [partial(it, api) for it in (_whole, _stream, _whole_async, _stream_async)]
    return four(name, api, ERRORS, *calls)


WAYS = _ways("ollama-chat", Api.OLLAMA_CHAT) + _ways("ollama-generate", Api.OLLAMA_GENERATE)
