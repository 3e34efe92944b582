"""Clients that keep asking, and remember what they were promised.

Bare `http.client` connections: a crash must be seen as it is, without retries or pools in between.
"""

import http.client
import itertools
import json
import re
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rig.gateway import Gateway
from rig.planted import API_KEY, CARD

MARKER = re.compile(r"marker-\d+-\d+-\d+")


@dataclass(frozen=True)
class Promise:
    """One finished answer: what the client may rely on from then on."""

    marker: str
    record: str
    status: int
    decision: str


@dataclass
class Ledger:
    """What all clients were told, gathered over the whole run."""

    finished: list[Promise] = field(default_factory=list)
    begun: dict[str, str] = field(default_factory=dict)  # record by marker, for answers of which only the head came
    refused: list[str] = field(default_factory=list)  # markers that were answered 503
    odd: list[str] = field(default_factory=list)  # anything else; must stay empty
    lock: threading.Lock = field(default_factory=threading.Lock)


def _prompts(client: int, run: int):
    """Endless requests of every kind, each with a marker of its own."""
    for at in itertools.count():
        marker = f"marker-{run}-{client}-{at}"
        match at % 8:
            case 3:
                yield marker, f"{marker} pays with {CARD.value} today.", False
            case 5:
                yield marker, f"{marker} logs in with {API_KEY.value} now.", False
            case 1 | 7:
                yield marker, f"{marker} says good morning.", True
            case _:
                yield marker, f"{marker} says good morning.", False


def ask(connection: http.client.HTTPConnection, key: str, marker: str, prompt: str, stream: bool, to: Ledger) -> int:
    """One request; enters what came back, however far it came. Raises when the connection broke."""
    body = {"model": "scripted-1", "messages": [{"role": "user", "content": prompt}], "stream": stream}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    record = response.headers.get("ordain-record", "")
    if response.status == 200:
        with to.lock:
            to.begun[marker] = record
    content = response.read()
    with to.lock:
        if response.status == 503:
            to.refused.append(marker)
        elif response.status != 200 or not record:
            to.odd.append(f"{marker}: {response.status} {record!r} {content[:200]!r}")
        elif stream and b"[DONE]" not in content:
            # The promise of a stream is its last event.
            pass
        else:
            to.finished.append(Promise(marker, record, response.status, response.headers["ordain-decision"]))
    return response.status


def connect(gateway: Gateway, timeout: float = 30) -> http.client.HTTPConnection:
    address = urlsplit(gateway.url)
    return http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)


class Load:
    """Some client threads that ask until they are stopped, or until the gateway is gone."""

    def __init__(self, gateway: Gateway, run: int, clients: int, to: Ledger) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask_on, args=(gateway, run, client, to), daemon=True)
            for client in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _ask_on(self, gateway: Gateway, run: int, client: int, to: Ledger) -> None:
        connection = connect(gateway)
        for marker, prompt, stream in _prompts(client, run):
            if self._stop.is_set():
                break
            try:
                ask(connection, gateway.key, marker, prompt, stream, to)
            except (OSError, http.client.HTTPException):
                connection.close()
                if not gateway.alive():
                    break
        connection.close()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"
