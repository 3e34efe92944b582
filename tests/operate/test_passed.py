"""What passes unread stays within its key and its budgets, and everybody who asks has to be let."""

import http.client
import json
from urllib.parse import urlsplit

import pytest
from asking import Heard, ask, make_key, records
from conftest import Service, comes_true

from rig.gateway import edit_section
from rig.upstream import Answer, Upstream

LINES = r"""
  endpoints:
    - id: EP-1
      endpoints:
        - openai POST /v1/batches
        - openai GET /v1/batches
        - openai POST /v1/batches/{batch_id}/cancel
        - openai DELETE /v1/models/{model}
      groups: [staff]
      then: allow
      reason: Looked at before.
  clauses:
    - {id: AC-9, statement: Batches may go unread., owner: ciso, enforced_by: access.endpoints}
"""
BATCHES = "/v1/batches"


@pytest.fixture
def passing(service: Service, upstream: Upstream) -> Service:
    upstream.answers(Answer([b'{"object": "batch", "usage": {"input_tokens": 900000, "output_tokens": 1}}']))
    edit_section(service.policy, "access", r"\n  clauses:\n", LINES)
    return service


def delete(service: Service, key: str, path: str) -> Heard:
    address = urlsplit(service.ready["gateway"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    connection.request("DELETE", path, headers={"authorization": f"Bearer {key}"})
    response = connection.getresponse()
    heard = Heard(response.status, dict(response.headers), response.read())
    connection.close()
    return heard


@pytest.mark.parametrize(
    ("options", "outside"),
    [
        (["--endpoint", "/v1/batches"], None),
        (["--endpoint", "/v1/*"], None),
        (["--endpoint", "/v1/files"], "endpoint"),
        (["--endpoint", "openai-chat"], "endpoint"),
        (["--app", "openai-api"], None),
        (["--app", "anthropic-api"], "app"),
        (["--model", "m-*"], "model"),
        (["--for-use", "drafting"], "use"),
    ],
)
def test_a_key_opens_what_it_is_for(passing: Service, upstream: Upstream, options: list[str], outside: str | None) -> None:
    key = make_key(passing, *options)
    passing.start()
    heard = ask(passing, key["key"], path=BATCHES)
    passing.stop()
    assert heard.status == (403 if outside else 200), heard.body
    assert len(upstream.requests) == (0 if outside else 1)
    refusals = [it["bounded"] for it in records(passing, "refusal")]
    assert refusals == ([{"by": "key-scope", "what": outside}] if outside else [])


def test_a_key_for_some_models_opens_paths_that_name_one(passing: Service, upstream: Upstream) -> None:
    key = make_key(passing, "--model", "m-*")["key"]
    passing.start()
    assert [delete(passing, key, f"/v1/models/{name}").status for name in ("m-1", "n-1")] == [200, 403]
    assert upstream.only().target == "/v1/models/m-1"
    passing.stop()
    (intent,) = records(passing, "intent")
    assert intent["to"]["model"] == "m-1" and intent["content"]["endpoint"] == "openai DELETE /v1/models/{model}"


def test_requests_are_counted_and_what_cannot_be_counted_is_not_made(passing: Service, upstream: Upstream) -> None:
    some = make_key(passing, "--limit", "requests=2/month")["key"]
    tokens = make_key(passing, "--limit", "tokens=1000000/month")["key"]
    passing.start()
    assert [ask(passing, some, path=BATCHES).status for _ in range(3)] == [200, 200, 429]
    heard = ask(passing, tokens, path=BATCHES)
    assert heard.status == 403 and "nobody can tell" in heard.json["error"]["message"]
    assert ask(passing, tokens, path=f"{BATCHES}/batch_1/cancel").status == 403
    assert ask(passing, tokens, path=BATCHES, method="GET").status == 200
    assert len(upstream.requests) == 3
    passing.stop()
    over, *uncounted = (it["bounded"] for it in records(passing, "refusal"))
    assert over == {"by": "budget", "per": "key", "limit": "requests=2/month"}
    assert uncounted == [{"by": "budget", "per": "key", "limit": "tokens=1000000/month"}] * 2
    # What an answer says of itself is not read.
    assert all("usage" not in it for it in records(passing, "outcome"))


@pytest.mark.parametrize("then", ["justify", "hold", "block"])
def test_what_asks_for_a_second_step_is_refused(service: Service, upstream: Upstream, then: str) -> None:
    edit_section(service.policy, "access", r"\n  clauses:\n", LINES.replace("then: allow", f"then: {then}"))
    service.start()
    heard = ask(service, service.key, path=BATCHES)
    assert heard.status == 403 and heard.headers["ordain-decision"] == then
    message = heard.json["error"]["message"]
    assert "access.endpoints" in message and "ordain-justification" not in message and "ticket" not in message
    assert not upstream.requests
    service.stop()
    (refusal,) = records(service, "refusal")
    assert refusal["content"]["endpoint"] == "openai POST /v1/batches" and "ticket" not in refusal


def test_a_line_counts_from_the_moment_that_it_stands_until_it_goes(service: Service, upstream: Upstream) -> None:
    service.start()
    assert ask(service, service.key, path=BATCHES).status == 403
    before = service.policy.read_text()
    edit_section(service.policy, "access", r"\n  clauses:\n", LINES)
    upstream.answers(Answer([b"{}"]))
    assert comes_to(service, 200)
    service.policy.write_text(before)
    assert comes_to(service, 403)


def comes_to(service: Service, status: int) -> bool:
    """Whether a running gateway takes in what was changed."""
    return comes_true(lambda: ask(service, service.key, path=BATCHES).status == status, 5)


def test_what_passes_unread_is_said_and_recorded(passing: Service) -> None:
    endpoints = [
        "openai GET /v1/batches",
        "openai POST /v1/batches",
        "openai POST /v1/batches/{batch_id}/cancel",
        "openai DELETE /v1/models/{model}",
    ]
    said = json.loads(passing.run("assurance", "--format", "json").stdout)
    assert said["passed"] == endpoints
    shown = passing.run("assurance").stdout
    assert "4 endpoints pass unread" in shown and all(endpoint in shown for endpoint in endpoints)
    passing.start()
    passing.stop()
    assert records(passing, "activation")[-1]["passed"] == endpoints
