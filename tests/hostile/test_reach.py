"""Threats E1, E2 and E3: no request makes the gateway connect anywhere, and no web page makes a request.

The gateway connects to the upstreams of its configuration and to nothing else. Addresses in a request are text: they
are refused as what cannot be inspected, or passed on as they stand, and never fetched or resolved.
"""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import running
from bare import Answer, ask
from conftest import World
from rig.gateway import Gateway, edit_section
from rig.upstream import Upstream
from running import plain_answer, port, request

# How else the sink's own address can be written, and what leads to places that a server should not go to.
FORMS = [
    "http://127.0.0.1:{}/x.png",
    "http://localhost:{}/x.png",
    "http://[::1]:{}/x.png",
    "http://[::ffff:127.0.0.1]:{}/x.png",
    "http://[64:ff9b::7f00:1]:{}/x.png",
    "http://0:{}/x.png",
    "http://0.0.0.0:{}/x.png",
    "http://127.1:{}/x.png",
    "http://2130706433:{}/x.png",
    "http://017700000001:{}/x.png",
    "http://0177.0.0.1:{}/x.png",
    "http://0x7f000001:{}/x.png",
    "http://0x7f.0.0.1:{}/x.png",
    "http://127.0.0.1.:{}/x.png",
    "http://localhost.:{}/x.png",
    "http://LOCALHOST:{}/x.png",
    "http://example.com@127.0.0.1:{}/x.png",
    "http://127.0.0.1:{}#@example.com/x.png",
    "http://127.0.0.1:{}\\@example.com/x.png",
    "http://127\u30020\u30020\u30021:{}/x.png",
    "http://\u2460\u2461\u2466.0.0.1:{}/x.png",
    "HTTP://127.0.0.1:{}/x.png",
    "https://127.0.0.1:{}/x.png",
    "//127.0.0.1:{}/x.png",
    "ftp://127.0.0.1:{}/x.png",
    "gopher://127.0.0.1:{}/_x",
    "dict://127.0.0.1:{}/x",
    "ws://127.0.0.1:{}/x",
    "jar:http://127.0.0.1:{}!/x",
    "http://169.254.169.254/latest/meta-data/?{}",
    "http://metadata.google.internal/?{}",
    "file:///etc/passwd?{}",
    "unix:///run/x.sock?{}",
]


def chat(part: dict) -> dict:
    return {"model": "scripted-1", "messages": [{"role": "user", "content": [part]}]}


def message(block: dict) -> dict:
    return chat(block) | {"max_tokens": 9}


# The places of requests where an address can stand that somebody is meant to fetch.
PLACES = {
    "chat-image": ("/v1/chat/completions", lambda it: chat({"type": "image_url", "image_url": {"url": it}})),
    "chat-file": ("/v1/chat/completions", lambda it: chat({"type": "file", "file": {"file_data": it}})),
    "chat-text": ("/v1/chat/completions", lambda it: chat({"type": "text", "text": f"See {it} there."})),
    "chat-webhook": ("/v1/chat/completions", lambda it: chat({"type": "text", "text": "Hello."}) | {"webhook_url": it}),
    "chat-base-url": ("/v1/chat/completions", lambda it: chat({"type": "text", "text": "Hello."}) | {"base_url": it}),
    "responses-image": (
        "/v1/responses",
        lambda it: {
            "model": "scripted-1",
            "input": [{"role": "user", "content": [{"type": "input_image", "image_url": it}]}],
        },
    ),
    "responses-file": (
        "/v1/responses",
        lambda it: {
            "model": "scripted-1",
            "input": [{"role": "user", "content": [{"type": "input_file", "file_url": it}]}],
        },
    ),
    "responses-mcp": (
        "/v1/responses",
        lambda it: {
            "model": "scripted-1",
            "input": "Hello.",
            "tools": [{"type": "mcp", "server_label": "x", "server_url": it}],
        },
    ),
    "message-image": ("/v1/messages", lambda it: message({"type": "image", "source": {"type": "url", "url": it}})),
    "message-document": ("/v1/messages", lambda it: message({"type": "document", "source": {"type": "url", "url": it}})),
    "message-mcp": (
        "/v1/messages",
        lambda it: message({"type": "text", "text": "Hello."})
        | {"mcp_servers": [{"type": "url", "name": "x", "url": it}]},
    ),
}


class Sink:
    """Listens on one port for whatever family, and keeps whether anybody came."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._others = []
        with contextlib.suppress(OSError):  # where there is no IPv6
            other = socket.create_server(("::1", self.port), family=socket.AF_INET6)
            other.setblocking(False)
            self._others.append(other)

    def visitors(self) -> int:
        count = 0
        for it in [self._listener, *self._others]:
            with contextlib.suppress(BlockingIOError):
                it.accept()[0].close()
                count += 1
        return count

    def close(self) -> None:
        for it in [self._listener, *self._others]:
            it.close()


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    it = Sink()
    yield it
    it.close()


@pytest.fixture(scope="module")
def permitting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Upstream]]:
    """A policy that lets pass what cannot be inspected: the requests go on, with their addresses in them."""
    folder: Path = tmp_path_factory.mktemp("reach") / "ordain"
    with Upstream(plain_answer) as upstream:
        with running.running(folder, upstream.url):
            pass  # makes the folder
        edit_section(folder / "policy" / "policy.yaml", "data", "uninspectable: block", "uninspectable: allow")
        with running.running(folder, upstream.url) as gateway:
            yield gateway, upstream


@pytest.mark.parametrize("place", PLACES)
def test_an_address_in_a_request_is_never_fetched(world: World, sink: Sink, place: str) -> None:
    path, make = PLACES[place]
    for form in FORMS:
        answer = world.ask(request(world.gateway, json.dumps(make(form.format(sink.port))).encode(), path=path))
        assert answer.status < 500, (form, answer)
    assert sink.visitors() == 0


@pytest.mark.parametrize("place", PLACES)
def test_nor_where_the_policy_lets_it_pass(permitting: tuple[Gateway, Upstream], sink: Sink, place: str) -> None:
    gateway, upstream = permitting
    path, make = PLACES[place]
    upstream.reset()
    for form in FORMS:
        body = json.dumps(make(form.format(sink.port))).encode()
        assert ask(port(gateway), request(gateway, body, path=path)).status < 500
    assert sink.visitors() == 0
    assert len(upstream.requests) == len(FORMS), "they were to go on"


@pytest.mark.parametrize("where", ["target", "host"])
def test_an_address_around_the_body_leads_nowhere(world: World, sink: Sink, where: str) -> None:
    body = running.prompt("Good morning.")
    if where == "target":
        raw = request(world.gateway, body, path=f"http://127.0.0.1:{sink.port}/v1/chat/completions")
    else:
        raw = request(world.gateway, body).replace(b"Host: gateway", f"Host: 127.0.0.1:{sink.port}".encode())
    assert world.ask(raw).status == 200
    assert sink.visitors() == 0
    assert world.upstream.only().target == "/v1/chat/completions"


# --- E3: a web page in the browser of somebody whose machine runs the gateway -----------------------------------------

ORIGINS = ["https://attacker.example", "http://localhost:3000", "null", "http://gateway"]


def opened(answer: Answer) -> list[str]:
    """What would let a page read an answer, or send a credential."""
    return [name for name, _ in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_is_not_let_in(world: World, origin: str) -> None:
    """A page has no key: what it can send without asking is 401, and when it asks first it is not told yes."""
    asks = [
        "Origin: " + origin,
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization,content-type",
        "Access-Control-Request-Private-Network: true",
    ]
    preflight = request(world.gateway, b"", *asks, method="OPTIONS").replace(b"Authorization", b"X-Nothing")
    answer = world.ask(preflight)
    assert answer.status == 401 and opened(answer) == []

    simple = request(world.gateway, running.prompt("Hello."), asks[0]).replace(b"Authorization", b"X-Nothing")
    simple = simple.replace(b"application/json", b"text/plain").replace(b"Host: gateway", b"Host: attacker.example")
    answer = world.ask(simple)
    assert answer.status == 401 and opened(answer) == []
    assert world.upstream.raw() == b""


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_with_a_key_is_not_told_the_answer(world: World, origin: str) -> None:
    answer = world.ask(request(world.gateway, running.prompt("Hello."), "Origin: " + origin))
    assert answer.status == 200 and opened(answer) == []
    assert "origin" not in world.upstream.only().headers
