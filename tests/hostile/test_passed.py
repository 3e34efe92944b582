"""Threat C12: a line of the policy passes the endpoints that it names, for whom it names, and nothing beside them.

What passes is recorded before its first byte leaves, flows at the pace of both sides within bounds, and neither side can
make anything else of it: another path, another method, another dialect, another host, another protocol.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import bare
import running
from bare import Client
from broken import Broken, Do, chunks, sized
from broken import head as said
from conftest import World
from faults import CHUNKED, LAST
from process import comes_true, resident
from rig.gateway import Gateway, edit_section
from rig.upstream import Answer, Seen, Upstream
from running import PROVIDER_KEY, head, port, records, request
from taker import ANSWER, Taker

LINES = r"""
  endpoints:
    - id: EP-1
      endpoints:
        - openai POST /v1/files
        - openai GET /v1/files
        - openai GET /v1/files/{file_id}/content
        - openai DELETE /v1/vector_stores/{vector_store_id}/files/{file_id}
        - openai GET /v1/vector_stores/{vector_store_id}/files
        - openai POST /v1/threads/{thread_id}/runs
      groups: [staff]
      then: allow
      reason: Looked at before.
  clauses:
    - {id: AC-9, statement: Some files may be sent unread., owner: ciso, enforced_by: access.endpoints}
"""
FILES = "/v1/files"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{"card": "4111 1111 1111 1111"}\r\n--x--\r\n'
)
MOST = 6_000_000  # bytes of a body that passes
BODY_SECONDS = 2


@contextmanager
def gateway_over(folder: Path, upstream: str, **limits: int) -> Iterator[Gateway]:
    """A gateway whose policy has the lines."""
    with Gateway.start(folder, dict.fromkeys(("openai", "anthropic"), upstream)):
        pass  # a first run makes the folder
    edit_section(folder / "policy" / "policy.yaml", "access", r"\n  clauses:\n", LINES.replace("\\", r"\\"))
    waits = {"body_seconds": BODY_SECONDS, "first_byte_seconds": 5, "idle_seconds": 5, "answer_seconds": 20}
    limits = waits | {"passed_body_bytes": MOST} | limits
    with running.running(folder, upstream, one_worker=True, **limits) as it:
        yield it


def _answer(_seen: Seen) -> Answer:
    return Answer([b'{"object": "list", "data": []}'])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder, and the key of somebody who is in none of the lines' groups."""
    folder = tmp_path_factory.mktemp("passed") / "ordain"
    with Gateway.start(folder, {}):
        pass
    return folder, running.key_of_another(folder)


@pytest.fixture(scope="module")
def passed_world(made: tuple[Path, str]) -> Iterator[World]:
    folder, _ = made
    with Upstream(_answer) as upstream, gateway_over(folder, upstream.url) as gateway:
        yield World(gateway, upstream, folder)


@pytest.fixture
def world(passed_world: World) -> World:
    passed_world.upstream.reset()
    return passed_world


def form(gateway: Gateway, *more: str, **line: str) -> bytes:
    """An honest upload."""
    line = {"path": FILES} | line
    raw = head(gateway, *more, f"Content-Length: {len(FORM)}", **line)
    return raw.replace(b"application/json", b"multipart/form-data; boundary=x") + FORM


def chunked(gateway: Gateway, *more: str) -> bytes:
    """The head of an upload of unknown size."""
    return head(gateway, "Transfer-Encoding: chunked", *more, path=FILES)


def outcome_of(folder: Path) -> dict:
    """The outcome of the newest exchange, which comes soon."""

    def newest() -> list[dict]:
        all_of_them = records(folder)
        intent = next(it for it in all_of_them if it["kind"] == "intent")
        return [it for it in all_of_them if it.get("intent") == intent["id"]]

    assert comes_true(lambda: bool(newest()), 3), "no outcome is on record"
    (outcome,) = newest()
    return outcome


# --- which requests ------------------------------------------------------------------------------------------------


def test_what_is_named_passes_as_it_is_and_is_recorded(world: World) -> None:
    more = ["OpenAI-Beta: assistants=v2", "X-User: other", "Cookie: a=b", "X-HTTP-Method-Override: DELETE", "Expect: 100-continue"]
    more += ["X-Forwarded-For: 10.0.0.1", "OpenAI-Organization: org", "Idempotency-Key: k", "X-Original-URL: /v1/models"]
    talk = world.talk(form(world.gateway, *more))
    assert talk.statuses[-1] == 200
    answer = talk.answers[-1]
    seen = world.upstream.only()
    assert (seen.method, seen.target, seen.body) == ("POST", FILES, FORM)
    assert seen.headers == {
        "host": f"127.0.0.1:{world.upstream.port}",
        "content-type": "multipart/form-data; boundary=x",
        "content-length": str(len(FORM)),
        "accept-encoding": "identity",
        "openai-beta": "assistants=v2",
        "authorization": f"Bearer {PROVIDER_KEY}",
        "ordain-record": answer.one("ordain-record"),
    }
    intent, outcome = world.records_of(answer)
    assert (intent["kind"], outcome["kind"], outcome["result"]) == ("intent", "outcome", "completed")
    for half in (intent, outcome):
        assert half["uninspectable"] == ["endpoint"] and half["content"]["endpoint"] == "openai POST /v1/files"
        assert {"id": "access.endpoints", "verdict": "allow", "acts": "allow", "mode": "enforce"} in half["decision"]["clauses"]
    assert intent["route"]["bytes"] == outcome["sent"] == len(FORM)
    assert outcome["bytes"] == len(answer.body)


NEIGHBOURS = [
    ("POST", "/v1/files/"),
    ("POST", "//v1/files"),
    ("POST", "/v1//files"),
    ("POST", "/v1/./files"),
    ("POST", "/v1/files/."),
    ("POST", "/v1/x/../files"),
    ("POST", "/v1/Files"),
    ("POST", "/V1/files"),
    ("POST", "/v1/file%73"),
    ("POST", "/v1%2ffiles"),
    ("POST", "/v1/files%00"),
    ("POST", "/v1/files;x=1"),
    ("POST", "/v1/files:import"),
    ("POST", "/v1/files.json"),
    ("POST", "/v1/files/file-1"),
    ("POST", "/v1/uploads"),
    ("POST", "/v1/batches"),
    ("POST", "/files"),
    ("POST", "/v1/v1/files"),
    ("POST", "/openai/files"),
    ("POST", "/openai/v1/files"),
    ("POST", "/upload/v1beta/files"),
    ("GET", "/v1/files/file-1"),
    ("GET", "/v1/files//content"),
    ("GET", "/v1/files/../content"),
    ("GET", "/v1/files/./content"),
    ("GET", "/v1/files/%2e%2e/content"),
    ("GET", "/v1/files/..%2fmodels/content"),
    ("GET", "/v1/files/a%2f..%2f..%2fmodels/content"),
    ("GET", "/v1/files/a\\..\\b/content"),
    ("GET", "/v1/files/a;b/content"),
    ("GET", "/v1/files/a/b/content"),
    ("GET", "/v1/files/a/content/"),
    ("GET", "/v1/files/a/content/../../b"),
    ("GET", "/v1/vector_stores/../files"),
    ("GET", "/v1/vector_stores/./files"),
    ("GET", "/v1/vector_stores/.../files"),
    ("DELETE", "/v1/vector_stores/../files/file-1"),
    ("DELETE", "/v1/vector_stores/vs/files/.."),
    ("DELETE", "/v1/vector_stores/vs/files/../../../models/m"),
    ("DELETE", "/v1/vector_stores/vs"),
    ("DELETE", "/v1/files"),
    ("HEAD", "/v1/files"),
    ("PUT", "/v1/files"),
    ("PATCH", "/v1/files"),
    ("OPTIONS", "/v1/files"),
    ("post", "/v1/files"),
    ("POST", "/v1/realtime/client_secrets"),
    ("POST", "/v1/organization/admin_api_keys"),
]


@pytest.mark.parametrize(("method", "path"), NEIGHBOURS)
def test_what_only_lies_beside_it_is_refused(world: World, method: str, path: str) -> None:
    body = [f"Content-Length: {len(FORM)}"] if method == "POST" else []
    raw = head(world.gateway, *body, path=path, method=method) + (FORM if body else b"")
    world.assert_refused(world.ask(raw), 403)


def test_the_same_path_of_another_dialect_is_refused(world: World) -> None:
    """The upstream for it is there, and so is the row of the table; the line is not."""
    answer = world.ask(form(world.gateway, "anthropic-version: 2023-06-01"))
    world.assert_refused(answer, 403)
    assert answer.body.startswith(b'{"type":"error"'), "it is Anthropic's, and refused as such"


def test_a_key_as_another_dialect_sends_it_opens_nothing(world: World) -> None:
    raw = form(world.gateway, "anthropic-version: 2023-06-01")
    raw = raw.replace(b"Authorization: Bearer ", b"X-Api-Key: ")
    answer = world.ask(raw)
    world.assert_refused(answer, 403)
    (record,) = world.records_of(answer)
    assert record["route"]["endpoint"] == "POST /v1/files"


def test_who_is_in_none_of_its_groups_is_refused_and_told_by_what(world: World, made: tuple[Path, str]) -> None:
    _, key = made
    answer = world.ask(form(world.gateway).replace(world.gateway.key.encode(), key.encode()))
    world.assert_refused(answer, 403)
    assert "access.endpoints" in answer.one("ordain-clause") and b"access.endpoints" in answer.body
    assert world.gateway.key.encode() not in answer.body


def test_of_a_query_no_credential_goes_on_and_none_of_it_is_kept(world: World) -> None:
    query = "purpose=canary-purpose&key=canary-1&api_key=canary-2&access_token=canary-3&%6bey=canary-4&after=file-canary"
    raw = head(world.gateway, path=f"{FILES}?{query}", method="GET")
    answer = world.ask(raw)
    assert answer.status == 200
    assert world.upstream.only().target == f"{FILES}?purpose=canary-purpose&after=file-canary"
    raw = head(world.gateway, path="/v1/files/file-canary/content", method="GET")
    assert world.ask(raw).status == 200
    assert "canary-" not in json.dumps(world.records_of(answer))
    assert "file-canary" not in json.dumps(records(world.folder))
    assert "canary-1" not in world.gateway.log.read_text() and "file-canary" not in world.gateway.log.read_text()


UNFIT = {
    "compressed": (415, "POST", ["Content-Encoding: gzip"], FORM, FILES),
    "expectation": (417, "POST", ["Expect: 200-ok"], FORM, FILES),
    "body-of-a-get": (400, "GET", [], FORM, FILES),
    "long-query": (414, "GET", [], b"", FILES + "?after=" + "x" * 4096),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_passed_is_refused(world: World, name: str) -> None:
    status, method, more, body, path = UNFIT[name]
    length = [f"Content-Length: {len(body)}"] if body else []
    world.assert_refused(world.ask(head(world.gateway, *more, *length, path=path, method=method) + body), status)


def test_a_size_that_is_announced_is_judged_before_anything_is_sent(world: World) -> None:
    world.assert_refused(world.ask(head(world.gateway, f"Content-Length: {MOST + 1}", path=FILES)), 413)


# --- where it goes -------------------------------------------------------------------------------------------------


ELSEWHERE = {
    "redirect": "307 Temporary Redirect",
    "moved": "301 Moved Permanently",
    "see-other": "303 See Other",
    "not-modified": "304 Not Modified",
}


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[tuple[Gateway, Broken, Path]]:
    with Broken() as upstream, gateway_over(tmp_path / "ordain", upstream.url) as gateway:
        yield gateway, upstream, tmp_path / "ordain"


def test_no_answer_leads_anywhere_else(broken: tuple[Gateway, Broken, Path]) -> None:
    gateway, upstream, folder = broken
    with Upstream(_answer) as other:
        for status in ELSEWHERE.values():
            upstream.will(said(f"location: {other.url}/v1/files", "content-length: 0", status=status))
            answer = bare.ask(port(gateway), form(gateway))
            assert answer.status == 502 and answer.all("location") == [], answer
            assert outcome_of(folder)["result"] == "upstream-failed"
        assert other.connections == []


UPGRADE = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]


def test_nothing_is_upgraded_by_either_side(broken: tuple[Gateway, Broken, Path]) -> None:
    gateway, upstream, folder = broken
    upstream.will(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
    answer = bare.ask(port(gateway), form(gateway, *UPGRADE))
    assert answer.status == 502 and answer.all("upgrade") == []
    assert outcome_of(folder)["result"] == "upstream-failed"
    (seen,) = upstream.requests()
    assert b"upgrade" not in seen.lower() and b"websocket" not in seen.lower()


def test_an_answer_is_bytes_unless_it_is_known_to_be_harmless(broken: tuple[Gateway, Broken, Path]) -> None:
    gateway, upstream, _ = broken
    octets = "application/octet-stream"
    for kind, told in (
        ("application/json; charset=utf-8", "application/json"),
        ("application/x-jsonl", "application/x-jsonl"),
        ("text/html", octets),
        ("image/svg+xml", octets),
        ("application/jsonx", octets),
    ):
        upstream.will(sized(b"<script>", "set-cookie: a=b", f"x-request-id: {PROVIDER_KEY}", "openai-version: 1", kind=kind))
        answer = bare.ask(port(gateway), form(gateway))
        assert (answer.status, answer.body, answer.one("content-type")) == (200, b"<script>", told)
        assert answer.all("set-cookie") == answer.all("x-request-id") == [] and answer.all("openai-version") == ["1"]
    upstream.will(sized(b"\x1f\x8b", "content-encoding: gzip"))
    assert bare.ask(port(gateway), form(gateway)).status == 502


def test_the_providers_key_does_not_come_back_however_it_is_cut(broken: tuple[Gateway, Broken, Path]) -> None:
    gateway, upstream, _ = broken
    text = f"before {PROVIDER_KEY} after".encode()
    upstream.will(said(CHUNKED) + chunks(*(text[at : at + 3] for at in range(0, len(text), 3))) + LAST)
    answer = bare.ask(port(gateway), form(gateway))
    assert answer.body == text.replace(PROVIDER_KEY.encode(), b"*" * len(PROVIDER_KEY))
    upstream.will(sized(PROVIDER_KEY[:-1].encode()))
    assert bare.ask(port(gateway), form(gateway)).body == PROVIDER_KEY[:-1].encode()


# --- how it flows --------------------------------------------------------------------------------------------------


def test_a_body_flows_before_it_is_whole_and_after_its_intent(tmp_path: Path) -> None:
    folder = tmp_path / "ordain"
    with Taker() as upstream, gateway_over(folder, upstream.url) as gateway, Client(port(gateway)) as client:
        client.send(chunked(gateway) + chunks(b"first"))
        assert upstream.has(len(b"first")), "a body waits to be whole"
        (intent,) = [it for it in records(folder) if it["kind"] == "intent"]
        assert intent["content"]["endpoint"] == "openai POST /v1/files"
        assert not [it for it in records(folder) if it["kind"] == "outcome"]
        client.send(chunks(b"second") + LAST)
        assert upstream.has(len(b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n"))
        upstream.says(ANSWER)
        answer = client.answer()
        assert (answer.status, answer.body) == (200, b"{}")
        assert b"first" in upstream.body and b"second" in upstream.body and upstream.body.endswith(b"0\r\n\r\n")
        outcome = outcome_of(folder)
        assert (outcome["result"], outcome["sent"]) == ("completed", len(b"firstsecond"))


def test_a_body_waits_for_its_upstream_and_not_in_memory(tmp_path: Path) -> None:
    """The client cannot send what the upstream does not take."""
    size = 200_000_000
    folder = tmp_path / "ordain"
    with (
        Taker(takes=False) as upstream,
        gateway_over(folder, upstream.url, passed_body_bytes=size, body_seconds=30) as gateway,
        Client(port(gateway)) as client,
    ):
        before = resident(gateway.pid)
        client.send(head(gateway, f"Content-Length: {size}", path=FILES))
        client.socket.settimeout(1)
        piece, sent = bytes(1 << 16), 0
        with pytest.raises(TimeoutError):
            while sent < size:
                sent += client.socket.send(piece)
        assert sent < 40_000_000, "what nobody takes is taken from the client all the same"
        assert resident(gateway.pid) - before < 16_000_000
        upstream.take()
        assert upstream.has(sent), "what was taken does not go on once it can"


def test_an_upstream_that_takes_nothing_has_failed(tmp_path: Path) -> None:
    folder = tmp_path / "ordain"
    size = 60_000_000
    with (
        Taker(takes=False) as upstream,
        gateway_over(folder, upstream.url, passed_body_bytes=size, idle_seconds=1, first_byte_seconds=60) as gateway,
        Client(port(gateway)) as client,
    ):
        client.send(head(gateway, f"Content-Length: {size}", path=FILES))
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            while True:
                client.socket.send(bytes(1 << 16))
        client.socket.settimeout(20)
        assert client.answer(10).status == 504
        outcome = outcome_of(folder)
        assert (outcome["result"], outcome["status"]) == ("upstream-failed", 504) and 0 < outcome["sent"] < size


def test_an_upstream_that_takes_all_and_says_nothing_has_failed(broken: tuple[Gateway, Broken, Path]) -> None:
    gateway, upstream, folder = broken
    upstream.will(Do.STALL)
    began = time.monotonic()
    assert bare.ask(port(gateway), form(gateway)).status == 504
    assert 4 < time.monotonic() - began < 8, "the time is that for the first byte"
    assert outcome_of(folder)["result"] == "upstream-failed"


def test_a_body_of_unknown_size_ends_at_the_limit(tmp_path: Path) -> None:
    folder = tmp_path / "ordain"
    with Taker() as upstream, gateway_over(folder, upstream.url, passed_body_bytes=100_000) as gateway:
        with Client(port(gateway)) as client:
            client.send(chunked(gateway) + chunks(*[bytes(10_000)] * 11))
            answer = client.answer()
        assert answer.status == 413
        assert upstream.gone.wait(5) and not upstream.body.endswith(b"0\r\n\r\n"), "the upstream takes it for whole"
        outcome = outcome_of(folder)
        assert (outcome["result"], outcome["status"]) == ("stopped", 413) and outcome["sent"] <= 100_000


def test_an_answer_ends_at_the_limit(tmp_path: Path) -> None:
    folder = tmp_path / "ordain"
    with Broken() as upstream, gateway_over(folder, upstream.url, passed_body_bytes=100_000) as gateway:
        upstream.will(said(CHUNKED) + chunks(*[bytes(10_000)] * 11) + LAST)
        with Client(port(gateway)) as client:
            client.send(form(gateway))
            assert client.answer() is None and client.closed, "it looks whole"
        assert outcome_of(folder)["result"] == "stopped"


@pytest.mark.parametrize("drip", [b"", b"1\r\nx\r\n"], ids=["silent", "dripping"])
def test_a_slow_body_is_dropped(tmp_path: Path, drip: bytes) -> None:
    folder = tmp_path / "ordain"
    with Taker() as upstream, gateway_over(folder, upstream.url) as gateway, Client(port(gateway)) as client:
        client.send(chunked(gateway) + chunks(b"first"))
        began = time.monotonic()
        while not client.hears(0.1) and time.monotonic() - began < BODY_SECONDS + 3:
            client.send(drip)
        assert BODY_SECONDS - 0.5 < time.monotonic() - began < BODY_SECONDS + 2
        assert client.answer().status == 408
        assert upstream.gone.wait(2)
        outcome = outcome_of(folder)
        assert (outcome["result"], outcome["status"]) == ("stopped", 408) and outcome["sent"] >= 5


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_takes_its_upload_along(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "ordain"
    with Taker() as upstream, gateway_over(folder, upstream.url, body_seconds=30) as gateway:
        client = Client(port(gateway))
        client.send(chunked(gateway) + chunks(b"first"))
        assert upstream.has(len(b"first"))
        left_at = time.monotonic()
        client.reset() if how == "reset" else client.socket.close()
        assert upstream.gone.wait(3) and upstream.gone_at - left_at < 1.0, "the upstream goes on for a client that has left"
        assert not upstream.body.endswith(b"0\r\n\r\n")
        outcome = outcome_of(folder)
        assert (outcome["result"], outcome["sent"], outcome["bytes"]) == ("client-gone", 5, 0)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_takes_its_answer_along(broken: tuple[Gateway, Broken, Path], how: str) -> None:
    gateway, upstream, folder = broken
    upstream.will(said(CHUNKED) + chunks(b"one", b"two"), Do.STALL)
    client = Client(port(gateway))
    client.send(form(gateway))
    assert comes_true(lambda: client.read(0.1) and b"one" in client.raw, 10)
    left_at = time.monotonic()
    client.reset() if how == "reset" else client.socket.close()
    (connection,) = [it for it in upstream.connections if it.requests]
    assert connection.closed.wait(3) and connection.closed_at - left_at < 1.0
    outcome = outcome_of(folder)
    assert outcome["result"] == "client-gone" and outcome["bytes"] == len(b"one")


def test_the_last_piece_waits_until_it_is_known_to_be_the_last(broken: tuple[Gateway, Broken, Path]) -> None:
    gateway, upstream, folder = broken
    upstream.will(said(CHUNKED) + chunks(b"one") + chunks(b"two"), Do.WAIT, LAST)
    with Client(port(gateway)) as client:
        client.send(form(gateway))
        assert comes_true(lambda: client.read(0.1) and b"one" in client.raw, 10)
        assert b"two" not in client.raw and not [it for it in records(folder) if it["kind"] == "outcome"]
        upstream.go_on()
        assert client.answer().body == b"onetwo"
    assert outcome_of(folder)["result"] == "completed"


def test_events_come_at_once_and_their_end_after_the_outcome(broken: tuple[Gateway, Broken, Path]) -> None:
    """Somebody waits for each event by itself, and the next one may wait for them."""
    gateway, upstream, folder = broken
    event = b"event: thread.run.requires_action\ndata: {}\n\n"
    upstream.will(said(CHUNKED, kind="text/event-stream") + chunks(event), Do.WAIT, LAST)
    with Client(port(gateway)) as client:
        client.send(request(gateway, b'{"stream": true}', path="/v1/threads/thread_1/runs"))
        assert comes_true(lambda: client.read(0.1) and event in client.raw, 10), "an event waits for the next one"
        assert not [it for it in records(folder) if it["kind"] == "outcome"]
        upstream.go_on()
        answer = client.answer()
    assert (answer.body, answer.one("content-type")) == (event, "text/event-stream")
    assert outcome_of(folder)["result"] == "completed"


@pytest.mark.parametrize("trouble", [Do.CLOSE, Do.RESET, Do.STOP_SENDING], ids=lambda it: it.name)
def test_an_upstream_that_breaks_off_is_recorded_once(broken: tuple[Gateway, Broken, Path], trouble: Do) -> None:
    gateway, upstream, folder = broken
    upstream.will(trouble)
    assert bare.ask(port(gateway), form(gateway)).status == 502
    assert outcome_of(folder)["result"] == "upstream-failed"
    upstream.will(said(CHUNKED) + chunks(b"one", b"two"), trouble)
    with Client(port(gateway)) as client:
        client.send(form(gateway))
        assert client.answer() is None, "it looks whole"
    outcome = outcome_of(folder)
    assert (outcome["result"], outcome["status"]) == ("upstream-failed", 200)


def test_an_upstream_that_answers_early_is_heard_and_the_rest_stays_here(tmp_path: Path) -> None:
    folder = tmp_path / "ordain"
    with Taker() as upstream, gateway_over(folder, upstream.url) as gateway, Client(port(gateway)) as client:
        client.send(chunked(gateway) + chunks(b"first"))
        assert upstream.has(len(b"first"))
        body = b'{"error": {"message": "no"}}'
        upstream.says(sized(body, status="403 Forbidden"))
        answer = client.answer()
        assert (answer.status, answer.body) == (403, body)
        outcome = outcome_of(folder)
        assert (outcome["result"], outcome["status"], outcome["sent"]) == ("completed", 403, 5)
        client.send(chunks(b"second") + LAST)
        assert upstream.gone.wait(5) and b"second" not in upstream.body, "what is sent after the outcome is in no record"
