"""The official SDKs, sync and async, behind one call that records the bytes on both ways.

The SDKs are used as an application would: only `base_url` and the key differ. What was on the wire is taken below them,
in the transport.
"""

import asyncio
import enum
from dataclasses import dataclass, field

import anthropic
import httpx2
import openai

from .gateway import Gateway

PATIENCE = 20.0


@dataclass
class Wire:
    """The bytes of one call, as the client sent and received them."""

    sent: bytes = b""
    sent_headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    received: bytearray = field(default_factory=bytearray)

    def _request(self, request: httpx2.Request) -> None:
        self.sent = request.content
        self.sent_headers = {name.lower(): value for name, value in request.headers.items()}

    def _response(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.received.clear()


class _SyncTap(httpx2.SyncByteStream):
    def __init__(self, inner, wire: Wire) -> None:
        self._inner, self._wire = inner, wire

    def __iter__(self):
        for piece in self._inner:
            self._wire.received += piece
            yield piece

    def close(self) -> None:
        self._inner.close()


class _AsyncTap(httpx2.AsyncByteStream):
    def __init__(self, inner, wire: Wire) -> None:
        self._inner, self._wire = inner, wire

    async def __aiter__(self):
        async for piece in self._inner:
            self._wire.received += piece
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class _SyncTransport(httpx2.HTTPTransport):
    def __init__(self, wire: Wire) -> None:
        super().__init__(verify=False)  # loopback only: no certificates to load
        self._wire = wire

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self._wire._request(request)
        response = super().handle_request(request)
        self._wire._response(response)
        response.stream = _SyncTap(response.stream, self._wire)
        return response


class _AsyncTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, wire: Wire) -> None:
        super().__init__(verify=False)  # loopback only: no certificates to load
        self._wire = wire

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self._wire._request(request)
        response = await super().handle_async_request(request)
        self._wire._response(response)
        response.stream = _AsyncTap(response.stream, self._wire)
        return response


def http(wire: Wire) -> httpx2.Client:
    """A plain client, for bodies that no SDK would send."""
    return httpx2.Client(transport=_SyncTransport(wire), timeout=PATIENCE)


class Dialect(enum.Enum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"

    @property
    def path(self) -> str:
        return "/v1/chat/completions" if self is Dialect.OPENAI else "/v1/messages"

    @property
    def errors(self):
        """The module that holds the SDK's exception types."""
        return openai if self is Dialect.OPENAI else anthropic


@dataclass
class Said:
    """What the SDK made of one answer: the same fields whether it came whole or as a stream."""

    wire: Wire
    texts: dict[int, str] = field(default_factory=dict)  # by choice; Anthropic has the one choice 0
    reasoning: dict[int, str] = field(default_factory=dict)
    refusals: dict[int, str] = field(default_factory=dict)
    tools: dict[tuple[int, int], list[str]] = field(default_factory=dict)  # (choice, call): [name, arguments]
    finish: dict[int, str | None] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.texts.get(0, "")

    @property
    def decision(self) -> str:
        return self.wire.headers["ordain-decision"]


@dataclass(frozen=True)
class Way:
    """One of the eight ways to make a call."""

    dialect: Dialect
    is_async: bool
    streamed: bool

    def __str__(self) -> str:
        return "-".join(
            [self.dialect.value, "async" if self.is_async else "sync", "stream" if self.streamed else "whole"]
        )

    def say(self, gateway: Gateway, prompt: str | list[dict], **more: object) -> Said:
        """Sends one prompt (or a list of messages) and reads the answer to its end."""
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        arguments = {"model": "scripted-1", "messages": messages, **more}
        if self.dialect is Dialect.ANTHROPIC:
            arguments.setdefault("max_tokens", 256)
        if self.streamed:
            arguments["stream"] = True
        wire = Wire()
        if self.is_async:
            return asyncio.run(self._say_async(gateway, wire, arguments))
        return self._say_sync(gateway, wire, arguments)

    def _client(self, gateway: Gateway, http_client):
        kind = {
            (Dialect.OPENAI, False): openai.OpenAI,
            (Dialect.OPENAI, True): openai.AsyncOpenAI,
            (Dialect.ANTHROPIC, False): anthropic.Anthropic,
            (Dialect.ANTHROPIC, True): anthropic.AsyncAnthropic,
        }[self.dialect, self.is_async]
        base = gateway.url + ("/v1" if self.dialect is Dialect.OPENAI else "")
        return kind(base_url=base, api_key=gateway.key, max_retries=0, http_client=http_client)

    def _create(self, client):
        return client.chat.completions.create if self.dialect is Dialect.OPENAI else client.messages.create

    def _say_sync(self, gateway: Gateway, wire: Wire, arguments: dict) -> Said:
        said = Said(wire)
        with httpx2.Client(transport=_SyncTransport(wire), timeout=PATIENCE) as http_client:
            answer = self._create(self._client(gateway, http_client))(**arguments)
            if not self.streamed:
                self._take_whole(said, answer)
                return said
            with answer:
                for event in answer:
                    self._take_event(said, event)
        return said

    async def _say_async(self, gateway: Gateway, wire: Wire, arguments: dict) -> Said:
        said = Said(wire)
        async with httpx2.AsyncClient(transport=_AsyncTransport(wire), timeout=PATIENCE) as http_client:
            answer = await self._create(self._client(gateway, http_client))(**arguments)
            if not self.streamed:
                self._take_whole(said, answer)
                return said
            async with answer:
                async for event in answer:
                    self._take_event(said, event)
        return said

    def _take_whole(self, said: Said, answer) -> None:
        if self.dialect is Dialect.OPENAI:
            for choice in answer.choices:
                self._take_message(said, choice.index, choice.message)
                said.finish[choice.index] = choice.finish_reason
            return
        for at, block in enumerate(answer.content):
            match block.type:
                case "text":
                    _add(said.texts, 0, block.text)
                case "thinking":
                    _add(said.reasoning, 0, block.thinking)
                case "tool_use":
                    said.tools[0, at] = [block.name, block.to_dict()["input"]]
        said.finish[0] = answer.stop_reason

    def _take_event(self, said: Said, event) -> None:
        if self.dialect is Dialect.OPENAI:
            for choice in event.choices:
                self._take_message(said, choice.index, choice.delta)
                if choice.finish_reason:
                    said.finish[choice.index] = choice.finish_reason
            return
        match event.type:
            case "content_block_start" if event.content_block.type == "tool_use":
                said.tools[0, event.index] = [event.content_block.name, ""]
            case "content_block_start" if event.content_block.type == "text":
                _add(said.texts, 0, event.content_block.text)
            case "content_block_delta":
                match event.delta.type:
                    case "text_delta":
                        _add(said.texts, 0, event.delta.text)
                    case "thinking_delta":
                        _add(said.reasoning, 0, event.delta.thinking)
                    case "input_json_delta":
                        said.tools[0, event.index][1] += event.delta.partial_json
            case "message_delta":
                said.finish[0] = event.delta.stop_reason

    @staticmethod
    def _take_message(said: Said, choice: int, message) -> None:
        _add(said.texts, choice, message.content)
        _add(said.refusals, choice, message.refusal)
        _add(said.reasoning, choice, getattr(message, "reasoning_content", None))
        for at, call in enumerate(message.tool_calls or []):
            place = said.tools.setdefault((choice, getattr(call, "index", at)), ["", ""])
            place[0] += call.function.name or ""
            place[1] += call.function.arguments or ""


def _add(texts: dict[int, str], choice: int, text: str | None) -> None:
    if text:
        texts[choice] = texts.get(choice, "") + text


WAYS = [Way(dialect, later, stream) for dialect in Dialect for later in (False, True) for stream in (False, True)]
STREAMED = [it for it in WAYS if it.streamed]


def post(gateway: Gateway, path: str, body: bytes, headers: dict[str, str] | None = None) -> Wire:
    """One POST of exactly these bytes, answer read to its end."""
    wire = Wire()
    default = {"content-type": "application/json", "authorization": f"Bearer {gateway.key}"}
    with http(wire) as client:
        client.post(gateway.url + path, content=body, headers=default if headers is None else headers)
    return wire
