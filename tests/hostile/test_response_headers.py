"""Threat B17: of an upstream's headers only those of a short list reach the client, and none brings another."""

from collections.abc import Iterator

import pytest

import running
from bare import Answer, Client
from broken import Broken, chunks, head, sized
from faults import CHUNKED, ERROR, EVENTS, LAST, WHOLE
from rig.gateway import Gateway
from running import ask, port, prompt, request

OWN = {
    "content-type",
    "content-length",
    "transfer-encoding",
    "cache-control",
    "date",
    "server-timing",
    "ordain-decision",
    "ordain-clause",
    "ordain-policy",
    "ordain-record",
}

PASSED = [
    "request-id: abc",
    "x-request-id: req_1",
    "retry-after: 7",
    "openai-processing-ms: 12",
    "openai-version: 2020-10-01",
    "x-ratelimit-limit-requests: 100",
    "x-ratelimit-remaining-tokens: 99",
    "anthropic-ratelimit-requests-remaining: 3",
]

HELD_BACK = [
    "set-cookie: session=1; Path=/",
    "Set-Cookie2: session=1",
    "access-control-allow-origin: *",
    "access-control-allow-credentials: true",
    "access-control-allow-headers: *",
    "access-control-expose-headers: *",
    "content-security-policy: default-src *",
    "content-security-policy-report-only: report-uri http://127.0.0.1:1/",
    "cross-origin-resource-policy: cross-origin",
    "strict-transport-security: max-age=31536000",
    "public-key-pins: max-age=1",
    "expect-ct: max-age=1",
    "x-frame-options: ALLOWALL",
    "x-content-type-options: none",
    "referrer-policy: unsafe-url",
    "permissions-policy: *",
    "clear-site-data: *",
    "nel: {}",
    "report-to: {}",
    "reporting-endpoints: a",
    "service-worker-allowed: /",
    "server: nginx/0.1",
    "via: 1.1 somewhere",
    "x-powered-by: PHP/4",
    "x-aspnet-version: 1",
    'alt-svc: h2=":1"',
    "alternate-protocol: 1:quic",
    "location: http://127.0.0.1:1/",
    "content-location: /other",
    "content-disposition: attachment; filename=x.exe",
    "content-language: tlh",
    "content-range: bytes 0-1/2",
    "accept-ranges: bytes",
    "link: <http://127.0.0.1:1/>; rel=preload",
    "refresh: 0; url=http://127.0.0.1:1/",
    "www-authenticate: Basic realm=x",
    "proxy-authenticate: Basic realm=x",
    "authentication-info: x",
    "authorization: Bearer x",
    "cookie: a=b",
    "etag: x",
    "last-modified: Thu, 01 Jan 1970 00:00:00 GMT",
    "expires: Thu, 01 Jan 2099 00:00:00 GMT",
    "pragma: x",
    "age: 1",
    "vary: *",
    "warning: 199 - x",
    "allow: TRACE",
    "upgrade: h2c",
    "keep-alive: timeout=999",
    "proxy-connection: keep-alive",
    "trailer: set-cookie",
    "te: trailers",
    "sourcemap: /x",
    "x-accel-redirect: /etc/passwd",
    "x-sendfile: /etc/passwd",
    "x-original-url: /admin",
    "x-user: other",
    "cf-ray: x",
    "openai-organization: org-1",
    "openai-model: other",
    "anthropic-organization-id: org-1",
    "x-envoy-upstream-service-time: 1",
    "ordain-notice: all is allowed",
    "ordain-other: x",
    "x_request_id: x",
    "x-request-id-2: x",
    "xrequest-id: x",
    "x-ratelimit: x",
]

# Names that the gateway answers with itself: there is one of them, and it is its own.
DISPUTED = [
    "ordain-decision: forged",
    "ordain-clause: forged",
    "ordain-policy: forged",
    "ordain-record: forged",
    "server-timing: forged;dur=1",
    "date: forged",
    "cache-control: forged",
]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Broken]:
    with Broken() as it:
        yield it


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, upstream: Broken) -> Iterator[Gateway]:
    with running.running(tmp_path_factory.mktemp("headers") / "ordain", upstream.url, one_worker=True) as it:
        yield it


def answer_with(kind: str, *lines: str) -> bytes:
    match kind:
        case "plain":
            return sized(WHOLE, *lines)
        case "stream":
            return head(CHUNKED, *lines, kind="text/event-stream") + chunks(*EVENTS) + LAST
        case "error":
            return sized(ERROR, *lines, status="429 Slow Down")
        case _:
            return sized(b"<html></html>", *lines, kind="text/html", status="500 Oops")


KINDS = pytest.mark.parametrize("kind", ["plain", "stream", "error", "page"])
STATUS = {"plain": 200, "stream": 200, "error": 429, "page": 502}


def asked(gateway: Gateway, upstream: Broken, kind: str, *lines: str) -> Answer:
    upstream.will(answer_with(kind, *lines))
    answer = ask(gateway, "Good morning.", stream=kind == "stream")
    assert answer.status == STATUS[kind], answer
    return answer


def test_the_lists_do_not_overlap() -> None:
    names = [it.partition(":")[0].lower() for it in PASSED + HELD_BACK + DISPUTED]
    assert len(set(names)) == len(names)


@KINDS
def test_what_is_on_the_list_is_passed_on(gateway: Gateway, upstream: Broken, kind: str) -> None:
    headers = dict(asked(gateway, upstream, kind, *PASSED).headers)
    wanted = dict(it.split(": ") for it in PASSED)
    passed = {name: value for name, value in headers.items() if name not in OWN}
    assert passed == wanted


@KINDS
def test_what_is_not_on_the_list_stays_here(gateway: Gateway, upstream: Broken, kind: str) -> None:
    """In batches, since a head has a bounded number of lines."""
    for at in range(0, len(HELD_BACK), 40):
        answer = asked(gateway, upstream, kind, *HELD_BACK[at : at + 40])
        others = {name for name, _ in answer.headers} - OWN
        assert others == set(), f"{others} reached the client"


@KINDS
def test_the_gateways_own_headers_are_not_forged(gateway: Gateway, upstream: Broken, kind: str) -> None:
    answer = asked(gateway, upstream, kind, *DISPUTED)
    assert not [it for it in answer.headers if "forged" in it[1]]
    for line in DISPUTED[:5]:
        answer.one(line.partition(":")[0])


@pytest.mark.parametrize("kind", ["plain", "stream"])
def test_the_type_of_an_answer_is_the_gateways(gateway: Gateway, upstream: Broken, kind: str) -> None:
    own = {"plain": "application/json", "stream": "text/event-stream"}[kind]
    raw = answer_with(kind).replace(own.encode(), own.encode() + b"; charset=utf-7; x=<script>")
    upstream.will(raw)
    assert ask(gateway, "Good morning.", stream=kind == "stream").one("content-type") == own


def test_a_trailer_stays_here(gateway: Gateway, upstream: Broken) -> None:
    trailers = b"0\r\nset-cookie: a=b\r\nx-request-id: late\r\nordain-decision: forged\r\n\r\n"
    for kind, pieces in (("application/json", [WHOLE]), ("text/event-stream", EVENTS)):
        upstream.will(head(CHUNKED, "trailer: set-cookie, x-request-id", kind=kind) + chunks(*pieces) + trailers)
        raw = heard(gateway, stream=kind != "application/json")
        assert b"set-cookie" not in raw.lower() and b"late" not in raw and b"forged" not in raw


def heard(gateway: Gateway, stream: bool = False) -> bytes:
    """Every byte that the client gets."""
    with Client(port(gateway)) as client:
        client.send(request(gateway, prompt("Good morning.", stream=stream), "Connection: close"))
        assert client.end()
        return client.raw


SPLITTING = {
    "return": b"x-request-id: a\rset-cookie: stolen=1",
    "newline": b"x-request-id: a\nset-cookie: stolen=1",
    "two-newlines": b"x-request-id: a\n\nset-cookie: stolen=1",
    "return-newline-encoded": b"x-request-id: a%0d%0aset-cookie: stolen=1",
    "unicode-line-end": "x-request-id: a\u560d\u560aset-cookie: stolen=1".encode(),
    "line-separator": "x-request-id: a\u2028set-cookie: stolen=1".encode(),
    "next-line": b"x-request-id: a\x85set-cookie: stolen=1",
    "vertical-tab": b"x-request-id: a\x0bset-cookie: stolen=1",
    "nul": b"x-request-id: a\0\r\nset-cookie: stolen=1",
    "folded": b"x-request-id: a\r\n set-cookie: stolen=1",
    "folded-tab": b"x-request-id: a\r\n\tset-cookie: stolen=1",
    "space-before-colon": b"x-request-id: a\r\nset-cookie : stolen=1",
    "name-with-line-end": b"x-ratelimit-a\rset-cookie: stolen=1",
    "name-with-colon": b"x-ratelimit-a:set-cookie: stolen=1",
    "empty-name": b"x-request-id: a\r\n: x\r\nset-cookie: stolen=1",
    "second-head": b"x-request-id: a\r\n\r\nHTTP/1.1 200 OK\r\nset-cookie: stolen=1",
}


@pytest.mark.parametrize("how", SPLITTING)
def test_a_header_brings_no_other_along(gateway: Gateway, upstream: Broken, how: str) -> None:
    upstream.will(sized(WHOLE, "X").replace(b"X\r\n", SPLITTING[how] + b"\r\n"))
    first, _, rest = heard(gateway).partition(b"\r\n\r\n")
    lines = [it.strip().lower() for it in first.replace(b"\r", b"\n").split(b"\n")]
    assert not [it for it in lines if it.startswith(b"set-cookie")], first
    assert b"HTTP/1.1" not in rest, "two answers"


@pytest.mark.parametrize("reason", ["OK\rset-cookie: stolen=1", "OK\nset-cookie: stolen=1", "\xff\xfe", "x" * 9000])
def test_the_reason_of_a_status_is_not_passed_on(gateway: Gateway, upstream: Broken, reason: str) -> None:
    upstream.will(sized(WHOLE, status=f"200 {reason}"))
    first, *others = heard(gateway).partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert first in (b"HTTP/1.1 200 OK", b"HTTP/1.1 502 Bad Gateway")
    assert b"set-cookie" not in b"".join(others)


def test_many_headers_are_too_many(gateway: Gateway, upstream: Broken) -> None:
    upstream.will(sized(WHOLE, *(f"x-ratelimit-{at}: 1" for at in range(120))))
    assert ask(gateway, "Good morning.").status == 502


def test_a_large_header_is_too_large(gateway: Gateway, upstream: Broken) -> None:
    upstream.will(sized(WHOLE, "x-request-id: " + "x" * 300_000))
    assert ask(gateway, "Good morning.").status == 502
