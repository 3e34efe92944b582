"""Requests to a service, what it keeps of them, and its store between two runs."""

import http.client
import json
import sqlite3
from dataclasses import dataclass
from urllib.parse import urlsplit

from conftest import Service

CHAT = "/v1/chat/completions"
PRINCIPAL = "you@example.com"


@dataclass
class Heard:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)


def ask(
    service: Service, key: str, path: str = CHAT, use: str | None = None, method: str = "POST", **body: object
) -> Heard:
    """Asks the service; by default with a short chat for model `m`."""
    address = urlsplit(service.ready["gateway"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]} | body
    sent = json.dumps(body) if method == "POST" else None
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    if use is not None:
        headers["ordain-use"] = use
    connection.request(method, path, sent, headers)
    response = connection.getresponse()
    heard = Heard(response.status, dict(response.headers), response.read())
    connection.close()
    return heard


def make_key(service: Service, *options: str) -> dict:
    """Makes a key for the first principal."""
    made = service.run("key", "create", PRINCIPAL, "--format", "json", *options)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


def listed(service: Service, key: str) -> dict:
    """What `key list` says of a key, by its id."""
    shown = service.run("key", "list", "--format", "json")
    assert shown.returncode == 0, shown.stderr
    return next(it for it in json.loads(shown.stdout)["keys"] if it["id"] == key)


def records(service: Service, kind: str) -> list[dict]:
    """All records of a kind, oldest first, as they lie in the store."""
    with sqlite3.connect(service.folder / "store" / "ordain.sqlite") as store:
        rows = [json.loads(row[0]) for row in store.execute("SELECT bytes FROM records ORDER BY seq")]
    store.close()
    return [it for it in rows if it["kind"] == kind]


def change_store(service: Service, statement: str, *values: object) -> None:
    """Changes the store of a service that does not run."""
    with sqlite3.connect(service.folder / "store" / "ordain.sqlite") as store:
        store.execute(statement, values)
    store.close()
