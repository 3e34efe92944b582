"""Whoever tries wrong keys is told to wait, and nobody else is (threat C6)."""

import http.client
import string
from urllib.parse import urlsplit

from asking import ask, records
from conftest import Service

ALPHABET = string.ascii_letters + string.digits


def _guess(number: int, prefix: str) -> str:
    return prefix + "".join(ALPHABET[(number * 7 + at * 13) % 62] for at in range(42 - len(prefix)))


def test_wrong_keys_are_locked_out_and_valid_ones_are_not(service: Service) -> None:
    service.add_config("metrics: {listen: 127.0.0.1:0}\n")
    metrics = service.start()["metrics"]
    right, wrong = service.key[:10], "ord-zzzzzz"
    heard = {
        prefix: [ask(service, _guess(number, prefix)) for number in range(15)] for prefix in (right, wrong)
    }
    for prefix in (right, wrong):
        statuses = [it.status for it in heard[prefix]]
        # One of ten is forgotten after six seconds, which a slow machine may take.
        assert statuses[:10] == [401] * 10 and statuses.count(429) >= 3, (prefix, statuses)
    locked = {prefix: next(it for it in heard[prefix] if it.status == 429) for prefix in heard}
    assert 1 <= int(locked[right].headers["retry-after"]) <= 6
    assert locked[right].json["error"]["type"] == "rate_limit_error"
    assert locked[right].body == locked[wrong].body, "nothing tells a right beginning from a wrong one"
    assert set(locked[right].headers) == set(locked[wrong].headers)
    assert ask(service, service.key).status == 200, "the key that begins so goes on working"
    address = [ask(service, _guess(number, f"ord-{number:06}")).status for number in range(150)]
    # A hundred from one address, the thirty before included; one is forgotten every 600 ms.
    assert address.index(429) >= 70 and address.count(429) >= 30, address
    assert ask(service, service.key).status == 200, "its neighbour goes on working"
    text = _metrics(metrics)
    count = sum(it.status == 429 for it in heard[right] + heard[wrong]) + address.count(429)
    assert f"ordain_locked_out_requests_total {count}" in text.splitlines(), text
    service.stop()
    assert not records(service, "refusal"), "nobody is known to have asked"
    log = service.log.read_text()
    assert log.count("more of them are told to wait") == 1, "once a minute at most"
    assert "zzzzzz" not in log and right not in log


def _metrics(url: str) -> str:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.request("GET", address.path)
    return connection.getresponse().read().decode()
