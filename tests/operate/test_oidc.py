"""Callers with a token of an OpenID Connect issuer, and those for whom a trusted proxy vouches (threats C1 to C5).

What a token may say is tried one by one in the unit tests of the server (`identity/tests`); here is that it counts: for access,
for the records, and with an issuer that is away.
"""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import Service
from issuer import Issuer, Key, certificate, key_set, mac, part


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    with Issuer(tmp_path) as it:
        yield it


def _configure(service: Service, url: str, more: str = "") -> None:
    service.add_config(
        f"issuers:\n  - issuer: {url}\n    audience: ordain\n    algorithms: [RS256]\n    groups: groups\n{more}"
        "metrics: {listen: 127.0.0.1:0}\n"
    )


def _connect(service: Service) -> http.client.HTTPConnection:
    address = urlsplit(service.ready["gateway"])
    return http.client.HTTPConnection(address.hostname, address.port, timeout=20)


def _ask(service: Service, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = _connect(service)
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello"}]})
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"} | headers)
    response = connection.getresponse()
    response.body = response.read().decode()
    return response


def _with(service: Service, token: str) -> http.client.HTTPResponse:
    return _ask(service, {"authorization": f"Bearer {token}"})


def _decision(response: http.client.HTTPResponse) -> str:
    """What the policy says; who is in none of its groups gets an answer that refuses."""
    assert response.status == 200, response.body
    return response.headers["ordain-decision"]


def _get(url: str, path: str) -> str:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.request("GET", path)
    return connection.getresponse().read().decode()


def _until(ask, good) -> object:
    """The first answer that is good; asking again is what a client does."""
    deadline = time.monotonic() + 30
    while not good(answer := ask()):
        assert time.monotonic() < deadline, answer
    return answer


def _ready(service: Service) -> None:
    """Waits until the gateway has the issuer's keys."""
    _until(lambda: _get(service.ready["metrics"], "/readyz"), lambda text: "issuer" not in text)


def _recorded(service: Service, response: http.client.HTTPResponse) -> dict:
    """The first record of an exchange."""
    assert response.status == 200, response.body
    listed = service.run("records", "list", "--limit", "1000", "--format", "json")
    (record,) = [it for it in json.loads(listed.stdout)["records"] if it["id"] == response.headers["ordain-record"]]
    return record


def test_the_bearer_of_a_token_is_who_it_says_in_the_groups_that_it_says(service: Service, issuer: Issuer) -> None:
    _configure(service, issuer.url)
    service.start()
    _ready(service)
    first = _with(service, issuer.token(azp="ide"))
    assert (first.status, first.headers["ordain-decision"]) == (200, "allow"), first.body
    record = _recorded(service, first)
    assert record["who"]["groups"] == ["staff"] and record["who"]["client"] == "ide", record
    assert "ada@example.com" not in json.dumps(record)
    again = _recorded(service, _with(service, issuer.token(jti="another token")))
    assert again["subject"] == record["subject"], "one person, whichever token"
    other = _recorded(service, _with(service, issuer.token(email="bob@example.com")))
    assert other["subject"] != record["subject"]
    assert _decision(_with(service, issuer.token(groups=None))) == "block", "who is in no group may not"
    # An SDK sends it where its API has the key.
    assert _ask(service, {"x-api-key": issuer.token()}).status == 200
    assert _with(service, service.key).status == 200, "keys go on"


def test_a_claim_means_the_group_that_the_policy_says(service: Service, issuer: Issuer) -> None:
    policy = service.policy.read_text()
    assert "staff: {}" in policy
    service.policy.write_text(policy.replace("staff: {}", "staff: {claim: med-staff}"))
    _configure(service, issuer.url)
    service.start()
    _ready(service)
    assert _decision(_with(service, issuer.token(groups=["med-staff"]))) == "allow"
    assert _decision(_with(service, issuer.token(groups=["staff"]))) == "block"
    # The directory's groups count beside those of the token.
    (service.folder / "directory.yaml").write_text("people:\n  ada@example.com: {groups: [med-staff]}\n")
    token = issuer.token(groups=["other"])
    _until(lambda: _decision(_with(service, token)), lambda decision: decision == "allow")


def test_a_token_that_is_not_good_is_refused_and_told_nowhere(service: Service, issuer: Issuer, tmp_path: Path) -> None:
    _configure(service, issuer.url)
    service.start()
    _ready(service)
    now, header = int(time.time()), {"alg": "RS256", "kid": issuer.key.name}
    stranger = Key(tmp_path, "stranger")
    good = issuer.claims()
    bad = {
        "expired": issuer.token(exp=now - 100),
        "another audience": issuer.token(aud="other"),
        "another issuer": issuer.token(iss="https://login.example.com"),
        "no end": issuer.token(exp=None),
        "of tomorrow": issuer.token(nbf=now + 3600),
        "a stranger's key under a known name": stranger.sign(header, good),
        "a stranger's key": stranger.sign(header | {"kid": "stranger"}, good),
        "a stranger's key that comes along": stranger.sign(header | {"jwk": stranger.jwk}, good),
        "a MAC under the public key": mac(issuer.key.public, header | {"alg": "HS256"}, good),
        "without a signature": mac(b"", header | {"alg": "none"}, good).rsplit(".", 1)[0] + ".",
    }
    for name, token in bad.items():
        answer = _with(service, token)
        assert answer.status == 401, (name, answer.body)
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith('Bearer error="invalid_token", error_description="'), (name, challenge)
        assert token not in answer.body and "ada@" not in answer.body
    assert _ask(service, {}).headers["www-authenticate"] == "Bearer"
    metrics = _get(service.ready["metrics"], "/metrics")
    for line in ['{reason="expired"} 1', '{reason="audience"} 1', '{reason="algorithm"} 2', '{reason="signature"} 1']:
        assert f"ordain_refused_tokens_total{line}" in metrics, metrics
    service.stop()
    log = service.log.read_text()
    assert not any(token.split(".")[1] in log for token in bad.values())
    assert "ada@example.com" not in log


def test_unknown_keys_make_nobody_ask_the_issuer_again_and_again(service: Service, issuer: Issuer) -> None:
    _configure(service, issuer.url)
    service.start()
    _ready(service)
    token = issuer.token()
    _, claims, signature = token.split(".")
    for number in range(1000):
        head = part({"alg": "RS256", "kid": f"../../dev/null/{number}"})
        assert _with(service, f"{head}.{claims}.{signature}").status == 401
    # Asked at the start; because of unknown keys thirty seconds later at the earliest.
    assert issuer.asked.count("/keys") <= 2, issuer.asked
    assert _with(service, token).status == 200
    assert set(issuer.asked) == {"/.well-known/openid-configuration", "/keys"}


def test_an_issuer_that_is_away_keeps_nobody_else_out(service: Service, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = f"http://127.0.0.1:{port}"
    _configure(service, away)
    service.start()
    assert f"issuer {away}: its keys could not be fetched yet" in _get(service.ready["metrics"], "/readyz")
    assert _with(service, service.key).status == 200
    with Issuer(tmp_path, port) as issuer:
        token = issuer.token()
        # It is tried again by itself, and the first answers say that it is worth another try.
        first = _with(service, token)
        assert first.status == 200 or (first.status == 503 and first.headers["retry-after"] == "1"), first.body
        _until(lambda: _with(service, token).status, lambda status: status == 200)
    # Gone again: what is known is known.
    assert _with(service, issuer.token(jti="after")).status == 200


@pytest.mark.parametrize("trusted", [True, False])
def test_the_way_to_an_issuer_is_secured(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    for name in ["own", "other"]:
        certificate(tmp_path, name, "DNS:localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / ("own.pem" if trusted else "other.pem")))
    with Issuer(tmp_path, certificate=tmp_path / "own.pem") as issuer:
        _configure(service, issuer.url)
        service.start()
        if trusted:
            _ready(service)
            assert _with(service, issuer.token()).status == 200
        else:
            _until(lambda: _get(service.ready["metrics"], "/metrics"), lambda text: 'result="failed"} 1' in text)
            assert _with(service, issuer.token()).status == 503
            assert issuer.asked == []


def test_keys_may_stand_in_a_file_that_is_read_again(service: Service, tmp_path: Path) -> None:
    with Issuer(tmp_path) as issuer:
        pass  # only its keys and its name are needed
    path = service.folder / "keys" / "issuer.json"
    path.write_text(key_set([issuer.key]))
    _configure(service, issuer.url, "    jwks: keys/issuer.json\n")
    service.start()
    _ready(service)
    assert _with(service, issuer.token()).status == 200
    before, issuer.key = issuer.token(), Key(tmp_path, "next")
    beside = path.with_suffix(".new")
    beside.write_text(key_set([issuer.key]))
    beside.replace(path)
    after = issuer.token()
    _until(lambda: _with(service, after).status, lambda status: status == 200)
    assert _with(service, before).status == 401, "a key that is gone opens nothing"
    path.write_text("{}")
    checked = service.run("serve", "--check")
    assert checked.returncode == 1 and "it is no JSON object with a list of `keys`" in checked.stdout, checked


def test_mistakes_of_the_configuration_are_told_with_their_lines(service: Service) -> None:
    before = len(service.config.read_text().splitlines())
    service.add_config("issuers:\n  - issuer: http://login.example.com\n    audience: ordain\n    algorithms: [HS256]\n")
    checked = service.run("serve", "--check")
    assert checked.returncode == 1
    for line, said in [(before + 2, "`http` is for loopback addresses alone"), (before + 4, "no symmetric ones")]:
        assert said in checked.stdout and f"ordain.yaml:{line}:" in checked.stdout, checked.stdout


VOUCHED = {"x-forwarded-user": "ada@example.com", "x-forwarded-groups": "staff, other"}


@pytest.mark.parametrize("peers", ["127.0.0.0/8", "10.0.0.0/8"])
def test_a_proxys_word_counts_from_its_addresses_alone(service: Service, peers: str) -> None:
    service.add_config(
        f"trusted_proxies: {{peers: ['{peers}'], principal: x-forwarded-user, groups: x-forwarded-groups}}\n"
    )
    service.start()
    trusted = peers.startswith("127.")
    assert _ask(service, VOUCHED).status == (200 if trusted else 401)
    own = _recorded(service, _with(service, service.key))
    with_key = VOUCHED | {"authorization": f"Bearer {service.key}"}
    assert _recorded(service, _ask(service, with_key))["subject"] == own["subject"], "a credential goes first"
    assert _ask(service, VOUCHED | {"authorization": "Bearer ord-wrong"}).status == 401
    if trusted:
        record = _recorded(service, _ask(service, VOUCHED))
        assert record["who"]["groups"] == ["staff", "other"] and record["subject"] != own["subject"]
        assert _decision(_ask(service, {"x-forwarded-user": "eve@example.com"})) == "block", "in no group"


def test_a_table_or_an_export_can_be_the_directory(service: Service) -> None:
    directory = service.folder / "directory.yaml"
    (service.folder / "directory.csv").write_text("principal,groups\nyou@example.com,staff\n")
    checked = service.run("serve", "--check")
    assert checked.returncode == 1 and "keep one of them" in checked.stdout, checked
    directory.unlink()
    service.start()
    assert _decision(_with(service, service.key)) == "allow"
    (service.folder / "directory.csv").unlink()
    _until(lambda: _decision(_with(service, service.key)), lambda decision: decision == "block")
    (service.folder / "directory.ldif").write_text(
        "dn: uid=you,dc=example,dc=com\nobjectClass: inetOrgPerson\nmail: you@example.com\n"
        "memberOf: cn=staff,dc=example,dc=com\n"
    )
    _until(lambda: _decision(_with(service, service.key)), lambda decision: decision == "allow")
