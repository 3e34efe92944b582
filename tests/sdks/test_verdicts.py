"""How each verdict, and what goes wrong, looks to each SDK, by each of its ways."""

import re
import secrets

import pytest
from langchain_openai import AzureChatOpenAI

from conftest import World
from rig.planted import API_KEY, CARD, EMAIL, IBAN, assert_no_leak
from rig.upstream import Answer
from scripted import MODEL, TOOL, Api, Spoken
from ways import Ask, Heard, Way, anthropic_sdk, google_genai, langchain, node_sdks, ollama_sdk, openai_sdk

MODULES = [google_genai, ollama_sdk, openai_sdk, anthropic_sdk, langchain, node_sdks]
WAYS = [way for module in MODULES for way in module.WAYS]
WITH_TOOLS = [it for it in WAYS if it.api.has_tools]
WITH_IMAGES = [it for it in WAYS if it.api.has_images]

FINE = Spoken("All is well, Größe and all. 🙂")
# Long enough that much of it is on its way before the last word.
LONG = "A sentence that says nothing in particular, again and again. " * 4


def assert_went_well(way: Way, heard: Heard) -> None:
    assert heard.error is None, repr(heard.error)
    assert heard.finish == way.api.fine
    assert heard.complete


def assert_refused(way: Way, heard: Heard) -> None:
    """A refusal by content, at the beginning or in the middle: the SDK comes to its end and says why and where."""
    assert way.errors.refused(heard.error), repr(heard.error)
    assert heard.status == 200
    assert heard.complete
    words = heard.text if way.errors.shows_refusals else heard.body.decode()
    assert heard.headers["ordain-record"] in words, words
    assert heard.finish == (way.api.refused if way.errors.shows_refusals else None)


def assert_explained(way: Way, heard: Heard) -> None:
    """A refusal of the request, which names the clause as well."""
    assert_refused(way, heard)
    assert heard.headers["ordain-decision"] == "block"
    clause = re.split(r"[,;\s]+", heard.headers["ordain-clause"])[0]
    assert clause and clause in (heard.text if way.errors.shows_refusals else heard.body.decode())


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_allow_changes_nothing(world: World, way: Way) -> None:
    heard = world.say(way, "Good morning.", FINE)
    assert_went_well(way, heard)
    assert heard.text == FINE.text
    assert heard.headers["ordain-decision"] == "allow"
    assert world.forwarded(way).body == heard.sent


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_coach_passes_unchanged_with_a_notice(world: World, way: Way) -> None:
    heard = world.say(way, f"Write a short reply to {EMAIL} please.", FINE)
    assert_went_well(way, heard)
    assert heard.text == FINE.text
    assert heard.headers["ordain-decision"] == "coach"
    assert heard.headers["ordain-notice"] and EMAIL not in heard.headers["ordain-notice"]
    if heard.shown_headers is not None:
        assert heard.shown_headers["ordain-notice"] == heard.headers["ordain-notice"]
    assert world.forwarded(way).body == heard.sent


def test_openais_sdk_shows_the_notice(world: World) -> None:
    """It shows headers where it is asked for the raw answer."""

    def call(base: str, key: str, ask: Ask, heard: Heard) -> None:
        with openai_sdk.client(base, key) as it:
            raw = it.chat.completions.with_raw_response.create(
                model=MODEL, messages=[{"role": "user", "content": ask.prompt}]
            )
            heard.shown_headers = dict(raw.headers)
            heard.take(raw.parse().choices[0].message.content)

    way = Way("openai-raw", Api.CHAT, False, openai_sdk.ERRORS, call)
    heard = world.say(way, f"Write a short reply to {EMAIL} please.", FINE)
    assert heard.error is None, repr(heard.error)
    assert heard.text == FINE.text
    assert heard.shown_headers["ordain-notice"] == heard.headers["ordain-notice"]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_redact_masks_the_prompt_and_nothing_else(world: World, way: Way) -> None:
    heard = world.say(way, f"Größe first: {CARD.value} is what they gave me. 🙂", FINE)
    assert_went_well(way, heard)
    assert heard.text == FINE.text
    assert heard.headers["ordain-decision"] == "redact"
    assert CARD.value.encode() in heard.sent
    assert_no_leak(CARD, world.upstream_bytes())
    assert world.forwarded(way).body == heard.sent.replace(CARD.value.encode(), CARD.mask.encode())


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_answer_is_masked(world: World, way: Way) -> None:
    heard = world.say(way, "What was it again?", Spoken(f"Here you are: {IBAN.value} and a good day."))
    assert_went_well(way, heard)
    assert heard.text == f"Here you are: {IBAN.mask} and a good day."
    heard.assert_free_of(IBAN)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_prompt_with_a_secret_is_refused_in_words(world: World, way: Way) -> None:
    heard = world.say(way, f"Why is this refused?\n{API_KEY.value}\nPlease help.", FINE)
    assert_explained(way, heard)
    assert world.upstream_bytes() == b""
    heard.assert_free_of(API_KEY)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_answer_that_is_blocked_ends_in_words(world: World, way: Way) -> None:
    """Also in the middle of a stream: what was fine until then stays said, and the SDK comes to its end."""
    spoken = Spoken(f"{LONG}The account is {IBAN.value} and more. {LONG}")
    heard = world.say(way, "What was it again?", spoken, gateway=world.blocking)
    assert_refused(way, heard)
    if way.streamed:
        assert heard.text.startswith(LONG)
    heard.assert_free_of(IBAN)


@pytest.mark.parametrize("way", WITH_TOOLS, ids=str)
def test_a_tool_is_offered_and_called(world: World, way: Way) -> None:
    spoken = Spoken("I look.", [{"name": "Größe"}, {"name": f"of {IBAN.value} here"}])
    heard = world.say(way, Ask("Look it up.", tools=True), spoken)
    assert heard.error is None, repr(heard.error)
    assert heard.complete
    assert heard.text == "I look."
    assert heard.calls == [(TOOL, {"name": "Größe"}), (TOOL, {"name": f"of {IBAN.mask} here"})]
    heard.assert_free_of(IBAN)
    seen = world.forwarded(way)
    assert seen.body == heard.sent and TOOL.encode() in seen.body


@pytest.mark.parametrize("way", WITH_TOOLS, ids=str)
def test_a_blocked_call_of_a_tool_is_not_heard_of(world: World, way: Way) -> None:
    """One before it may have been whole and on its way already."""
    spoken = Spoken(LONG, [{"name": "fine"}, {"name": IBAN.value}])
    heard = world.say(way, Ask("Look it up.", tools=True), spoken, gateway=world.blocking)
    assert_refused(way, heard)
    assert heard.calls in ([], [(TOOL, {"name": "fine"})])
    heard.assert_free_of(IBAN)


@pytest.mark.parametrize("way", WITH_TOOLS, ids=str)
def test_of_a_blocked_call_alone_nothing_is_left(world: World, way: Way) -> None:
    heard = world.say(way, Ask("Look it up.", tools=True), Spoken("", [{"name": IBAN.value}]), gateway=world.blocking)
    assert_refused(way, heard)
    assert heard.calls == []
    assert TOOL.encode() not in heard.body
    heard.assert_free_of(IBAN)


@pytest.mark.parametrize("way", WITH_IMAGES, ids=str)
def test_a_picture_is_refused_in_words(world: World, way: Way) -> None:
    heard = world.say(way, Ask("What is on it?", image=True), FINE)
    assert_explained(way, heard)
    assert "DA-4" in heard.headers["ordain-clause"] or "uninspectable" in heard.headers["ordain-clause"]
    assert world.upstream_bytes() == b""


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_wrong_key_is_the_exception_for_it(world: World, way: Way) -> None:
    # Another one each time: wrong keys that begin alike are soon told to wait.
    heard = world.say(way, "Good morning.", FINE, key=f"ord-{secrets.token_hex(19)}")
    assert heard.status == 401
    assert heard.error is not None and way.errors.auth(heard.error), repr(heard.error)
    assert world.upstream_bytes() == b""


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_trouble_upstream_is_the_exception_for_it(world: World, way: Way) -> None:
    trouble = Answer([b'{"error":{"message":"The model fell over.","type":"server_error","code":500}}'], status=500)
    heard = world.say(way, "Good morning.", trouble)
    assert heard.error is not None and way.errors.server(heard.error), repr(heard.error)


def test_a_deployment_in_the_path_needs_no_model(world: World) -> None:
    """LangChain then sends `"model": null`."""

    def call(base: str, key: str, ask: Ask, heard: Heard) -> None:
        where = {"azure_endpoint": base, "azure_deployment": MODEL, "api_version": "2024-10-21"}
        heard.take(AzureChatOpenAI(**where, api_key=key, max_retries=0).invoke(ask.prompt).text)

    way = Way("langchain-azure-deployment", Api.AZURE_CHAT, False, openai_sdk.ERRORS, call)
    heard = world.say(way, "Good morning.", FINE)
    assert heard.error is None, repr(heard.error)
    assert heard.text == FINE.text
    assert world.forwarded(way).body == heard.sent
