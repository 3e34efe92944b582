"""Traces: two spans an exchange reach the collector, with where they belong, which record has the rest, and no content."""

import http.client
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from conftest import Service, comes_true
from rig.planted import API_KEY, CARD, EMAIL
from rig.upstream import Upstream

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECRET = "canary-of-the-collector"


class Collector(BaseHTTPRequestHandler):
    """Takes whatever is posted."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.put((self.path, dict(self.headers.items()), body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.heard = queue.Queue()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


# --- protobuf, as far as it is needed here: fields by number ----------------------------------------------------------


def varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(raw: bytes) -> dict[int, list]:
    """Each field's values: numbers, or bytes."""
    found: dict[int, list] = {}
    at = 0
    while at < len(raw):
        tag, at = varint(raw, at)
        match tag & 7:
            case 0:
                value, at = varint(raw, at)
            case 1:
                value, at = int.from_bytes(raw[at : at + 8], "little"), at + 8
            case 2:
                length, at = varint(raw, at)
                value, at = raw[at : at + length], at + length
            case 5:
                value, at = int.from_bytes(raw[at : at + 4], "little"), at + 4
        found.setdefault(tag >> 3, []).append(value)
    return found


def spans(body: bytes) -> list[dict]:
    """The spans of an export request, in the names of OTLP."""
    found = []
    for resource in fields(body)[1]:
        for scope in fields(resource)[2]:
            for raw in fields(scope)[2]:
                it = fields(raw)
                attributes = {}
                for pair in map(fields, it.get(9, [])):
                    value = fields(pair[2][0])
                    attributes[pair[1][0].decode()] = value[1][0].decode() if 1 in value else value[3][0]
                found.append(
                    {
                        "trace": it[1][0].hex(),
                        "id": it[2][0].hex(),
                        "parent": it.get(4, [b""])[0].hex(),
                        "name": it[5][0].decode(),
                        "kind": it[6][0],
                        "began": it[7][0],
                        "ended": it[8][0],
                        "attributes": attributes,
                    }
                )
    return found


def traced(service: Service, collector: ThreadingHTTPServer, more: str = "") -> None:
    port = collector.server_address[1]
    service.add_config(f"traces: {{endpoint: http://127.0.0.1:{port}/v1/traces{more}}}\n")
    service.start()


def ask(service: Service, text: str, **headers: str) -> http.client.HTTPResponse:
    address = urlsplit(service.ready["gateway"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    body = json.dumps({"model": "scripted-1", "messages": [{"role": "user", "content": text}]})
    headers |= {"authorization": f"Bearer {service.key}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def batch(collector: ThreadingHTTPServer) -> list[dict]:
    path, headers, body = collector.heard.get(timeout=20)
    assert path == "/v1/traces" and headers["content-type"] == "application/x-protobuf"
    for text in [CARD.value, API_KEY.value, EMAIL, "well", "you@example.com", "[payment-card]"]:
        assert text.encode() not in body, f"a span says `{text}`"
    return spans(body)


SERVER, CLIENT = 2, 3


def test_an_exchange_is_two_spans_in_the_clients_trace(
    service: Service, collector: ThreadingHTTPServer, upstream: Upstream
) -> None:
    traced(service, collector)
    answer = ask(service, f"Note {CARD.value} well.", traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="x=you@example.com")
    served, called = batch(collector)

    assert (served["trace"], called["trace"]) == (TRACE, TRACE)
    assert (served["parent"], called["parent"]) == (SPAN, served["id"])
    assert (served["kind"], called["kind"]) == (SERVER, CLIENT)
    assert served["name"] == "POST /v1/chat/completions" and called["name"] == "chat scripted-1"
    assert served["began"] <= called["began"] <= called["ended"] <= served["ended"]
    assert served["attributes"] == {
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "ordain.verdict": "redact",
        "ordain.record": answer.headers["ordain-record"],
        "ordain.result": "completed",
    }
    assert called["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "scripted-1",
    }
    seen = upstream.only().headers
    assert seen["traceparent"] == f"00-{TRACE}-{called['id']}-01"
    assert "tracestate" not in seen


def test_a_request_that_is_turned_away_is_one_span(service: Service, collector: ThreadingHTTPServer) -> None:
    traced(service, collector)
    ask(service, f"My key is {API_KEY.value}, well?", traceparent="of no known form")
    (served,) = batch(collector)
    assert served["parent"] == "" and served["trace"] != TRACE
    told = served["attributes"]
    assert (told["ordain.verdict"], told["ordain.result"]) == ("block", "refused")
    assert told["gen_ai.request.model"] == "scripted-1"


def test_a_model_that_is_content_is_masked(service: Service, collector: ThreadingHTTPServer) -> None:
    traced(service, collector)
    address = urlsplit(service.ready["gateway"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    body = json.dumps({"model": f"gpt {CARD.value}", "messages": [{"role": "user", "content": "Hello."}]})
    connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {service.key}"})
    assert connection.getresponse().read()
    connection.close()
    _, _, raw = collector.heard.get(timeout=20)
    assert CARD.value.encode() not in raw and len(spans(raw)) == 1


def test_the_client_says_what_is_sampled_else_the_share_does(
    service: Service, collector: ThreadingHTTPServer, upstream: Upstream
) -> None:
    traced(service, collector, ", sample: 0")
    ask(service, "Good morning.")
    ask(service, "Good morning.", traceparent=f"00-{TRACE}-{SPAN}-00")
    ask(service, "Good morning.", traceparent=f"00-{TRACE}-{SPAN}-01")
    served, _ = batch(collector)
    assert served["parent"] == SPAN
    first, second, third = [it.headers.get("traceparent") for it in upstream.requests]
    assert first is None
    assert second.startswith(f"00-{TRACE}-") and second.endswith("-00")
    assert third.endswith("-01")
    service.stop()
    assert collector.heard.empty(), "the two others were sent as well"


def test_without_the_setting_nothing_is_passed_on(service: Service, upstream: Upstream) -> None:
    service.start()
    ask(service, "Good morning.", traceparent=f"00-{TRACE}-{SPAN}-01")
    assert "traceparent" not in upstream.only().headers


def test_a_collector_that_is_away_holds_nothing_up(
    service: Service, collector: ThreadingHTTPServer, upstream: Upstream
) -> None:
    collector.shutdown()
    collector.server_close()
    service.add_config("metrics: {listen: 127.0.0.1:0}\n")
    traced(service, collector)
    for _ in range(20):
        assert ask(service, "Good morning.").status == 200
    address = urlsplit(service.ready["metrics"])

    def dropped() -> int:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("ordain_dropped_traces_total"))

    assert comes_true(lambda: dropped() == 20, 20)


def test_headers_for_the_collector_come_from_the_environment(
    service: Service, collector: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDAIN_TEST_COLLECTOR", f"authorization=Bearer {SECRET},x-team=ai")
    traced(service, collector, ", headers_env: ORDAIN_TEST_COLLECTOR")
    ask(service, "Good morning.")
    _, headers, _ = collector.heard.get(timeout=20)
    assert (headers["authorization"], headers["x-team"]) == (f"Bearer {SECRET}", "ai")
    service.stop()
    assert SECRET not in service.log.read_text()
