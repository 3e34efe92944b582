"""Answers that an SDK reads as an object of the application's: what comes of them, and of a refusal in their place."""

import json

import openai
import pydantic
import pytest
from google.genai import types
from langchain_openai import ChatOpenAI

from conftest import World
from rig.planted import API_KEY, IBAN
from scripted import Api, Spoken
from ways import MODEL, PATIENCE, Ask, Heard, Way, google_genai, openai_sdk


class Account(pydantic.BaseModel):
    owner: str
    number: str


SPOKEN = Spoken(json.dumps({"owner": "Größe & Co", "number": IBAN.value}, ensure_ascii=False))
SHOWN = f"Größe & Co/{IBAN.mask}"


def _show(heard: Heard, account: Account | None) -> None:
    heard.take(f"{account.owner}/{account.number}" if account else None)


def _genai(base: str, key: str, ask: Ask, heard: Heard) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Account)
    with google_genai.client(base, key) as it:
        answer = it.models.generate_content(model=MODEL, contents=ask.prompt, config=config)
    _show(heard, answer.parsed)
    heard.finish = answer.text  # the words, as they stand beside the object


def _openai_responses(base: str, key: str, ask: Ask, heard: Heard) -> None:
    with openai_sdk.client(base, key) as it:
        answer = it.responses.parse(model=MODEL, input=ask.prompt, text_format=Account)
    _show(heard, answer.output_parsed)


def _openai_chat(base: str, key: str, ask: Ask, heard: Heard) -> None:
    messages = [{"role": "user", "content": ask.prompt}]
    with openai_sdk.client(base, key) as it:
        answer = it.chat.completions.parse(model=MODEL, messages=messages, response_format=Account)
    _show(heard, answer.choices[0].message.parsed)


def _langchain(base: str, key: str, ask: Ask, heard: Heard) -> None:
    model = ChatOpenAI(model=MODEL, base_url=f"{base}/v1", api_key=key, max_retries=0, timeout=PATIENCE)
    _show(heard, model.with_structured_output(Account, method="json_schema").invoke(ask.prompt))


GENAI = Way("genai-schema", Api.GEMINI, False, google_genai.ERRORS, _genai)
RESPONSES = Way("openai-responses-parse", Api.RESPONSES, False, openai_sdk.ERRORS, _openai_responses)
CHAT = Way("openai-chat-parse", Api.CHAT, False, openai_sdk.ERRORS, _openai_chat)
LANGCHAIN = Way("langchain-structured", Api.CHAT, False, openai_sdk.ERRORS, _langchain)


@pytest.mark.parametrize("way", [GENAI, RESPONSES, CHAT, LANGCHAIN], ids=str)
def test_an_object_is_masked_inside(world: World, way: Way) -> None:
    heard = world.say(way, "Whose account is it?", SPOKEN)
    assert heard.error is None, repr(heard.error)
    assert heard.text == SHOWN
    assert b"schema" in world.forwarded(way).body.lower()
    heard.assert_free_of(IBAN)


def test_a_refusal_is_no_object_but_its_words_are_there(world: World) -> None:
    heard = world.say(GENAI, f"Use {API_KEY.value} for it.", SPOKEN)
    assert heard.error is None, repr(heard.error)
    assert heard.text == ""
    assert heard.headers["ordain-record"] in heard.finish


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        (CHAT, openai.ContentFilterFinishReasonError),
        (LANGCHAIN, openai.ContentFilterFinishReasonError),
        (RESPONSES, pydantic.ValidationError),
    ],
    ids=["openai-chat-parse", "langchain-structured", "openai-responses-parse"],
)
def test_a_refusal_raises_where_an_object_is_insisted_on(world: World, way: Way, kind: type) -> None:
    """Two of these SDKs raise for `content_filter`, whatever was said; one reads the words as the object."""
    heard = world.say(way, f"Use {API_KEY.value} for it.", SPOKEN)
    assert isinstance(heard.error, kind), repr(heard.error)
    assert heard.status == 200 and heard.headers["ordain-decision"] == "block"
    assert heard.headers["ordain-record"].encode() in heard.body
    assert world.upstream_bytes() == b""
