"""Aliases of models: who gets which version, what happens when an upstream fails, and the way back (threats C10 and G7).

Two upstreams of the same app; an alias with a version at each, and a candidate.
"""

import http.client
import json
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from conftest import Service
from rig import answers
from rig.upstream import Answer, Seen, Upstream

MODELS = """
models:
  assistant:
    use: stable
    canary: {canary}   # percent
    versions:
      stable: {{state: approved, upstream: openai-api, model: stable-1}}
      spare: {{state: approved, upstream: spare, model: spare-2}}
      next: {{state: candidate, upstream: openai-api, model: next-3}}
      old: {{state: retired, upstream: openai-api, model: old-0}}
"""


def _echo(seen: Seen) -> Answer:
    """Says which model it is: the one that was asked for, as its provider dates it."""
    answer = answers.chat({"content": "All is well."})
    body = json.loads(b"".join(answer.pieces))
    body["model"] = json.loads(seen.body)["model"] + "-2026-11-01"
    return Answer([json.dumps(body).encode()])


def _busy(_seen: Seen) -> Answer:
    return Answer([b'{"error":{"message":"busy"}}'], status=503, headers={"Retry-After": "7"})


@pytest.fixture
def spare() -> Iterator[Upstream]:
    with Upstream(_echo) as it:
        yield it


@pytest.fixture
def aliased(service: Service, upstream: Upstream, spare: Upstream) -> Service:
    upstream.answers(_echo)
    service.add_config(f"  - {{id: spare, app: openai-api, dialect: openai, url: '{spare.url}'}}\n")
    service.add_config(MODELS.format(canary=0))
    return service


class Client:
    """A client of the gateway on one connection."""

    def __init__(self, service: Service) -> None:
        address = urlsplit(service.ready["gateway"])
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        self._headers = {"authorization": f"Bearer {service.key}", "content-type": "application/json"}

    def ask(self, model: str, says: str = "Hello.") -> tuple[int, dict, http.client.HTTPMessage]:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": says}]})
        self._connection.request("POST", "/v1/chat/completions", body, self._headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read()), response.headers

    def models(self) -> list[str]:
        self._connection.request("GET", "/v1/models", headers=self._headers)
        return [one["id"] for one in json.loads(self._connection.getresponse().read())["data"]]


def _records(service: Service, record: str) -> list[dict]:
    shown = service.run("records", "show", record, "--format", "json")
    assert shown.returncode == 0, shown
    value = json.loads(shown.stdout)
    return value["records"] if isinstance(value, dict) else value


def _models(upstream: Upstream) -> list[str]:
    return [json.loads(seen.body)["model"] for seen in upstream.requests]


def test_an_alias_is_sent_under_its_providers_name_and_recorded_with_both(
    aliased: Service, upstream: Upstream, spare: Upstream
) -> None:
    aliased.start()
    client = Client(aliased)
    status, body, headers = client.ask("assistant")
    assert (status, body["model"]) == (200, "stable-1-2026-11-01")
    assert _models(upstream) == ["stable-1"] and not spare.requests
    intent, outcome = _records(aliased, headers["ordain-record"])
    assert intent["to"]["model"] == "stable-1"
    assert (intent["alias"]["name"], intent["alias"]["version"]) == ("assistant", "stable")
    assert intent["alias"]["fallback"]["to"] == {"app": "openai-api", "model": "spare-2"}
    assert outcome["model"] == "stable-1-2026-11-01" and "tries" not in outcome
    assert client.models() == ["assistant"]
    for withheld in ("next-3", "old-0"):
        status, body, _ = client.ask(withheld)
        assert status == 404 and f"`{withheld}`" in body["error"]["message"], body
    assert len(upstream.requests) == 1
    assert aliased.stop() == 0


def test_a_failing_upstream_has_one_second_try_at_the_other_version(
    aliased: Service, upstream: Upstream, spare: Upstream
) -> None:
    upstream.answers(_busy)
    aliased.start()
    client = Client(aliased)
    status, body, headers = client.ask("assistant")
    assert (status, body["model"]) == (200, "spare-2-2026-11-01")
    assert (_models(upstream), _models(spare)) == (["stable-1"], ["spare-2"])
    kinds = _records(aliased, headers["ordain-record"])
    assert [one["kind"] for one in kinds] == ["intent", "outcome"], "both tries are under one intent"
    assert kinds[1]["tries"] == [
        {"app": "openai-api", "model": "stable-1", "status": 503},
        {"app": "openai-api", "model": "spare-2"},
    ]
    # Both fail: the last one's answer, with when to come back.
    spare.answers(_busy)
    for _ in range(10):
        status, _, headers = client.ask("assistant")
        assert status == 503 and headers["retry-after"] == "7"
    # A model by its own name has no other version.
    upstream.answers(_busy)
    before = len(spare.requests)
    assert client.ask("stable-1")[0] == 503 and len(spare.requests) == before
    assert aliased.stop() == 0


def test_second_tries_add_no_more_than_a_tenth(aliased: Service, upstream: Upstream, spare: Upstream) -> None:
    failed = 0

    def half_of_the_time(seen: Seen) -> Answer:
        nonlocal failed
        failed += 1
        return _busy(seen) if failed % 2 else _echo(seen)

    upstream.answers(half_of_the_time)
    aliased.start()
    client = Client(aliased)
    for number in range(200):
        client.ask("assistant", f"Question {number}.")
    assert len(upstream.requests) == 200
    assert 10 <= len(spare.requests) <= 21, len(spare.requests)
    assert aliased.stop() == 0


def test_an_upstream_that_is_not_there_is_gone_around(aliased: Service, upstream: Upstream, spare: Upstream) -> None:
    text = aliased.config.read_text()
    aliased.config.write_text(text.replace(upstream.url, "http://127.0.0.1:9"))  # the discard port: nobody listens
    aliased.start()
    status, body, headers = Client(aliased).ask("assistant")
    assert (status, body["model"]) == (200, "spare-2-2026-11-01"), body
    tries = _records(aliased, headers["ordain-record"])[1]["tries"]
    assert tries[0] == {"app": "openai-api", "model": "stable-1", "unreachable": True}
    assert aliased.stop() == 0


def test_a_conversation_stays_with_its_version_over_a_restart(aliased: Service, upstream: Upstream) -> None:
    text = aliased.config.read_text()
    aliased.config.write_text(text.replace("canary: 0", "canary: 30"))
    questions = [f"Question {number}." for number in range(60)]
    asked = []
    for _ in range(2):
        aliased.start()
        client = Client(aliased)
        upstream.requests.clear()
        for question in questions:
            assert client.ask("assistant", question)[0] == 200
        asked.append(_models(upstream))
        assert aliased.stop() == 0
    assert asked[0] == asked[1] and 5 <= asked[0].count("next-3") <= 35, asked[0].count("next-3")


def test_a_promotion_and_its_rollback_under_load_lose_no_request(aliased: Service, upstream: Upstream) -> None:
    aliased.start()
    odd: list[str] = []
    done = threading.Event()

    def keep_asking(number: int) -> None:
        client = Client(aliased)
        turn = 0
        while not done.is_set():
            turn += 1
            status, body, _ = client.ask("assistant", f"Question {number}-{turn}.")
            if status != 200 or body["model"] not in ("stable-1-2026-11-01", "next-3-2026-11-01"):
                odd.append(f"{status} {body}")

    clients = [threading.Thread(target=keep_asking, args=(number,)) for number in range(4)]
    for client in clients:
        client.start()
    watcher = Client(aliased)
    before = aliased.config.read_text()
    try:
        for verb, expected in (
            (("promote", "assistant"), "next-3"),
            (("rollback", "assistant"), "stable-1"),
            (("promote", "assistant", "next"), "next-3"),
            (("rollback", "assistant"), "stable-1"),
        ):
            changed = aliased.run("model", *verb)
            assert changed.returncode == 0, changed
            _until(watcher, expected)
    finally:
        done.set()
        for client in clients:
            client.join()
    assert not odd, odd[:3]
    assert "# percent" in aliased.config.read_text() and aliased.config.read_text() != before
    nothing = aliased.run("model", "rollback", "assistant")
    assert nothing.returncode == 1 and "no approved version to go back to" in nothing.stderr, nothing
    listed = aliased.run("model", "list")
    assert "stable-1" in listed.stdout and "in use" in listed.stdout, listed
    assert watcher.ask("next-3")[0] == 404
    assert aliased.stop() == 0



def _until(client: Client, model: str) -> None:
    """Asks until the alias stands for a model; the folder is looked at several times a second."""
    for _ in range(4000):
        if client.ask("assistant")[1]["model"].startswith(model):
            return
    raise AssertionError(f"{model} is not in use")
