"""What a clause cannot see on a route is said, recorded, and closes the route unless the policy says otherwise."""

import json
import subprocess
import urllib.request

import pytest

from asking import Heard, ask, records
from conftest import Service, comes_true
from rig.gateway import binary
from rig.upstream import Upstream

IMAGES = "/v1/images/generations"
COMPLETIONS = "/v1/completions"
PICTURE = {"messages": None, "prompt": "A boat at sea."}
RULE = """    - id: AU-9
      statement: What tools return is not sent on if it has secrets in it.
      owner: ciso
      rule:
        when: {data: [secret], source: [tool], direction: prompt}
        then: block
"""
CASE = """
  - name: AU-9, what a tool returned
    request: {group: staff, app: openai-api, data: [private-key], source: tool, text: "Here it is."}
    expect: {verdict: block, clauses: [AU-9]}
"""
UNSEEN = "  unseen:\n    - {endpoint: openai POST /v1/completions, reason: our own prose, until: 2099-12-31}\n"


def _picture(service: Service) -> Heard:
    return ask(service, service.key, IMAGES, **PICTURE)


def _change(service: Service, before: str, after: str) -> None:
    text = service.policy.read_text()
    assert before in text, before
    beside = service.policy.with_name(".next")
    beside.write_text(text.replace(before, after, 1))
    beside.replace(service.policy)


def _assurance(service: Service) -> dict:
    shown = service.run("assurance", "--format", "json")
    assert shown.returncode in {0, 1}, shown.stderr
    found = json.loads(shown.stdout)
    assert (shown.returncode == 1) == bool(found["refused"])
    return found


def _refused(found: dict) -> set[str]:
    return {it["endpoint"] for it in found["refused"]}


def test_pictures_that_the_policy_cannot_judge_are_not_asked_for(service: Service, upstream: Upstream) -> None:
    service.start()
    said = _assurance(service)
    assert f"openai POST {IMAGES}" in _refused(said)
    refused = _picture(service)
    assert refused.status == 403
    assert "uninspectable" in refused.json["error"]["message"], refused.body
    assert upstream.raw() == b"", "nothing may leave for an answer that is thrown away"
    record = records(service, "refusal")[-1]
    assert record["id"] == refused.headers["ordain-record"] and record["status"] == 403
    because = {"by": "assurance", "clauses": ["uninspectable"], "field": "images", "kind": "unanswerable"}
    assert record["bounded"] == because

    # It stands in the ledger since the start.
    activation = records(service, "activation")[-1]
    assert activation["policy"]["digest"] == refused.headers["ordain-policy"]
    assert {it["endpoint"] for it in activation["refused"]} == _refused(said)
    assert activation["gaps"] == said["gaps"] and activation.get("missing", []) == said["missing"]

    # With the policy's word the route is open, and what passes unread is said.
    before = len(records(service, "activation"))
    _change(service, "  uninspectable: block", "  uninspectable: allow")
    assert comes_true(lambda: len(records(service, "activation")) > before, 20)
    assert comes_true(lambda: _picture(service).status == 200, 20)
    assert b"A boat at sea." in upstream.raw()
    said = _assurance(service)
    assert not said["refused"]
    unread = [it for it in said["gaps"] if it["kind"] == "unread" and "openai-images" in it["wires"]]
    assert {(it["direction"], it["field"]) for it in unread} >= {("answer", "images"), ("prompt", "images")}
    assert records(service, "activation")[-1]["gaps"] == said["gaps"]
    assert service.stop() == 0


def test_a_route_that_hides_who_wrote_a_text_is_closed_until_the_policy_opens_it(
    service: Service, upstream: Upstream
) -> None:
    service.start()
    asked = {"messages": None, "prompt": "Once upon a time"}
    assert ask(service, service.key, COMPLETIONS, **asked).status == 200
    cases = service.policy.parent / "cases" / "starter.yaml"
    cases.write_text(cases.read_text() + CASE)
    text = service.policy.read_text()
    place = text.index("    - id: AU-2")
    service.policy.write_text(text[:place] + RULE + text[place:])
    assert comes_true(lambda: ask(service, service.key, COMPLETIONS, **asked).status == 403, 20)
    assert ask(service, service.key).status == 200, "chat tells what a tool returned"
    record = records(service, "refusal")[-1]
    assert record["bounded"] == {"by": "assurance", "clauses": ["AU-9"], "field": "tool-results", "kind": "undivided"}
    assert '"refused_endpoints":' in service.log.read_text(), "operators are told, once for all of it"
    checked = service.run("serve", "--check")
    assert checked.returncode == 0 and "AU-9" in checked.stdout and "undivided" in checked.stdout

    sent = len(upstream.raw())
    _change(service, "  uninspectable: block", UNSEEN + "  uninspectable: block")
    assert comes_true(lambda: ask(service, service.key, COMPLETIONS, **asked).status == 200, 20)
    assert len(upstream.raw()) > sent
    said = _assurance(service)
    assert f"openai POST {COMPLETIONS}" not in _refused(said) and "openai POST /v1/embeddings" in _refused(said)
    opened = [it["endpoint"] for it in records(service, "activation")[-1]["opened"]]
    assert opened == [it["endpoint"] for it in said["opened"]] == [f"openai POST {COMPLETIONS}"], "and that is on record"
    assert any(it["kind"] == "undivided" and "openai-completions" in it["wires"] for it in said["gaps"])
    assert service.stop() == 0


def test_metrics_say_how_much_is_amiss(service: Service) -> None:
    service.add_config("\nmetrics: {listen: \"127.0.0.1:0\"}\n")
    service.start()
    with urllib.request.urlopen(service.ready["metrics"], timeout=30) as heard:
        lines = heard.read().decode().splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("ordain_"))
    assert found["ordain_refused_endpoints"] == str(len(_refused(_assurance(service))))
    assert int(found['ordain_assurance_gaps{kind="stopped"}']) > 0
    assert found['ordain_assurance_gaps{kind="undivided"}'] == "0"
    assert found['ordain_failed_detections_total{trouble="out-of-time"}'] == "0"
    assert service.stop() == 0


@pytest.mark.parametrize("arguments", [[], ["--all"]])
def test_people_read_a_table(service: Service, arguments: list[str]) -> None:
    shown = subprocess.run(
        [binary(), "assurance", service.folder, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert shown.returncode == 1 and not shown.stderr
    assert f"openai POST {IMAGES}" in shown.stdout
    # Only families that have an upstream, unless all are asked for.
    assert ("anthropic-messages" in shown.stdout) == bool(arguments)
    ours = service.run("records", "list", "--kind", "activation")
    assert ours.returncode == 0 and "activation" in ours.stdout
