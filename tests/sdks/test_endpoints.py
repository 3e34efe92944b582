"""Endpoints that give no chat answer: OpenAI's embeddings, moderations, images and speech, Gemini's and Ollama's vectors.

Nothing of theirs can carry a refusal in words: what is blocked is the SDK's exception for 403.
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import ollama

import pytest

from conftest import World
from rig.answers import compact
from rig.planted import API_KEY, CARD, EMAIL, assert_no_leak
from rig.upstream import Answer
from scripted import MODEL, Api
from ways import PNG_BASE64, Ask, Errors, Heard, Way, google_genai, ollama_sdk, openai_sdk

# --- what the upstream says -----------------------------------------------------------------------------------------

VECTOR = [0.25, -0.5, 0.125]
_USAGE = {"prompt_tokens": 3, "total_tokens": 3}
EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": VECTOR}],
    "model": MODEL,
    "usage": _USAGE,
}
_CATEGORIES = ["hate", "violence"]
MODERATION = {
    "id": "modr-scripted",
    "model": MODEL,
    "results": [
        {
            "flagged": False,
            "categories": dict.fromkeys(_CATEGORIES, False),
            "category_scores": dict.fromkeys(_CATEGORIES, 0.01),
        }
    ],
}
IMAGES = {"created": 1_760_000_000, "data": [{"b64_json": PNG_BASE64}]}
SOUND = b"RIFF\x24\x00\x00\x00WAVEfmt scripted"
GEMINI_VECTORS = {"embeddings": [{"values": VECTOR}]}
OLLAMA_VECTORS = {"model": MODEL, "embeddings": [VECTOR], "total_duration": 5, "prompt_eval_count": 3}

# --- how it is asked ------------------------------------------------------------------------------------------------


def _embeddings(it, ask: Ask):
    return it.embeddings.create(model=MODEL, input=[ask.prompt, "and more"], encoding_format="float")


def _moderations(it, ask: Ask):
    return it.moderations.create(model=MODEL, input=ask.prompt)


def _images(it, ask: Ask):
    return it.images.generate(model=MODEL, prompt=ask.prompt)


def _speech(it, ask: Ask):
    return it.audio.speech.create(model=MODEL, voice="alloy", input=ask.prompt, response_format="wav")


def _openai_now(ask_it: Callable, show: Callable, make: Callable, base: str, key: str, ask: Ask, heard: Heard) -> None:
    with make(base, key) as it:
        heard.take(show(ask_it(it, ask)))


async def _openai_later(ask_it, show: Callable, make: Callable, base: str, key: str, ask: Ask, heard: Heard) -> None:
    async with make(base, key) as it:
        heard.take(show(await ask_it(it, ask)))


def _gemini_now(base: str, key: str, ask: Ask, heard: Heard) -> None:
    with google_genai.client(base, key) as it:
        heard.take(str(it.models.embed_content(model=MODEL, contents=[ask.prompt]).embeddings[0].values))


async def _gemini_later(base: str, key: str, ask: Ask, heard: Heard) -> None:
    async with google_genai.client_async(base, key) as it:
        heard.take(str((await it.models.embed_content(model=MODEL, contents=[ask.prompt])).embeddings[0].values))


def _ollama_now(base: str, key: str, ask: Ask, heard: Heard) -> None:
    it = ollama_sdk.client(ollama.Client, base, key)
    heard.take(str(list(it.embed(model=MODEL, input=[ask.prompt]).embeddings[0])))


async def _ollama_later(base: str, key: str, ask: Ask, heard: Heard) -> None:
    it = ollama_sdk.client(ollama.AsyncClient, base, key)
    heard.take(str(list((await it.embed(model=MODEL, input=[ask.prompt])).embeddings[0])))


@dataclass(frozen=True)
class Endpoint:
    """A way to it, what the upstream says and what the SDK shows of that."""

    way: Way
    says: Answer
    shows: str

    def __str__(self) -> str:
        return self.way.name


def _endpoint(name: str, api: Api, errors: Errors, call: Callable, says: dict | Answer, shows: str) -> Endpoint:
    answer = says if isinstance(says, Answer) else Answer([compact(says)])
    return Endpoint(Way(name, api, False, errors, call), answer, shows)


def _openai(name: str, ask_it: Callable, show: Callable, says: dict | Answer, shows: str) -> list[Endpoint]:
    kinds = [
        ("openai-sync", _openai_now, openai_sdk.client, Api.CHAT),
        ("openai-async", _openai_later, openai_sdk.client_async, Api.CHAT),
    ]
    return [
        _endpoint(f"{kind}-{name}", api, openai_sdk.ERRORS, partial(call, ask_it, show, make), says, shows)
        for kind, call, make, api in kinds
    ]


def _vector(answer) -> str:
    return str(answer.data[0].embedding)


_AZURE_EMBEDDINGS = partial(_openai_now, _embeddings, _vector, openai_sdk.azure)
ENDPOINTS = [
    *_openai("embeddings", _embeddings, _vector, EMBEDDINGS, str(VECTOR)),
    *_openai("moderations", _moderations, lambda it: str(it.results[0].flagged), MODERATION, "False"),
    _endpoint("azure-embeddings", Api.AZURE_CHAT, openai_sdk.ERRORS, _AZURE_EMBEDDINGS, EMBEDDINGS, str(VECTOR)),
    _endpoint("genai-sync-embed", Api.GEMINI, google_genai.ERRORS, _gemini_now, GEMINI_VECTORS, str(VECTOR)),
    _endpoint("genai-async-embed", Api.GEMINI, google_genai.ERRORS, _gemini_later, GEMINI_VECTORS, str(VECTOR)),
    _endpoint("ollama-sync-embed", Api.OLLAMA_CHAT, ollama_sdk.ERRORS, _ollama_now, OLLAMA_VECTORS, str(VECTOR)),
    _endpoint("ollama-async-embed", Api.OLLAMA_CHAT, ollama_sdk.ERRORS, _ollama_later, OLLAMA_VECTORS, str(VECTOR)),
]
# What they answer with cannot be read, and the starter policy stops what cannot be read: nobody is asked for it.
MEDIA = [
    *_openai("images", _images, lambda it: it.data[0].b64_json, IMAGES, PNG_BASE64),
    *_openai("speech", _speech, lambda it: base64.b64encode(it.content).decode(), Answer([SOUND], content_type="audio/wav"), ""),
]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_allow_changes_nothing(world: World, endpoint: Endpoint) -> None:
    heard = world.say(endpoint.way, "Good morning.", endpoint.says)
    assert heard.error is None, repr(heard.error)
    assert heard.text == endpoint.shows
    assert heard.headers["ordain-decision"] == "allow"
    assert heard.body == b"".join(endpoint.says.pieces)
    assert world.forwarded(endpoint.way).body == heard.sent


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_coach_passes_with_a_notice(world: World, endpoint: Endpoint) -> None:
    heard = world.say(endpoint.way, f"Write a short reply to {EMAIL} please.", endpoint.says)
    assert heard.error is None, repr(heard.error)
    assert heard.headers["ordain-decision"] == "coach" and heard.headers["ordain-notice"]
    assert world.forwarded(endpoint.way).body == heard.sent


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_redact_masks_the_input(world: World, endpoint: Endpoint) -> None:
    heard = world.say(endpoint.way, f"Größe first: {CARD.value} is what they gave me. 🙂", endpoint.says)
    assert heard.error is None, repr(heard.error)
    assert heard.text == endpoint.shows
    assert_no_leak(CARD, world.upstream_bytes())
    assert world.forwarded(endpoint.way).body == heard.sent.replace(CARD.value.encode(), CARD.mask.encode())


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_a_block_is_the_exception_for_it(world: World, endpoint: Endpoint) -> None:
    heard = world.say(endpoint.way, f"Why is this refused?\n{API_KEY.value}\nPlease help.", endpoint.says)
    assert heard.status == 403
    assert heard.error is not None and endpoint.way.errors.denied(heard.error), repr(heard.error)
    # Whoever reads the exception learns which clause it was, and which record to name.
    assert "DA-3" in str(heard.error) and heard.headers["ordain-record"] in str(heard.error), str(heard.error)
    assert world.upstream_bytes() == b""
    heard.assert_free_of(API_KEY)


@pytest.mark.parametrize("endpoint", MEDIA, ids=str)
def test_sound_and_pictures_are_not_let_through(world: World, endpoint: Endpoint) -> None:
    heard = world.say(endpoint.way, "A boat at sea.", endpoint.says)
    assert heard.status == 403
    assert heard.error is not None and endpoint.way.errors.denied(heard.error), repr(heard.error)
    assert "uninspectable" in str(heard.error) and heard.headers["ordain-record"] in str(heard.error), str(heard.error)
    assert world.upstream_bytes() == b""
    assert heard.text == ""


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, *MEDIA], ids=str)
def test_a_wrong_key_is_the_exception_for_it(world: World, endpoint: Endpoint) -> None:
    heard = world.say(endpoint.way, "Good morning.", endpoint.says, key=f"ord-{secrets.token_hex(19)}")
    assert heard.error is not None and endpoint.way.errors.auth(heard.error), repr(heard.error)
    assert world.upstream_bytes() == b""


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_trouble_upstream_is_the_exception_for_it(world: World, endpoint: Endpoint) -> None:
    trouble = Answer([b'{"error":{"message":"The model fell over.","type":"server_error","code":500}}'], status=500)
    heard = world.say(endpoint.way, "Good morning.", trouble)
    assert heard.error is not None and endpoint.way.errors.server(heard.error), repr(heard.error)
