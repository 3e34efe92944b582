"""Anthropic's helper for streams, which puts a message together itself (what is below it is in tests/sdk)."""

import anthropic

from scripted import TOOL, Api

from . import MODEL, PARAMETERS, PATIENCE, PNG_BASE64, TOOL_TEXT, Ask, Errors, Heard, Way, raises

ERRORS = Errors(
    auth=raises(anthropic.AuthenticationError),
    denied=raises(anthropic.PermissionDeniedError),
    server=raises(anthropic.InternalServerError, status_code=500),
    stream=raises(anthropic.APIError),
)


def _request(ask: Ask) -> dict:
    content: list[dict] = [{"type": "text", "text": ask.prompt}]
    if ask.image:
        source = {"type": "base64", "media_type": "image/png", "data": PNG_BASE64}
        content.append({"type": "image", "source": source})
    tools = {"tools": [{"name": TOOL, "description": TOOL_TEXT, "input_schema": PARAMETERS}]} if ask.tools else {}
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": content}], **tools}


def _take(heard: Heard, message) -> None:
    for block in message.content:
        match block.type:
            case "text":
                heard.take(block.text)
            case "tool_use":
                heard.calls.append((block.name, block.to_dict()["input"]))
    heard.finish = message.stop_reason


def _helper(base: str, key: str, ask: Ask, heard: Heard) -> None:
    client = anthropic.Anthropic(base_url=base, api_key=key, max_retries=0, timeout=PATIENCE)
    with client as it, it.messages.stream(**_request(ask)) as events:
        _take(heard, events.get_final_message())


async def _helper_async(base: str, key: str, ask: Ask, heard: Heard) -> None:
    client = anthropic.AsyncAnthropic(base_url=base, api_key=key, max_retries=0, timeout=PATIENCE)
    async with client as it, it.messages.stream(**_request(ask)) as events:
        _take(heard, await events.get_final_message())


WAYS = [
    Way("anthropic-helper-sync", Api.MESSAGES, True, ERRORS, _helper),
    Way("anthropic-helper-async", Api.MESSAGES, True, ERRORS, _helper_async),
]
