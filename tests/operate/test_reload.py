"""A changed policy is in force at once, whole, and never by halves (threats D3 and I8).

The policy changes back and forth every 50 ms between one that coaches and one that blocks, under 500 requests a second.
Each answer must be the one that the policy named in it would give, and none may be an error of the gateway.
`ORDAIN_RELOAD_SECONDS` says for how long (here 10).
"""

import http.client
import json
import os
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from conftest import Service

SECONDS = float(os.environ.get("ORDAIN_RELOAD_SECONDS", "10"))
CLIENTS = 10
EVERY = 0.02  # of each client: ten clients make 500 requests a second
PROMPT = "Draft a reply to jo@example.com."


@dataclass
class Heard:
    """What the clients were told."""

    pairs: dict[tuple[str, str], int] = field(default_factory=dict)  # (policy, decision): how often
    records: list[tuple[str, str]] = field(default_factory=list)  # (record, policy), a sample
    odd: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def _ask(connection: http.client.HTTPConnection, key: str, heard: Heard) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": PROMPT}]}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    content = response.read()
    policy, decision = response.headers.get("ordain-policy", ""), response.headers.get("ordain-decision", "")
    blocked = b"content_filter" in content
    with heard.lock:
        if response.status != 200 or blocked != (decision == "block"):
            heard.odd.append(f"{response.status} {decision} {content[:200]!r}")
        heard.pairs[policy, decision] = heard.pairs.get((policy, decision), 0) + 1
        if len(heard.records) < 200:
            heard.records.append((response.headers["ordain-record"], policy))
    return policy


def _keep_asking(service: Service, until: float, heard: Heard) -> None:
    address = urlsplit(service.ready["gateway"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    due = time.monotonic()
    while due < until:
        time.sleep(max(0.0, due - time.monotonic()))  # the pace is the point
        _ask(connection, service.key, heard)
        due += EVERY
    connection.close()


def _put(service: Service, text: str) -> None:
    beside = service.policy.with_name(".next")
    beside.write_text(text)
    beside.replace(service.policy)


def test_each_answer_is_that_of_the_policy_that_it_names(service: Service) -> None:
    coaching = service.policy.read_text()
    blocking = coaching.replace("then: coach\n        tell: This names a person.", "then: block\n        tell: No.", 1)
    assert blocking != coaching
    service.start()
    heard = Heard()
    until = time.monotonic() + SECONDS
    clients = [threading.Thread(target=_keep_asking, args=(service, until, heard)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    changes = 0
    while time.monotonic() < until:
        changes += 1
        _put(service, blocking if changes % 2 else coaching)
        time.sleep(0.05)
    for client in clients:
        client.join()
    assert not heard.odd, heard.odd[:3]
    decisions = {}
    for policy, decision in heard.pairs:
        decisions.setdefault(policy, set()).add(decision)
    assert sorted(map(sorted, decisions.values())) == [["block"], ["coach"]], decisions
    asked = sum(heard.pairs.values())
    print(f"{asked} answers, {changes} changes, {min(heard.pairs.values())} by the rarer policy")
    assert asked > SECONDS * 350 and min(heard.pairs.values()) > asked / 20, heard.pairs
    for record, policy in heard.records[::20]:
        shown = service.run("records", "show", record)
        assert policy.removeprefix("sha256:") in shown.stdout, shown
    assert service.stop() == 0


def test_an_unusable_policy_leaves_the_one_before_in_force(service: Service) -> None:
    good = service.policy.read_text()
    address = urlsplit(service.start()["gateway"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    heard = Heard()
    before = _ask(connection, service.key, heard)
    assert service.run("serve", "--check").returncode == 0

    _put(service, good.replace("ordain: 1", "ordain: 99", 1))
    _until(connection, "stale")
    assert _ask(connection, service.key, heard) == before
    checked = service.run("serve", "--check")
    assert checked.returncode == 1 and "policy.yaml" in checked.stdout, checked

    _put(service, good + "# mended\n")
    _until(connection, "stale", there=False)
    assert _ask(connection, service.key, heard) != before
    assert not heard.odd, heard.odd
    assert service.stop() == 0


def _until(connection: http.client.HTTPConnection, word: str, there: bool = True) -> None:
    """Asks `/readyz` until it says a word, or no longer does; it looks several times a second."""
    deadline = time.monotonic() + 20
    while True:
        connection.request("GET", "/readyz")
        text = connection.getresponse().read().decode()
        if (word in text) == there:
            return
        assert time.monotonic() < deadline, text
