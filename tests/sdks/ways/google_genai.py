"""Google's SDK for Gemini."""

import base64

from google import genai
from google.genai import errors, types
from google.genai.client import AsyncClient

from scripted import TOOL, Api

from . import MODEL, PARAMETERS, PATIENCE, PNG_BASE64, TOOL_TEXT, Ask, Errors, Heard, four, raises

ERRORS = Errors(
    auth=raises(errors.ClientError, code=401),
    denied=raises(errors.ClientError, code=403),
    server=raises(errors.ServerError, code=500),
    stream=raises(errors.APIError),
)


def client(base: str, key: str) -> genai.Client:
    """On the version of the API that the SDK takes by itself."""
    options = types.HttpOptions(base_url=base, timeout=int(PATIENCE * 1000))
    return genai.Client(vertexai=False, api_key=key, http_options=options)


def client_async(base: str, key: str) -> AsyncClient:
    """On the other version, which earlier releases took."""
    options = types.HttpOptions(base_url=base, api_version="v1beta", timeout=int(PATIENCE * 1000))
    return genai.Client(vertexai=False, api_key=key, http_options=options).aio


def _request(ask: Ask) -> dict:
    contents = [types.Part.from_text(text=ask.prompt)]
    if ask.image:
        contents.append(types.Part.from_bytes(data=base64.b64decode(PNG_BASE64), mime_type="image/png"))
    config = types.GenerateContentConfig(temperature=0.5)
    if ask.tools:
        declared = types.FunctionDeclaration(name=TOOL, description=TOOL_TEXT, parameters_json_schema=PARAMETERS)
        config.tools = [types.Tool(function_declarations=[declared])]
    return {"model": MODEL, "contents": contents, "config": config}


def _take(heard: Heard, response: types.GenerateContentResponse) -> None:
    parts = response.candidates[0].content.parts if response.candidates and response.candidates[0].content else None
    heard.take("".join(it.text or "" for it in parts or []))
    heard.calls += [(it.name, it.args) for it in response.function_calls or []]
    if response.candidates and response.candidates[0].finish_reason:
        heard.finish = response.candidates[0].finish_reason.value
    if response.sdk_http_response and response.sdk_http_response.headers:
        heard.shown_headers = {name.lower(): value for name, value in response.sdk_http_response.headers.items()}


def _whole(base: str, key: str, ask: Ask, heard: Heard) -> None:
    with client(base, key) as it:
        _take(heard, it.models.generate_content(**_request(ask)))


def _stream(base: str, key: str, ask: Ask, heard: Heard) -> None:
    with client(base, key) as it:
        for response in it.models.generate_content_stream(**_request(ask)):
            _take(heard, response)


async def _whole_async(base: str, key: str, ask: Ask, heard: Heard) -> None:
    async with client_async(base, key) as it:
        _take(heard, await it.models.generate_content(**_request(ask)))


async def _stream_async(base: str, key: str, ask: Ask, heard: Heard) -> None:
    async with client_async(base, key) as it:
        async for response in await it.models.generate_content_stream(**_request(ask)):
            _take(heard, response)


WAYS = four("genai", Api.GEMINI, ERRORS, _whole, _stream, _whole_async, _stream_async)
