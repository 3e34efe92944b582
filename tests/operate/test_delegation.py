"""Agents that act on behalf of people: who may, that the stricter of both decides, and what the record keeps. And rules that
ask for a recent sign-in, which the owner of a key never has."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from conftest import Service
from rig.upstream import Upstream

CARD = "Please charge 4111 1111 1111 1111 today."
DELEGATION = """delegation:
  - {client: assistant, for: {groups: [engineering], principals: [bo@northwind.example]}}
"""
PEOPLE = """
  bot: {groups: [staff]}
  ann@northwind.example: {groups: [staff, engineering], since: 2025-01-01}
  bo@northwind.example: {groups: [staff]}
  eve@northwind.example: {groups: [visitors]}
"""


class World:
    def __init__(self, service: Service) -> None:
        self.service = service
        people = service.folder / "directory.yaml"
        people.write_text(people.read_text() + PEOPLE)
        self.agent = self._key("bot", "--client", "assistant")
        self.plain = self._key("bot")
        service.add_config(DELEGATION)

    def _key(self, *arguments: str) -> str:
        made = self.service.run("key", "create", *arguments, "--format", "json")
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)["key"]

    def add_rule(self, rule: str, *cases: str) -> None:
        """A clause of `acceptable_use`, with its cases."""
        text = self.service.policy.read_text()
        place = text.index("  clauses:\n", text.index("\nacceptable_use:")) + len("  clauses:\n")
        self.service.policy.write_text(text[:place] + f"    - {{{rule}}}\n" + text[place:])
        written = "".join(f"  - {{name: further case {number}, {case}}}\n" for number, case in enumerate(cases))
        (self.service.policy.parent / "cases" / "further.yaml").write_text(f"cases:\n{written}")

    def ask(self, key: str, text: str, *behalf: str, path: str = "/v1/chat/completions") -> http.client.HTTPResponse:
        address = urlsplit(self.service.ready["gateway"])
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
        get = path.endswith("models")
        connection.putrequest("GET" if get else "POST", path)
        connection.putheader("authorization", f"Bearer {key}")
        for name in behalf:
            connection.putheader("ordain-on-behalf-of", name)
        if not get:
            connection.putheader("content-type", "application/json")
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(None if get else body)
        response = connection.getresponse()
        response.said = response.read().decode()
        return response

    def record(self, response: http.client.HTTPResponse) -> dict:
        shown = self.service.run("records", "show", response.headers["ordain-record"], "--format", "json")
        assert shown.returncode == 0, shown.stderr
        return json.loads(shown.stdout)["records"][0]


@pytest.fixture
def world(service: Service) -> World:
    return World(service)


def test_both_stand_in_the_record_by_their_subjects(world: World, upstream: Upstream) -> None:
    world.service.start()
    passed = world.ask(world.agent, "Hello", "ann@northwind.example")
    assert passed.status == 200, passed.said
    record = world.record(passed)
    who = record["who"]
    assert (who["groups"], who["client"]) == (["staff"], "assistant")
    behalf = who["on_behalf_of"]
    assert (behalf["groups"], behalf["since"]) == (["staff", "engineering"], "2025-01-01")
    assert len(behalf["subject"]) == 32 and behalf["subject"] != record["subject"]
    assert "northwind" not in json.dumps(record)
    # The same person has the same subject, however the name is written; another has another.
    again = world.record(world.ask(world.agent, "Hello", "Ann@Northwind.example"))
    assert again["who"]["on_behalf_of"]["subject"] == behalf["subject"]
    other = world.record(world.ask(world.agent, "Hello", "bo@northwind.example"))
    assert other["who"]["on_behalf_of"]["subject"] not in (behalf["subject"], record["subject"])
    # Nothing of it goes upstream.
    assert all("ordain-on-behalf-of" not in seen.headers for seen in upstream.requests)


def test_who_may_not_act_for_others_is_refused_and_recorded(world: World, upstream: Upstream) -> None:
    world.service.start()
    for key, behalf in [
        (world.plain, ["ann@northwind.example"]),
        (world.service.key, ["bo@northwind.example"]),
        (world.agent, ["eve@northwind.example"]),
        (world.agent, ["nobody@elsewhere.example"]),
        (world.agent, [""]),
        (world.agent, ["ann@northwind.example", "ann@northwind.example"]),
        (world.agent, ["ann@northwind.example, bo@northwind.example"]),
    ]:
        refused = world.ask(key, "Hello", *behalf)
        assert refused.status == 403, (behalf, refused.said)
        record = world.record(refused)
        assert (record["kind"], record["status"]) == ("refusal", 403)
        assert "on_behalf_of" not in record["who"] and "example" not in json.dumps(record)
        assert world.ask(key, "", *behalf, path="/v1/models").status == 403
    assert upstream.requests == []


def test_the_stricter_of_both_decides(world: World, upstream: Upstream) -> None:
    world.add_rule(
        "id: AU-91, statement: Engineers send no cards., owner: ciso, "
        "rule: {when: {group: engineering, data: payment-card}, then: block}",
        "request: {group: [staff, engineering], app: openai-api, data: payment-card}, expect: {verdict: block, clauses: [AU-91]}",
    )
    world.service.start()
    alone = world.ask(world.agent, CARD)
    assert alone.headers["ordain-decision"] == "redact", alone.said
    together = world.ask(world.agent, CARD, "ann@northwind.example")
    assert together.headers["ordain-decision"] == "block", together.said
    assert "AU-91" in together.said
    assert world.ask(world.agent, CARD, "bo@northwind.example").headers["ordain-decision"] == "redact"
    assert len(upstream.requests) == 2


def test_a_rule_that_asks_for_a_sign_in_is_answered_as_a_challenge(world: World, upstream: Upstream) -> None:
    world.add_rule(
        "id: AU-92, statement: Cards need a recent sign-in., owner: ciso, "
        "rule: {when: {data: payment-card}, unless: {signed_in: 15 minutes}, then: block}",
        "request: {group: staff, app: openai-api, data: payment-card}, expect: {verdict: block, clauses: [data.matrix, AU-92]}",
        "request: {group: staff, app: openai-api, data: payment-card, signed_in: 15 minutes}, expect: {verdict: redact}",
        "request: {group: staff, app: openai-api, data: payment-card, signed_in: 16 minutes}, expect: {verdict: block, clauses: [data.matrix, AU-92]}",
    )
    tested = world.service.run("test", "--only", "further case")
    assert tested.returncode == 0 and "3 passed, 0 failed" in tested.stdout, tested
    world.service.start()
    assert world.ask(world.service.key, "Hello").status == 200
    asked = world.ask(world.service.key, CARD)
    assert asked.status == 401, asked.said
    challenge = asked.headers["www-authenticate"]
    assert challenge.startswith('Bearer error="insufficient_user_authentication"') and 'max_age="900"' in challenge
    assert "ordain login" in json.loads(asked.said)["error"]["message"]
    record = world.record(asked)
    assert (record["kind"], record["status"]) == ("refusal", 401)
    assert "AU-92" in [clause["id"] for clause in record["decision"]["clauses"]]
    assert len(upstream.requests) == 1
