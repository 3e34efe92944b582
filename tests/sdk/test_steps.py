"""The second step of `justify` and `hold`, as users of the official SDKs and those who answer tickets see it."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from conftest import World
from rig import answers
from rig.clients import WAYS, Dialect, Said, Way, post
from rig.gateway import Gateway, binary, edit_section
from rig.planted import AWS_KEY, CARD
from rig.upstream import Upstream

CLAUSES = """clauses:
    - id: AU-91
      statement: Plans are made for a reason.
      owner: dpo
      rule: {when: {model: plan-*}, then: justify, tell: Say what for.}
    - id: AU-92
      statement: Two people see what goes to a pair.
      owner: dpo
      rule: {when: {model: pair-*}, then: hold}
"""
CASES = """cases:
  - name: a plan needs a reason
    request: {group: staff, app: openai-api, model: plan-1, text: Plan it.}
    expect: {verdict: justify, clauses: [AU-91]}
  - name: a pair is seen by two
    request: {group: staff, app: openai-api, model: pair-1, text: Pair up.}
    expect: {verdict: hold, clauses: [AU-92]}
"""
WHY = "für die Prüfung von 2026"
ASKER = "you@example.com"
OWNER = "dpo@example.com"


@dataclass
class Steps:
    """A gateway whose policy asks for second steps, and its command line."""

    folder: Path
    gateway: Gateway

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [str(binary()), *arguments, "--dir", str(self.folder)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def json(self, *arguments: str) -> dict:
        done = self.run(*arguments, "--format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def approve(self, ticket: str, who: str = OWNER) -> subprocess.CompletedProcess:
        return self.run("approve", ticket, "--as", who)

    def show(self, said: Said) -> dict:
        return self.json("records", "show", said.wire.headers["ordain-record"])


def edited(folder: Path, upstream_urls: dict[str, str]) -> None:
    """Makes a gateway's folder, with the clauses in its policy."""
    Gateway.start(folder, upstream_urls).stop()
    edit_section(folder / "policy" / "policy.yaml", "acceptable_use", r"clauses:\n", CLAUSES)
    (folder / "policy" / "cases" / "steps.yaml").write_text(CASES)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory, upstream_urls: dict[str, str]) -> Iterator[Steps]:
    folder = tmp_path_factory.mktemp("steps") / "ordain"
    edited(folder, upstream_urls)
    with Gateway.start(folder, upstream_urls) as gateway:
        yield Steps(folder, gateway)
        assert gateway.alive()
        log = gateway.log.read_text()
        assert "Prüfung" not in log and ASKER not in log and OWNER not in log


def words(said: Said) -> str:
    return " ".join([*said.texts.values(), *said.refusals.values()])


def refused(way: Way, said: Said) -> str:
    """The words of a normal answer that refuses."""
    assert said.wire.status == 200
    assert said.finish == {0: "content_filter" if way.dialect is Dialect.OPENAI else "refusal"}
    assert said.wire.headers["ordain-record"] in words(said)
    return words(said)


def ticket_of(said: Said) -> str:
    ticket = said.wire.headers["ordain-ticket"]
    assert said.wire.headers["retry-after"] == "60"
    assert ticket in words(said)
    return ticket


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_justify_is_refused_and_passes_with_a_reason(steps: Steps, world: World, way: Way) -> None:
    prompt = f"Plan something for the card {CARD.value}."
    first = way.say(steps.gateway, prompt, model="plan-1")
    told = refused(way, first)
    assert "AU-91" in told and "ordain-justification" in told and "Say what for." in told
    assert first.decision == "redact", "the strictest name, though a reason is asked for as well"
    assert world.requests_seen() == 0

    second = way.say(steps.gateway, prompt, model="plan-1", extra_headers={"ordain-justification": quote(WHY)})
    assert second.text == "All is well."
    sent = world.upstream(way.dialect).only()
    assert sent.body == second.wire.sent.replace(CARD.value.encode(), CARD.mask.encode())
    assert "ordain-justification" not in sent.headers and quote(WHY).encode() not in sent.raw

    shown = steps.show(second)
    intent = shown["records"][0]
    assert (intent["kind"], intent["steps"]) == ("intent", {"justified": ["AU-91"]})
    assert "Prüfung" not in json.dumps(shown["records"], ensure_ascii=False), "no leaf holds what a person wrote"
    assert shown["reasons"] == {intent["id"]: WHY}
    assert "reasons" not in steps.show(first)
    assert steps.run("records", "erase-reason", intent["id"]).returncode == 0
    assert steps.show(second) == {"v": 1, "records": shown["records"]}
    assert steps.run("records", "erase-reason", intent["id"]).returncode == 1


@pytest.mark.parametrize(
    ("reason", "fault"), [("no", "10 to 1,000"), ("%FF%FE%FF%FE%FF%FE%FF%FE%FF%FE", "UTF-8"), ("x" * 1001, "10 to 1,000")]
)
def test_a_reason_that_is_none_is_not_taken(steps: Steps, world: World, reason: str, fault: str) -> None:
    way = WAYS[0]
    said = way.say(steps.gateway, "Plan it.", model="plan-1", extra_headers={"ordain-justification": reason})
    assert fault in refused(way, said)
    assert world.requests_seen() == 0
    # Where nobody asked for one it is not even looked at.
    fine = way.say(steps.gateway, "Good morning.", extra_headers={"ordain-justification": reason})
    assert fine.text == "All is well."


def test_a_reason_that_nobody_asked_for_is_not_kept(steps: Steps, world: World) -> None:
    said = WAYS[0].say(steps.gateway, "Good morning.", extra_headers={"ordain-justification": quote(WHY)})
    assert said.decision == "allow"
    shown = steps.show(said)
    assert "reasons" not in shown and "steps" not in shown["records"][0]


def test_a_secret_in_a_reason_is_masked(steps: Steps, world: World) -> None:
    reason = f"the key {AWS_KEY.value} has to be rotated"
    said = WAYS[0].say(steps.gateway, "Plan it.", model="plan-1", extra_headers={"ordain-justification": quote(reason)})
    assert said.text == "All is well."
    shown = json.dumps(steps.show(said))
    assert AWS_KEY.value not in shown and "has to be rotated" in shown
    store = b"".join(path.read_bytes() for path in (steps.folder / "store").iterdir())
    assert AWS_KEY.value.encode() not in store


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_hold_passes_once_somebody_else_has_agreed(steps: Steps, world: World, way: Way) -> None:
    prompt = f"Pair up over {CARD.value}, the {way} way."
    first = way.say(steps.gateway, prompt, model="pair-1")
    told = refused(way, first)
    ticket = ticket_of(first)
    assert "AU-92" in told and "dpo" in told and "24 hours" in told
    assert ticket_of(way.say(steps.gateway, prompt, model="pair-1")) == ticket, "the same request has one ticket"

    def again(text: str = prompt) -> Said:
        return way.say(steps.gateway, text, model="pair-1", extra_headers={"ordain-ticket": ticket})

    assert ticket_of(again()) == ticket
    assert world.requests_seen() == 0

    for stranger, why in ((ASKER, "their own"), (ASKER.upper(), "their own"), ("eve@example.com", "dpo")):
        tried = steps.approve(ticket, stranger)
        assert tried.returncode == 1 and why in tried.stderr, tried
    seen = steps.json("tickets", "show", ticket)
    assert (seen["state"], seen["clauses"]) == ("waiting", ["AU-92"])
    assert seen["request"]["content"]["entities"]["payment-card"]["distinct"] == 1
    assert CARD.value not in json.dumps(seen) and "Pair up" not in json.dumps(seen)
    agreed = steps.json("approve", ticket, "--as", OWNER, "--reason", "seen with legal")
    assert steps.approve(ticket).returncode == 1, "once"
    record = steps.json("records", "show", agreed["record"])
    assert (record["records"][0]["kind"], record["records"][0]["ticket"]) == ("approval", ticket)
    assert record["reasons"] == {agreed["record"]: "seen with legal"}
    assert OWNER not in json.dumps(record)

    told = refused(way, again(prompt + " "))
    assert "another request" in told, "one byte is enough"
    assert world.requests_seen() == 0
    passed = again()
    assert passed.text == "All is well."
    sent = world.upstream(way.dialect).only()
    assert sent.body == passed.wire.sent.replace(CARD.value.encode(), CARD.mask.encode())
    assert steps.show(passed)["records"][0]["steps"] == {"ticket": ticket, "agreed": ["AU-92"]}
    used = again()
    assert f"{ticket} was used already" in refused(way, used)
    assert ticket_of(used) != ticket, "it may be asked for anew"
    assert len(world.upstream(way.dialect).requests) == 1
    states = {one["ticket"]: one["state"] for one in steps.json("tickets", "list")["tickets"]}
    assert states[ticket] == "used"


def test_a_ticket_is_of_one_principal(steps: Steps, world: World) -> None:
    way = WAYS[0]
    ticket = ticket_of(way.say(steps.gateway, "Of one.", model="pair-1"))
    assert steps.approve(ticket).returncode == 0
    other = Gateway(steps.gateway.process, {"gateway": steps.gateway.url, "key": "", "pid": 0}, steps.gateway.log)
    other.key = steps.json("key", "create", "sam@example.com")["key"]
    headers = {"ordain-ticket": ticket}

    def allowed(_attempt: int) -> Said | None:
        wire = post(other, "/v1/chat/completions", b"{}")
        # Until the gateway knows it, it is a wrong key like any other, and soon told to wait.
        return None if wire.status in (401, 429) else way.say(other, "Of one.", model="pair-1", extra_headers=headers)

    said = next(filter(None, map(allowed, range(1000))))
    # Whether or not the policy grants them the app, the ticket is not theirs.
    assert "somebody else" in words(said) or said.decision == "block"
    assert world.requests_seen() == 0
    assert way.say(steps.gateway, "Of one.", model="pair-1", extra_headers=headers).text == "All is well."


def test_a_denied_ticket_stays_denied(steps: Steps, world: World) -> None:
    way = WAYS[0]
    ticket = ticket_of(way.say(steps.gateway, "Denied.", model="pair-1"))
    assert steps.run("deny", ticket, "--as", OWNER, "--reason", "not this week").returncode == 0
    for headers in ({}, {"ordain-ticket": ticket}):
        said = way.say(steps.gateway, "Denied.", model="pair-1", extra_headers=headers)
        assert f"{ticket} was denied" in refused(way, said)
    assert steps.approve(ticket).returncode == 1
    assert world.requests_seen() == 0


def test_of_many_at_once_one_passes(tmp_path: Path, world: World, upstream_urls: dict[str, str]) -> None:
    way = WAYS[0]
    edited(tmp_path / "ordain", upstream_urls)
    with Gateway.start(tmp_path / "ordain", upstream_urls) as gateway:
        here = Steps(tmp_path / "ordain", gateway)
        for race in range(5):
            ticket = ticket_of(way.say(gateway, f"Race {race}.", model="pair-1"))
            assert here.approve(ticket).returncode == 0
            world.upstream(way.dialect).reset()

            def use(_one: int, race: int = race, ticket: str = ticket) -> str:
                said = way.say(gateway, f"Race {race}.", model="pair-1", extra_headers={"ordain-ticket": ticket})
                return said.text or words(said)

            with ThreadPoolExecutor(20) as pool:
                said = list(pool.map(use, range(20)))
            assert said.count("All is well.") == 1
            assert all("was used already" in one for one in said if one != "All is well."), said
            assert len(world.upstream(way.dialect).requests) == 1


def test_so_many_tickets_wait_and_no_more(tmp_path: Path, world: World, upstream_urls: dict[str, str]) -> None:
    way = WAYS[0]
    edited(tmp_path / "ordain", upstream_urls)
    with Gateway.start(tmp_path / "ordain", upstream_urls) as gateway:
        here = Steps(tmp_path / "ordain", gateway)
        tickets = {ticket_of(way.say(gateway, f"Number {number}.", model="pair-1")) for number in range(20)}
        assert len(tickets) == 20
        more = way.say(gateway, "Number 20.", model="pair-1")
        assert "Too many" in refused(way, more) and "ordain-ticket" not in more.wire.headers
        assert here.run("deny", tickets.pop(), "--as", OWNER).returncode == 0
        assert ticket_of(way.say(gateway, "Number 20.", model="pair-1")) not in tickets
    assert world.requests_seen() == 0


def test_an_answer_waits_for_nobody(steps: Steps, world: World) -> None:
    """What a model calls was never seen before: a tool that is held stops the answer, and the words say so."""
    edit = "tools: {unlisted: block, list: [{tool: mail.send, kind: irreversible, then: hold}]}\n  clauses:\n    - {id: AC-91, statement: Mail waits., owner: cto, enforced_by: access.tools}\n"
    folder = steps.folder.with_name("tools")
    urls = {dialect.value: it.url for dialect, it in world.upstreams.items()}
    Gateway.start(folder, urls).stop()
    edit_section(folder / "policy" / "policy.yaml", "access", r"clauses:\n", edit)
    call = {"id": "c1", "type": "function", "function": {"name": "mail.send", "arguments": "{}"}}
    with Gateway.start(folder, urls) as gateway:
        world.upstream(Dialect.OPENAI).answers(answers.chat({"content": None, "tool_calls": [call]}))
        said = WAYS[0].say(gateway, "Send it.")
    assert not said.tools
    assert "It cannot wait for somebody to agree." in words(said), words(said)


def test_another_policy_and_an_approval_without_a_gateway(
    tmp_path: Path, upstreams: dict[Dialect, Upstream], upstream_urls: dict[str, str]
) -> None:
    way = WAYS[0]
    folder = tmp_path / "ordain"
    edited(folder, upstream_urls)
    for upstream in upstreams.values():
        upstream.reset()
    with Gateway.start(folder, upstream_urls) as gateway:
        here = Steps(folder, gateway)
        first, second = (ticket_of(way.say(gateway, text, model="pair-1")) for text in ("One.", "Two."))
        asked = way.say(gateway, "Both.", model="pair-1")
        assert ticket_of(asked) not in (first, second)
    # Nobody runs: the command writes the record itself.
    assert here.approve(first).returncode == 0
    with Gateway.start(folder, upstream_urls) as gateway:
        said = way.say(gateway, "One.", model="pair-1", extra_headers={"ordain-ticket": first})
        assert said.text == "All is well."
        assert here.approve(second).returncode == 0
    edit_section(folder / "policy" / "policy.yaml", "acceptable_use", "Two people see", "Two persons see")
    assert "policy has changed" in here.approve(ticket_of(asked)).stderr
    with Gateway.start(folder, upstream_urls) as gateway:
        said = way.say(gateway, "Two.", model="pair-1", extra_headers={"ordain-ticket": second})
        assert "another version of the policy" in refused(way, said)
        assert len(upstreams[way.dialect].requests) == 1
