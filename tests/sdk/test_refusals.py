"""What is refused before any policy: bad credentials, unknown endpoints, bodies that two parsers could read differently."""

import json

import pytest

from conftest import World
from rig.clients import WAYS, Dialect, Way, Wire, post

GOOD = b'{"model":"scripted-1","max_tokens":9,"messages":[{"role":"user","content":"Good morning."}]}'

MALFORMED = {
    "empty": b"",
    "blank": b"  \n",
    "not-json": b"model=scripted-1",
    "no-object": b'["model"]',
    "null": b"null",
    "cut-short": GOOD[:-1],
    "trailing-data": GOOD + b"{}",
    "trailing-letter": GOOD + b"x",
    "nul-at-the-end": GOOD + b"\0",
    "trailing-comma": GOOD[:-1] + b",}",
    "comment": GOOD[:-1] + b"/* x */}",
    "byte-order-mark": b"\xef\xbb\xbf" + GOOD,
    "utf-16": GOOD.decode().encode("utf-16"),
    "duplicate-key": GOOD.replace(b'"max_tokens":9', b'"model":"scripted-2"'),
    "duplicate-key-escaped": GOOD.replace(b'"max_tokens":9', b'"mod\\u0065l":"scripted-2"'),
    "duplicate-content": GOOD.replace(b'"content":', b'"content":"ok","content":'),
    "duplicate-content-escaped": GOOD.replace(b'"content":', b'"c\\u006fntent":"ok","content":'),
    "duplicate-in-an-unknown-field": GOOD.replace(b'"max_tokens":9', b'"x":{"a":1,"a":2}'),
    "lone-high-surrogate": GOOD.replace(b"Good", b"\\ud83d Good"),
    "lone-low-surrogate": GOOD.replace(b"Good", b"\\ude00 Good"),
    "surrogates-swapped": GOOD.replace(b"Good", b"\\ude00\\ud83d Good"),
    "lone-surrogate-in-a-key": GOOD.replace(b'"max_tokens"', b'"\\ud800"'),
    "invalid-utf-8": GOOD.replace(b"Good", b"Go\xff\xfed"),
    "overlong-utf-8": GOOD.replace(b"Good", b"Go\xc0\xafd"),
    "encoded-surrogate": GOOD.replace(b"Good", b"\xed\xa0\x80"),
    "utf-8-cut-short": GOOD.replace(b"Good", b"Goo\xc3"),
    "raw-newline-in-a-string": GOOD.replace(b"Good", b"Go\nod"),
    "bad-escape": GOOD.replace(b"Good", b"\\x41"),
    "nan": GOOD.replace(b":9", b":NaN"),
    "leading-zero": GOOD.replace(b":9", b":09"),
    "plus-sign": GOOD.replace(b":9", b":+9"),
    "single-quotes": GOOD.replace(b'"', b"'"),
}


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_400_and_goes_nowhere(world: World, dialect: Dialect, name: str) -> None:
    wire = post(world.gateway, dialect.path, MALFORMED[name])
    assert wire.status == 400, bytes(wire.received)
    assert_error_shape(wire, dialect)
    assert world.upstream_bytes() == b""


def assert_error_shape(wire: Wire, dialect: Dialect) -> None:
    """The shape that the SDK of this API turns into its own exceptions."""
    body = json.loads(wire.received)
    assert body["error"]["message"] and body["error"]["type"]
    if dialect is Dialect.ANTHROPIC:
        assert body["type"] == "error"


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_the_unbroken_body_passes(world: World, dialect: Dialect) -> None:
    """The control: what the malformed bodies were made from is accepted."""
    wire = post(world.gateway, dialect.path, GOOD)
    assert wire.status == 200
    assert world.upstream(dialect).only().body == GOOD


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_a_nul_and_a_paired_surrogate_are_fine(world: World, dialect: Dialect) -> None:
    body = GOOD.replace(b"Good", b"\\ud83d\\ude00 \\u0000 Good")
    assert post(world.gateway, dialect.path, body).status == 200
    assert world.upstream(dialect).only().body == body


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_a_body_nested_beyond_reason_is_400(world: World, dialect: Dialect) -> None:
    body = GOOD[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert post(world.gateway, dialect.path, body).status in (400, 413)
    assert world.upstream_bytes() == b""


BAD_CREDENTIALS = {
    "none": {},
    "empty-bearer": {"authorization": "Bearer"},
    "unknown-bearer": {"authorization": "Bearer ord-0000000000000000000000000000"},
    "unknown-x-api-key": {"x-api-key": "ord-0000000000000000000000000000"},
    "basic": {"authorization": "Basic b3JkOm9yZA=="},
}


@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
@pytest.mark.parametrize("name", BAD_CREDENTIALS)
def test_a_bad_credential_is_401(world: World, dialect: Dialect, name: str) -> None:
    wire = post(world.gateway, dialect.path, GOOD, BAD_CREDENTIALS[name])
    assert wire.status == 401
    assert_error_shape(wire, dialect)
    assert world.upstream_bytes() == b""


def test_a_key_cut_short_prolonged_or_in_the_url_is_401(world: World) -> None:
    key = world.gateway.key
    for wrong in (key[:-1], key + "x", key.upper(), key[:-1] + ("a" if key[-1] != "a" else "b")):
        assert post(world.gateway, "/v1/messages", GOOD, {"x-api-key": wrong}).status == 401
    assert post(world.gateway, f"/v1/messages?key={key}&api_key={key}", GOOD, {}).status == 401
    assert world.upstream_bytes() == b""


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
@pytest.mark.parametrize("dialect", Dialect, ids=lambda it: it.value)
def test_either_header_carries_the_key(world: World, dialect: Dialect, header: str) -> None:
    value = f"Bearer {world.gateway.key}" if header == "authorization" else world.gateway.key
    headers = {"content-type": "application/json", header: value}
    assert post(world.gateway, dialect.path, GOOD, headers).status == 200


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_sdk_raises_its_own_authentication_error(world: World, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.gateway, "key", "ord-not-a-key")
    with pytest.raises(way.dialect.errors.AuthenticationError):
        way.say(world.gateway, "Good morning.")
    assert world.upstream_bytes() == b""


UNKNOWN_ENDPOINTS = [
    "/v1/invented",
    "/v1/audio/transcriptions",
    "/v1/fine_tuning/jobs",
    "/v1/chat/completions/more",
    "/v1/messages/batches",
    "/v2/chat/completions",
    "/openai/v2/chat/completions",
]


@pytest.mark.parametrize("path", UNKNOWN_ENDPOINTS)
def test_an_unknown_endpoint_is_403(world: World, path: str) -> None:
    assert post(world.gateway, path, GOOD).status == 403
    assert world.upstream_bytes() == b""
