"""`/metrics`: counts what happened, on a listener of its own, with labels that no client can choose (threat F15)."""

import http.client
import json
import re
from urllib.parse import urlsplit

from conftest import Service


def _get(url: str, path: str | None = None) -> tuple[int, str]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.request("GET", path or address.path)
    response = connection.getresponse()
    return response.status, response.read().decode()


def _post(service: Service, path: str, model: str, text: str, key: str) -> int:
    address = urlsplit(service.ready["gateway"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    return connection.getresponse().status


def test_what_happened_is_counted_and_nothing_of_the_client_is_told(service: Service) -> None:
    service.add_config("metrics: {listen: 127.0.0.1:0}\n")
    metrics = service.start()["metrics"]
    for number in range(50):
        _post(service, "/v1/chat/completions", f"model-{number}", "Hello", service.key)
        _post(service, f"/v1/unknown-{number}", "m", "Hello", service.key)
    _post(service, "/v1/chat/completions", "m", "My card is 4111 1111 1111 1111.", service.key)
    _post(service, "/v1/chat/completions", "m", "Hello", "ord-wrong")
    status, text = _get(metrics)
    assert status == 200
    for line in [
        'ordain_exchanges_total{wire="openai-chat",verdict="allow",ended="completed"} 50',
        'ordain_exchanges_total{wire="openai-chat",verdict="redact",ended="completed"} 1',
        'ordain_exchanges_total{wire="",verdict="block",ended="refused"} 50',
        "ordain_unauthenticated_requests_total 1",
        "ordain_open_exchanges 0",
    ]:
        assert line in text.splitlines(), f"{line}\n{text}"
    recorded = re.search(r'ordain_stage_seconds_count\{stage="record"\} (\d+)', text)
    assert recorded and int(recorded.group(1)) == 2 * 51 + 50, text
    assert "model-" not in text and "unknown-" not in text and "4111" not in text
    assert len(text.splitlines()) < 250, "the number of series must not grow with traffic"
    assert _get(metrics, "/readyz")[0] == 200
    assert _get(metrics, "/v1/models")[0] == 404
    assert _get(service.ready["gateway"], "/metrics")[0] == 401, "the listener for clients has no metrics"
