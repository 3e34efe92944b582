"""LangChain's chat models, each over its vendor's SDK."""

from collections.abc import Callable
from dataclasses import replace

from langchain_anthropic import ChatAnthropic
from langchain_core.exceptions import ModelAuthenticationError, ModelError, ModelPermissionDeniedError
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from scripted import TOOL, Api

from . import MODEL, PARAMETERS, PATIENCE, PNG_BASE64, TOOL_TEXT, Ask, Errors, Heard, Way, four, raises
from . import anthropic_sdk, google_genai, ollama_sdk, openai_sdk

TOOLS = [{"type": "function", "function": {"name": TOOL, "description": TOOL_TEXT, "parameters": PARAMETERS}}]
GOOGLE_ERRORS = Errors(
    auth=raises(ModelAuthenticationError),
    denied=raises(ModelPermissionDeniedError),
    server=google_genai.ERRORS.server,
    stream=lambda it: isinstance(it, ModelError) or google_genai.ERRORS.stream(it),
)
# A whole answer that ends with `content_filter` is a bare exception, and its words are gone; a streamed one is fine.
AZURE_ERRORS = replace(
    openai_sdk.ERRORS,
    refused=lambda it: type(it) is ValueError and "content filter" in str(it),
    shows_refusals=False,
)
FINISH = ("finish_reason", "stop_reason", "done_reason", "status")


def _messages(ask: Ask) -> list[HumanMessage]:
    if not ask.image:
        return [HumanMessage(ask.prompt)]
    picture = {"type": "image", "base64": PNG_BASE64, "mime_type": "image/png"}
    return [HumanMessage([{"type": "text", "text": ask.prompt}, picture])]


def _take(heard: Heard, message) -> None:
    heard.take(message.text)
    if isinstance(message.content, list):
        heard.take("".join(it.get("refusal", "") for it in message.content if isinstance(it, dict)))
    heard.take(message.additional_kwargs.get("refusal"))
    said = [value for it in FINISH if (value := message.response_metadata.get(it))]
    heard.finish = said[0] if said else heard.finish


def _take_calls(heard: Heard, message) -> None:
    heard.calls += [(it["name"], it["args"]) for it in message.tool_calls] if message else []


def _ways(name: str, api: Api, errors: Errors, make: Callable[[str, str], object]) -> list[Way]:
    def model(base: str, key: str, ask: Ask):
        chat = make(base, key)
        return chat.bind_tools(TOOLS) if ask.tools else chat

    def whole(base: str, key: str, ask: Ask, heard: Heard) -> None:
        answer = model(base, key, ask).invoke(_messages(ask))
        _take(heard, answer)
        _take_calls(heard, answer)

    def stream(base: str, key: str, ask: Ask, heard: Heard) -> None:
        answer: AIMessageChunk | None = None
        for piece in model(base, key, ask).stream(_messages(ask)):
            _take(heard, piece)
            answer = piece if answer is None else answer + piece
        _take_calls(heard, answer)

    async def whole_async(base: str, key: str, ask: Ask, heard: Heard) -> None:
        answer = await model(base, key, ask).ainvoke(_messages(ask))
        _take(heard, answer)
        _take_calls(heard, answer)

    async def stream_async(base: str, key: str, ask: Ask, heard: Heard) -> None:
        answer: AIMessageChunk | None = None
        async for piece in model(base, key, ask).astream(_messages(ask)):
            _take(heard, piece)
            answer = piece if answer is None else answer + piece
        _take_calls(heard, answer)

    return four(name, api, errors, whole, stream, whole_async, stream_async)


def _openai(base: str, key: str, **more: object) -> ChatOpenAI:
    return ChatOpenAI(model=MODEL, base_url=f"{base}/v1", api_key=key, max_retries=0, timeout=PATIENCE, **more)


def _responses(base: str, key: str) -> ChatOpenAI:
    return _openai(base, key, use_responses_api=True)


def _azure(base: str, key: str) -> AzureChatOpenAI:
    where = {"azure_endpoint": base, "azure_deployment": MODEL, "api_version": "2024-10-21"}
    return AzureChatOpenAI(**where, model=MODEL, api_key=key, max_retries=0, timeout=PATIENCE)


def _anthropic(base: str, key: str) -> ChatAnthropic:
    return ChatAnthropic(model=MODEL, base_url=base, api_key=key, max_retries=0, timeout=PATIENCE, max_tokens=100)


def _google(base: str, key: str) -> ChatGoogleGenerativeAI:
    # One attempt: 0 would stand for the default.
    return ChatGoogleGenerativeAI(
        model=MODEL, base_url=base, google_api_key=key, vertexai=False, max_retries=1, timeout=PATIENCE
    )


def _ollama(base: str, key: str) -> ChatOllama:
    headers = {"Authorization": f"Bearer {key}"}
    return ChatOllama(model=MODEL, base_url=base, client_kwargs={"headers": headers, "timeout": PATIENCE})


WAYS = [
    *_ways("langchain-openai", Api.CHAT, openai_sdk.ERRORS, _openai),
    *_ways("langchain-openai-responses", Api.RESPONSES, openai_sdk.ERRORS, _responses),
    *(
        it if it.streamed else replace(it, errors=AZURE_ERRORS)
        for it in _ways("langchain-azure", Api.AZURE_CHAT, openai_sdk.ERRORS, _azure)
    ),
    *_ways("langchain-anthropic", Api.MESSAGES, anthropic_sdk.ERRORS, _anthropic),
    *_ways("langchain-google", Api.GEMINI, GOOGLE_ERRORS, _google),
    *_ways("langchain-ollama", Api.OLLAMA_CHAT, ollama_sdk.ERRORS, _ollama),
]
