"""Budgets hold while clients race, across restarts and after crashes (threat G9).

The upstream states 11 and 7 tokens for each answer; what a request reserves is one token for each byte of its body, and the
bound that it sets on the answer.
"""

import json
import os
import queue
import signal
import sqlite3
import threading

from asking import CHAT, ask, make_key, records
from conftest import Service

from rig import answers
from rig.upstream import Answer, End, Seen, Upstream

CLIENTS = 64
STATED = 18
BODY = len(json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 100}))
RESERVED = BODY + 100


def _stalled(seen: Seen) -> Answer:
    answer = answers.chat({"content": "All is well."})
    return Answer(answer.pieces, end=End.STALL, stall_after=0)


def _spent(service: Service) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Requests, tokens and cost by kind of holder and period."""
    with sqlite3.connect(service.folder / "store" / "ordain.sqlite") as store:
        rows = store.execute("SELECT holder, period, requests, tokens, cost FROM spending").fetchall()
    store.close()
    return {(holder.split(":")[0], period): tuple(amounts) for holder, period, *amounts in rows}


def _race(service: Service, key: str, upstream: Upstream) -> tuple[int, int]:
    """All clients ask at once of an upstream that answers nobody; returns how many were let through and how many not."""
    upstream.answers(_stalled)
    turned_away: queue.Queue = queue.Queue()
    through: queue.Queue = queue.Queue()
    line = threading.Barrier(CLIENTS)

    def client() -> None:
        line.wait(30)
        heard = ask(service, key, max_tokens=100)
        (through if heard.status == 200 else turned_away).put(heard)

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for it in clients:
        it.start()
    # Every client is either told no at once or waits at the upstream.
    refused = []
    while len(refused) + len(upstream.requests) < CLIENTS:
        try:
            refused.append(turned_away.get(timeout=0.05))
        except queue.Empty:
            assert any(it.is_alive() for it in clients), (len(refused), len(upstream.requests))
    assert through.empty()
    upstream.release()
    for it in clients:
        it.join(60)
    assert turned_away.empty()
    for heard in refused:
        assert heard.status == 429 and int(heard.headers["retry-after"]) >= 1, heard
        assert heard.json["error"]["type"] == "rate_limit_error", heard.body
    return through.qsize(), len(refused)


def test_64_clients_that_race_for_tokens_hold_no_more_than_there_is(service: Service, upstream: Upstream) -> None:
    most = 20 * RESERVED + RESERVED - 1
    key = make_key(service, "--limit", f"tokens={most}/month")["key"]
    service.start()
    through, refused = _race(service, key, upstream)
    assert (through, refused) == (20, CLIENTS - 20), "as many as fit, and not one more"
    service.stop()
    assert _spent(service) == {("key", "month"): (20, 20 * STATED, 0)}, "settled for what was stated"
    refusals = records(service, "refusal")
    assert len(refusals) == CLIENTS - 20
    assert all(
        it["bounded"] == {"by": "budget", "per": "key", "limit": f"tokens={most}/month"} and it["status"] == 429
        for it in refusals
    )
    assert [it["usage"] for it in records(service, "outcome")] == [{"input": 11, "output": 7}] * 20


def test_64_clients_with_two_keys_race_for_one_budget_of_their_principal(service: Service, upstream: Upstream) -> None:
    service.add_config(
        "currency: EUR\n"
        "prices:\n  - {app: openai-api, model: 'm*', input: 1000000, output: 2000000}\n"
        "budgets:\n  - {per: principal, limits: [requests=30/month, cost=100000/month]}\n"
    )
    other = make_key(service)["key"]
    service.start()
    through, refused = _race(service, service.key, upstream)
    assert (through, refused) == (30, CLIENTS - 30)
    heard = ask(service, other)
    assert heard.status == 429, "another key of the same principal spends the same budget"
    service.stop()
    # 11 tokens at 1 and 7 at 2, in millionths.
    assert _spent(service) == {("principal", "month"): (30, 30 * STATED, 30 * 25_000_000)}
    assert records(service, "outcome")[0]["usage"] == {"input": 11, "output": 7, "cost": 25_000_000, "currency": "EUR"}


def test_spending_survives_a_restart_and_a_rotation(service: Service) -> None:
    first = make_key(service, "--limit", "requests=3/month")
    service.start()
    assert [ask(service, first["key"]).status for _ in range(2)] == [200, 200]
    service.stop()
    rotated = service.run("key", "rotate", first["id"], "--overlap", "1d", "--format", "json")
    second = json.loads(rotated.stdout)
    service.start()
    assert [ask(service, it["key"]).status for it in (second, first, second)] == [200, 429, 429]
    service.stop()
    assert _spent(service) == {("key", "month"): (3, 3 * STATED, 0)}


def test_a_call_that_a_crash_cut_off_counts_with_what_it_reserved(service: Service, upstream: Upstream) -> None:
    key = make_key(service, "--limit", f"tokens={2 * RESERVED - 1}/month")["key"]
    service.start()
    upstream.answers(_stalled)
    client = threading.Thread(target=lambda: _gone(service, key))
    client.start()
    assert upstream.arrived.wait(30)
    os.kill(service.pid, signal.SIGKILL)
    client.join(30)
    service.stop()
    service.start()
    assert _spent(service) == {("key", "month"): (1, RESERVED, 0)}
    assert [it["result"] for it in records(service, "outcome")] == ["unknown"]
    upstream.reset()
    assert ask(service, key, max_tokens=100).status == 429, "what was cut off is not given back"
    assert ask(service, key, max_tokens=1).status == 200


def _gone(service: Service, key: str) -> None:
    try:
        ask(service, key, max_tokens=100)
    except OSError:
        return
    raise AssertionError("a killed gateway answered")


def test_a_stream_settles_for_what_it_states_or_for_what_was_seen(service: Service, upstream: Upstream) -> None:
    key = make_key(service, "--limit", "tokens=100000/month")["key"]
    service.start()
    upstream.answers(answers.chat_stream({"content": "All is well."}))
    assert ask(service, key, stream=True, max_tokens=100).status == 200
    silent = answers.chat_stream({"content": "All is well."})
    silent.pieces = [it for it in silent.pieces if b'"usage"' not in it]
    upstream.answers(silent)
    assert ask(service, key, stream=True, max_tokens=100).status == 200
    upstream.answers(Answer([b'{"error":{"message":"busy"}}'], status=500))
    assert ask(service, key, max_tokens=100).status == 500
    service.stop()
    stated, seen, failed = records(service, "outcome")
    assert stated["usage"] == {"input": 11, "output": 7}
    body = BODY + len(', "stream": true')
    # No token is shorter than a byte: the text of twelve bytes has twelve tokens at most.
    assert seen["usage"] == {"input": body, "output": 12, "estimated": True}
    assert "usage" not in failed, "nobody charges for an error"
    assert _spent(service) == {("key", "month"): (3, STATED + body + 12, 0)}


def test_a_limit_that_cannot_be_kept_to_lets_nothing_pass(service: Service, upstream: Upstream) -> None:
    service.add_config("currency: EUR\nprices: [{app: openai-api, model: m, input: 1, output: 2}]\n")
    key = make_key(service, "--limit", "cost=5/day")["key"]
    service.start()
    assert ask(service, key).status == 200
    heard = ask(service, key, model="unpriced")
    assert heard.status == 403 and "what this model costs" in heard.json["error"]["message"]
    assert len(upstream.requests) == 1
    alone = ask(service, key, max_tokens=1_000_000_000)
    assert alone.status == 429 and "this request alone" in alone.json["error"]["message"]


CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


def _serve_every_dialect(service: Service, upstream: Upstream) -> None:
    service.add_config("".join(f"  - {{dialect: {it}, url: '{upstream.url}'}}\n" for it in ("anthropic", "gemini", "ollama")))


def test_each_dialect_states_usage_in_its_own_words(service: Service, upstream: Upstream) -> None:
    _serve_every_dialect(service, upstream)
    service.start()
    gemini = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "All is well."}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 4, "thoughtsTokenCount": 3},
    }
    line = {"model": "m", "created_at": "2026-12-01T00:00:00Z", "done": False}
    ollama = [
        line | {"message": {"role": "assistant", "content": "All is well."}},
        line | {"message": {"role": "assistant", "content": ""}, "done": True, "prompt_eval_count": 11, "eval_count": 7},
    ]
    said = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    said["content"] = [{"type": "output_text", "text": "All is well.", "annotations": []}]
    response = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    response |= {"output": [said], "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}}
    block = {"type": "text", "text": "All is well."}
    for path, body, answer in [
        (CHAT, {}, answers.chat({"content": "All is well."})),
        (CHAT, {"stream": True}, answers.chat_stream({"content": "All is well."})),
        ("/v1/responses", {"input": "Hello"}, Answer([answers.compact(response)])),
        ("/v1/messages", {"max_tokens": 5}, answers.message(block)),
        ("/v1/messages", {"max_tokens": 5, "stream": True}, answers.message_stream(block)),
        ("/v1beta/models/m:generateContent", CONTENTS, Answer([answers.compact(gemini)])),
        (
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            CONTENTS,
            Answer([b"data: " + answers.compact(gemini) + b"\r\n\r\n"], content_type=answers.STREAM),
        ),
        (
            "/api/chat",
            {},
            Answer([answers.compact(it) + b"\n" for it in ollama], content_type="application/x-ndjson"),
        ),
    ]:
        upstream.answers(answer)
        heard = ask(service, service.key, path, **body)
        assert heard.status == 200 and b"All" in heard.body, (path, heard)
        assert records(service, "outcome")[-1]["usage"] == {"input": 11, "output": 7}, (path, body)


def test_each_dialect_says_too_many_in_its_own_words(service: Service, upstream: Upstream) -> None:
    _serve_every_dialect(service, upstream)
    key = make_key(service, "--limit", "requests=0/day")["key"]
    service.start()
    for path, body, where, word in [
        (CHAT, {}, ("error", "code"), "rate_limit_exceeded"),
        ("/v1/messages", {"max_tokens": 5}, ("error", "type"), "rate_limit_error"),
        ("/v1beta/models/m:generateContent", CONTENTS, ("error", "status"), "RESOURCE_EXHAUSTED"),
        ("/api/chat", {}, ("error",), None),
    ]:
        heard = ask(service, key, path, **body)
        assert heard.status == 429 and "retry-after" in heard.headers, (path, heard)
        said = heard.json
        for name in where:
            said = said[name]
        assert said == word or (word is None and "budget" in said), (path, heard.body)
    assert not upstream.requests


def test_a_key_without_a_budget_leaves_no_counter(service: Service) -> None:
    service.start()
    assert ask(service, service.key).status == 200
    service.stop()
    assert _spent(service) == {}
    assert records(service, "outcome")[0]["usage"] == {"input": 11, "output": 7}
