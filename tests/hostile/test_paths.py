"""Threats B11 and B12: a request is the inspected one to the letter, or it is refused.

Whatever a client writes into the request line, or into headers that other servers take for a request line, there are
two ways: the request is the inspected endpoint, and the upstream is sent that endpoint's own path; or it is refused,
nothing reaches the upstream, and the refusal is on record.
"""

import pytest

from bare import Answer
from conftest import World
from running import prompt, request, upstream_headers

BODY = prompt("Good morning.")
CHAT = "/v1/chat/completions"

# Another way to write the same resource: the path is the endpoint's own, and what stands around it goes nowhere.
SAME = [
    "/v1/chat/completions",
    "/v1/chat/completions?",
    "/v1/chat/completions?stream=true",
    "/v1/chat/completions?api-version=2024-10-21&x=%2f..%2f",
    "/v1/chat/completions?/../../healthz",
    "/v1/chat/completions?_method=DELETE",
    "/v1/chat/completions?url=http://127.0.0.1:1/",
    "/v1/chat/completions??",
    "/v1/chat/completions#",
    "/v1/chat/completions#fragment",
    "/v1/chat/completions?x#y",
    "http://gateway/v1/chat/completions",
    "http://gateway:80/v1/chat/completions",
    "HTTP://GATEWAY/v1/chat/completions",
    "https://other.example/v1/chat/completions",
    "http://127.0.0.1:1/v1/chat/completions",
    "http://[::1]/v1/chat/completions",
    "http://user:password@gateway/v1/chat/completions",
    "http://gateway/v1/chat/completions?x=1",
    "/v1/chat/completions?" + "x" * 40_000,
]

# What a server behind a normaliser of its own might take for an inspected endpoint.
OTHER = [
    "//v1/chat/completions",
    "///v1/chat/completions",
    "/v1//chat/completions",
    "/v1/chat//completions",
    "/v1/chat/completions/",
    "/v1/chat/completions//",
    "/./v1/chat/completions",
    "/v1/./chat/completions",
    "/v1/chat/./completions",
    "/v1/chat/completions/.",
    "/v1/chat/completions/..",
    "/../v1/chat/completions",
    "/v1/../v1/chat/completions",
    "/v1/x/../chat/completions",
    "/v1/messages/../chat/completions",
    "/v1/chat/completions/../../messages",
    "/healthz/../v1/chat/completions",
    "/v1/chat/completions/../completions",
    "/v1/..;/v1/chat/completions",
    "/v1/%2e/chat/completions",
    "/v1/%2e%2e/v1/chat/completions",
    "/v1/.%2e/v1/chat/completions",
    "/%2e%2e/v1/chat/completions",
    "/v1/%252e%252e/v1/chat/completions",
    "/v1%2fchat%2fcompletions",
    "/v1/chat%2fcompletions",
    "/v1/chat%2Fcompletions",
    "/v1/chat%252fcompletions",
    "/%2fv1/chat/completions",
    "/v1/chat%5ccompletions",
    "/v1\\chat\\completions",
    "/v1/chat\\completions",
    "\\v1\\chat\\completions",
    "/%76%31/chat/completions",
    "/v1/chat/completion%73",
    "/v1/chat/%63ompletions",
    "/v1/chat/completions%00",
    "/v1/chat/completions%00.txt",
    "/v1/chat/completions%20",
    "/v1/chat/completions%09",
    "/v1/chat/completions%0a",
    "/v1/chat/completions%0d%0aX-User:%20other",
    "/v1/chat/completions%3f",
    "/v1/chat/completions%3fx=1",
    "/v1/chat/completions%23",
    "/v1/chat/completions%",
    "/v1/chat/completions%2",
    "/v1/chat/completions%zz",
    "/v1/chat/completions%ff",
    "/v1/chat/completions%c0%af",
    "/v1/chat/completions;",
    "/v1/chat/completions;x=1",
    "/v1;x/chat/completions",
    "/v1/chat;jsessionid=1/completions",
    "/;/v1/chat/completions",
    "/V1/chat/completions",
    "/v1/Chat/Completions",
    "/V1/CHAT/COMPLETIONS",
    "/v1/chat/completionS",
    "/v1/chat/completion\u017f",
    "/v1/chat/completions.json",
    "/v1/chat/completions~",
    "/v1/chat/completions,",
    "/v1/chat/completions&x=1",
    "/v1/chat/completions:generate",
    "/v1/chat/completions@gateway",
    "/v1/chat/completions|",
    "/v1/chat/completions^",
    '/v1/chat/completions"',
    "/v1/chat/completionsx",
    "/v1/chat",
    "/v1/chat/",
    "/v1",
    "/",
    "//",
    "/chat/completions",
    "/v2/chat/completions",
    "/v1/v1/chat/completions",
    "/openai/v2/chat/completions",
    "/api/v1/chat/completions",
    "//gateway/v1/chat/completions",
    "/http://gateway/v1/chat/completions",
    "/v1/chat/completions/" + "x" * 40_000,
    "http://gateway//v1/chat/completions",
    "http://gateway/v1/chat/completions/",
    "http://gateway/v1/../v1/chat/completions",
    "http://gateway",
    "http://gateway/",
    "http://gateway?/v1/chat/completions",
    "*",
    "gateway:80",
    "//v1/messages",
    "/v1/messages/",
    "/v1//messages",
    "/v1/./messages",
    "/v1/%2e%2e/v1/messages",
    "/v1%2fmessages",
    "/v1/message%73",
    "/v1/messages%00",
    "/v1/messages;x=1",
    "/v1/messages%3fbeta=true",
    "/v1/Messages",
    "/v1/messages.json",
    "/v1/messages\\",
    "/v1/chat/completions/../../../v1/messages",
]

# What is no target at all. The connection closes before anybody could know whose request it was, so there is no record.
MALFORMED = [
    "v1/chat/completions",
    "gateway/v1/chat/completions",
    "?/v1/chat/completions",
    "#/v1/chat/completions",
    "http:/v1/chat/completions",
    "http:///v1/chat/completions",
    "http://",
    "://gateway/v1/chat/completions",
    "/v1/chat/completions<",
    "/v1/chat/completions>",
    "/v1/chat/completions`",
    "/v1/chat/completions\x7f",
    "/v1/chat/completions\xff",
    "/v1/chat/completions?\xff",
    "/v1/chat/complet\x01ions",
]


def short(path: str) -> str:
    return ascii(path if len(path) < 100 else path[:40] + "…")


def assert_inspected(world: World, answer: Answer) -> None:
    """The upstream was sent the endpoint, and nothing else that the client wrote."""
    assert answer.status == 200, answer
    seen = world.upstream.only()
    assert (seen.method, seen.target, seen.body) == ("POST", CHAT, BODY)
    assert seen.headers == upstream_headers(world.upstream, answer, BODY)
    assert [it["kind"] for it in world.records_of(answer)] == ["intent", "outcome"]


@pytest.mark.parametrize("path", SAME, ids=short)
def test_what_stands_around_the_path_goes_nowhere(world: World, path: str) -> None:
    assert_inspected(world, world.ask(request(world.gateway, BODY, path=path)))


@pytest.mark.parametrize("path", OTHER, ids=short)
def test_a_path_that_only_looks_alike_is_refused(world: World, path: str) -> None:
    raw = request(world.gateway, BODY, path=path.encode().decode("latin-1"))
    talk = world.talk(raw)
    (answer,) = talk.answers
    assert 400 <= answer.status < 500
    assert world.upstream.raw() == b""
    if answer.all("ordain-record"):
        world.assert_refused(answer, 403, 404)
    else:
        assert answer.status == 400 and talk.closed, "only what cannot be read may stay without a record"


@pytest.mark.parametrize("path", MALFORMED, ids=short)
def test_what_is_no_target_is_400(world: World, path: str) -> None:
    talk = world.talk(request(world.gateway, BODY, path=path))
    assert talk.statuses == [400] and talk.closed
    assert world.upstream.raw() == b""


METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PRI", "QUERY", "PROPFIND", "COPY"]
METHODS += ["post", "Post", "POSTS", "P", "POST2", "X-POST", "$POST", "M-SEARCH"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("method", METHODS)
def test_another_method_is_refused(world: World, method: str, path: str) -> None:
    answer = world.ask(request(world.gateway, BODY, path=path, method=method))
    world.assert_refused(answer, 403, 405)
    assert world.gateway.key.encode() not in answer.body, "a request comes back with its credential"


def test_a_made_up_method_is_not_kept(world: World) -> None:
    answer = world.ask(request(world.gateway, BODY, method="MYPASSWORDISHUNTER" + "2" * 5000))
    (record,) = world.records_of(answer)
    assert "HUNTER" not in record["route"]["endpoint"] and len(record["route"]["endpoint"]) < 100


@pytest.mark.parametrize("target", ["gateway:443", "127.0.0.1:1", "/v1/chat/completions", "http://gateway/"])
def test_connect_opens_no_tunnel(world: World, target: str) -> None:
    raw = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nAuthorization: Bearer {world.gateway.key}\r\n\r\n"
    talk = world.talk(raw.encode())
    assert talk.answers and all(400 <= it < 500 for it in talk.statuses)
    assert world.upstream.raw() == b""


OVERRIDES = [
    "X-HTTP-Method-Override: {}",
    "X-HTTP-Method: {}",
    "X-Method-Override: {}",
    "HTTP-Method-Override: {}",
    "X-Original-Method: {}",
    "X-Original-URL: {}",
    "X-Rewrite-URL: {}",
    "X-Original-URI: {}",
    "X-Forwarded-Uri: {}",
    "X-Forwarded-Path: {}",
    "X-Forwarded-Prefix: {}",
    "X-Forwarded-Method: {}",
    "X-Override-URL: {}",
    "Destination: {}",
    "Content-Location: {}",
    "Referer: {}",
]


@pytest.mark.parametrize("header", OVERRIDES)
def test_a_header_makes_no_other_request_of_it(world: World, header: str) -> None:
    answer = world.ask(request(world.gateway, BODY, header.format("DELETE"), header.format("/healthz")))
    assert_inspected(world, answer)


@pytest.mark.parametrize("header", OVERRIDES)
def test_a_header_makes_no_inspected_request_of_it(world: World, header: str) -> None:
    for method, path in (("GET", CHAT), ("POST", "/nowhere")):
        world.upstream.reset()
        lines = [header.format("POST"), header.format(CHAT)]
        world.assert_refused(world.ask(request(world.gateway, BODY, *lines, path=path, method=method)), 403, 404, 405)


UPGRADES = {
    "h2c": ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"],
    "h2c-only": ["Upgrade: h2c"],
    "h2": ["Connection: Upgrade", "Upgrade: h2"],
    "websocket": [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ],
    "tls": ["Connection: Upgrade", "Upgrade: TLS/1.2"],
    "http-2": ["Connection: Upgrade", "Upgrade: HTTP/2.0, websocket"],
}


@pytest.mark.parametrize("name", UPGRADES)
def test_nothing_is_upgraded(world: World, name: str) -> None:
    answer = world.ask(request(world.gateway, BODY, *UPGRADES[name]))
    assert answer.all("upgrade") == []
    assert_inspected(world, answer)


HOP_BY_HOP = [
    "x-user",
    "authorization",
    "x-api-key",
    "content-type",
    "content-length",
    "content-encoding",
    "host",
    "accept-encoding",
    "ordain-record",
    "ordain-use",
    "transfer-encoding",
    "keep-alive, x-user, authorization",
    "*",
    "x-forwarded-for, close",
]


@pytest.mark.parametrize("value", HOP_BY_HOP)
def test_connection_takes_no_header_away(world: World, value: str) -> None:
    """A proxy that honours `Connection` drops what it names: here that is nothing of the gateway's own."""
    lines = [f"Connection: {value}", "X-User: other", "Keep-Alive: timeout=99", "Proxy-Connection: keep-alive"]
    assert_inspected(world, world.ask(request(world.gateway, BODY, *lines)))


def test_connection_does_not_hide_an_encoding(world: World) -> None:
    answer = world.ask(request(world.gateway, BODY, "Connection: content-encoding", "Content-Encoding: gzip"))
    world.assert_refused(answer, 415)
