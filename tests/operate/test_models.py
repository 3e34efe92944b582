"""Aliases of models: who gets which version, what happens when an upstream fails, and the way back (threats C10 and G7).

Two upstreams of the same app; an alias with a version at each, and a candidate.
"""

import http.client
import json
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from asking import make_key, records
from conftest import Service
from rig import answers
from rig.gateway import edit_section
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

    def __init__(self, service: Service, key: str | None = None) -> None:
        address = urlsplit(service.ready["gateway"])
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        self._headers = {"authorization": f"Bearer {key or service.key}", "content-type": "application/json"}

    def ask(self, model: str, says: str = "Hello.", **headers: str) -> tuple[int, dict, http.client.HTTPMessage]:
        body = {"model": model, "messages": [{"role": "user", "content": says}]}
        return self.post("/v1/chat/completions", body, **headers)

    def post(self, path: str, body: dict, **headers: str) -> tuple[int, dict, http.client.HTTPMessage]:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", path, json.dumps(body), self._headers | headers)
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


def test_a_key_opens_an_alias_by_either_name(aliased: Service, upstream: Upstream, spare: Upstream) -> None:
    upstream.answers(_busy)
    keys = {name: make_key(aliased, "--model", name)["key"] for name in ("assistant", "stable-*", "spare-*")}
    aliased.start()
    # By its own name it opens whatever the alias leads to; by the model's, that model alone.
    for name, status, instead in (("assistant", 200, True), ("stable-*", 503, False)):
        spare.requests.clear()
        client = Client(aliased, keys[name])
        assert client.models() == ["assistant"], name
        found, _, headers = client.ask("assistant")
        assert (found, bool(spare.requests)) == (status, instead), name
        assert ("fallback" in _records(aliased, headers["ordain-record"])[0]["alias"]) == instead, name
        for _ in range(10):  # they earn the next second try
            Client(aliased).ask("assistant")
    outside = Client(aliased, keys["spare-*"])
    assert outside.models() == []
    status, _, headers = outside.ask("assistant")
    assert status == 403
    (refusal,) = _records(aliased, headers["ordain-record"])
    assert refusal["bounded"] == {"by": "key-scope", "what": "model"} and refusal["alias"]["version"] == "stable"
    assert aliased.stop() == 0


def test_a_second_try_is_charged_what_its_place_costs_and_counted_once(
    aliased: Service, upstream: Upstream, spare: Upstream
) -> None:
    upstream.answers(_busy)
    prices = "currency: EUR\nprices:\n  - {app: openai-api, model: stable-1, input: 1000000, output: 1000000}\n"
    second = "  - {app: openai-api, model: spare-2, input: 2000000, output: 2000000}\n"
    budgets = "budgets:\n  - {per: principal, limits: [requests=1/month, cost=100000/month]}\n"
    without = aliased.config.read_text()
    aliased.config.write_text(without + prices + second + budgets)
    aliased.start()
    assert Client(aliased).ask("assistant")[0] == 200
    assert (len(upstream.requests), len(spare.requests)) == (1, 1)
    assert Client(aliased).ask("assistant")[0] == 429, "one request is left of none"
    assert aliased.stop() == 0
    assert records(aliased, "outcome")[-1]["usage"] == {"input": 11, "output": 7, "cost": 36_000_000, "currency": "EUR"}
    # Without a price there, a limit of cost could not be kept to.
    aliased.config.write_text(without + prices + budgets.replace("requests=1/", "requests=9/"))
    aliased.start()
    assert Client(aliased).ask("assistant")[0] == 503 and len(spare.requests) == 1
    assert aliased.stop() == 0


CLAUSES = """clauses:
    - id: AU-91
      statement: Stable things are asked for a reason.
      owner: dpo
      rule: {when: {model: stable-*}, then: justify}
    - id: AU-92
      statement: Two people see what goes to a deployment.
      owner: dpo
      rule: {when: {model: dep-*}, then: hold}
"""
CASES = """cases:
  - name: what is stable needs a reason
    request: {group: staff, app: openai-api, model: stable-1, text: Hello.}
    expect: {verdict: justify, clauses: [AU-91]}
  - name: a deployment is seen by two
    request: {group: staff, app: openai-api, model: dep-1, text: Hello.}
    expect: {verdict: hold, clauses: [AU-92]}
"""


@pytest.fixture
def stepped(aliased: Service) -> Service:
    edit_section(aliased.policy, "acceptable_use", r"clauses:\n", CLAUSES)
    (aliased.folder / "policy" / "cases" / "models.yaml").write_text(CASES)
    return aliased


def test_what_was_asked_for_a_reason_goes_to_one_place(stepped: Service, upstream: Upstream, spare: Upstream) -> None:
    upstream.answers(_busy)
    stepped.start()
    status, _, headers = Client(stepped).ask("assistant", ordain_justification="for the audit of 2026")
    assert (status, len(upstream.requests), len(spare.requests)) == (503, 1, 0)
    intent = _records(stepped, headers["ordain-record"])[0]
    assert intent["steps"] == {"justified": ["AU-91"]} and "fallback" not in intent["alias"]
    assert stepped.stop() == 0


def test_an_agreement_does_not_go_over_to_another_version(stepped: Service, upstream: Upstream) -> None:
    text = stepped.config.read_text()
    azure = f"  - {{id: azure, app: openai-api, dialect: azure, url: '{upstream.url}'}}\n"
    deployed = """  deployed:
    use: one
    versions:
      one: {state: approved, upstream: azure, model: dep-1}
      two: {state: approved, upstream: azure, model: dep-2}
"""
    stepped.config.write_text(text.replace("\nmodels:\n", f"\n{azure}models:\n") + deployed)
    stepped.start()
    client = Client(stepped)

    def ask(**headers: str) -> tuple[int, dict, http.client.HTTPMessage]:
        # The name is in the path alone: the bytes of the body are the same whatever it stands for.
        path = "/openai/deployments/deployed/chat/completions?api-version=2025-01-01"
        return client.post(path, {"messages": [{"role": "user", "content": "Hello."}]}, **headers)

    ticket = ask()[2]["ordain-ticket"]
    assert ticket and ask()[2]["ordain-ticket"] == ticket
    assert stepped.run("approve", ticket, "--as", "dpo@example.com").returncode == 0
    assert stepped.run("model", "promote", "deployed", "two").returncode == 0
    for _ in range(4000):
        if ask()[2]["ordain-ticket"] != ticket:
            break
    else:
        raise AssertionError("the promotion is not in force")
    status, body, headers = ask(ordain_ticket=ticket)
    assert status == 200 and "another request" in body["choices"][0]["message"]["content"], body
    assert headers["ordain-ticket"] != ticket and not upstream.requests
    assert stepped.stop() == 0


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
