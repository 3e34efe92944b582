"""Threat C8: certificates of clients. The chain, its dates, its use and its revocation are verified, and the principal is an
alternative name by the rule of the configuration: never the common name, never a header."""

import http.client
import json
import shutil
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from authority import Authority, Certificate, self_signed, server
from conftest import Service
from rig.upstream import Upstream

REFUSED = "refused"
BATCH = "URI:spiffe://northwind.example/batch"
BODY = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
CLIENTS = """tls:
  certificate: keys/tls.pem
  key: keys/tls.key
  clients:
    ca: keys/clients.pem
    crl: keys/clients.crl
    required: {required}
    principal: {{san: uri, prefix: "spiffe://northwind.example/", pattern: "[a-z-]+"}}
    groups: staff
    client: batch-jobs
"""


class Client:
    """One connection, with a certificate or without."""

    def __init__(self, world: "World", certificate: Certificate | None) -> None:
        context = ssl.create_default_context(cafile=str(world.shown.pem))
        # What is too weak is for the gateway to refuse.
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        if certificate:
            context.load_cert_chain(certificate.pem, certificate.key)
        address = urlsplit(world.service.ready["gateway"])
        self._connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=20, context=context)

    def ask(self, **headers: str) -> int | str:
        """The status of one request, or that the handshake was refused."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self._connection.request("POST", "/v1/chat/completions", BODY, {"content-type": "application/json", **headers})
            response = self._connection.getresponse()
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            return REFUSED
        self.said = response.read().decode()
        return response.status


class World:
    """A gateway that asks for certificates, an authority that it trusts and one that it does not."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service, self.folder = service, folder
        self.shown = server(folder)
        self.authority = Authority(folder / "ours")
        self.keys = service.folder / "keys"
        shutil.copy(self.shown.pem, self.keys / "tls.pem")
        shutil.copy(self.shown.key, self.keys / "tls.key")
        shutil.copy(self.authority.pem, self.keys / "clients.pem")
        self.lists()

    def lists(self, *further: Authority, seconds: int = 3600) -> None:
        """What every authority has revoked, as the gateway reads it."""
        made = []
        for authority in [self.authority, *further]:
            authority.write_list(authority.folder / "list.crl", seconds)
            made.append((authority.folder / "list.crl").read_text())
        (self.keys / "next.crl").write_text("".join(made))
        (self.keys / "next.crl").replace(self.keys / "clients.crl")

    def start(self, *, required: bool = True) -> None:
        self.service.add_config(CLIENTS.format(required=str(required).lower()))
        self.service.start()

    def ask(self, certificate: Certificate | None, **headers: str) -> int | str:
        return Client(self, certificate).ask(**headers)

    def records(self) -> list[dict]:
        shown = self.service.run("records", "list", "--format", "json")
        assert shown.returncode == 0, shown.stderr
        return json.loads(shown.stdout)["records"]


@pytest.fixture
def world(service: Service, tmp_path: Path) -> Iterator[World]:
    return World(service, tmp_path)


def test_every_kind_of_certificate_gets_what_it_deserves(world: World) -> None:
    ours, folder = world.authority, world.folder
    # Of the same name as ours, with a key of its own.
    other = Authority(folder / "other")
    between = Authority(folder / "between", "Between", above=ours)
    unlisted = Authority(folder / "unlisted", "Unlisted", above=ours)
    narrow = Authority(folder / "narrow", "Narrow", above=ours, extra="nameConstraints=critical,permitted;URI:.other.example")
    hosts = Authority(folder / "hosts", "Hosts", above=ours, extra="nameConstraints=critical,permitted;DNS:other.example")
    revoked = ours.issue("revoked", BATCH)
    ours.revoke(revoked)
    lower = Authority(folder / "lower", "Lower", above=ours)
    ours.revoke(Certificate(lower.pem, lower.folder / "ca.key"))
    # A certificate that is no authority's, used as one.
    leaf = ours.issue("leaf", BATCH)
    pretender = Authority(folder / "pretender", "Pretender")
    shutil.copy(leaf.pem, pretender.pem)
    shutil.copy(leaf.key, pretender.folder / "ca.key")
    pretended = pretender.issue("pretended", BATCH)
    pretended.pem.write_text(pretended.pem.read_text() + leaf.pem.read_text())
    world.lists(between, narrow, hosts, lower)
    world.start()
    matrix = {
        "valid": (ours.issue("valid", BATCH), 200),
        "valid, of an authority below ours": (between.issue("below", BATCH), 200),
        "valid, with other names beside": (ours.issue("beside", f"DNS:batch.example,email:a@b.example,{BATCH}"), 200),
        "valid, with a name of the kind that does not count": (ours.issue("two", f"URI:https://x.example/,{BATCH}"), 200),
        "expired": (ours.issue("expired", BATCH, start=-2, end=-1), REFUSED),
        "not yet valid": (ours.issue("early", BATCH, start=1), REFUSED),
        "revoked": (revoked, REFUSED),
        "of an authority that is revoked": (lower.issue("lower", BATCH), REFUSED),
        "of an authority without a list": (unlisted.issue("unlisted", BATCH), REFUSED),
        "for servers": (ours.issue("server", BATCH, use="serverAuth"), REFUSED),
        "for any use": (ours.issue("any", BATCH, use=None), 401),
        "of another authority with our name": (other.issue("other", BATCH), REFUSED),
        "self-signed": (self_signed(folder, BATCH), REFUSED),
        "of a client's certificate": (pretended, REFUSED),
        "beyond its authority's names": (narrow.issue("narrow", BATCH), REFUSED),
        "beyond its authority's hosts": (hosts.issue("hosts", f"DNS:northwind.example,{BATCH}"), REFUSED),
        "with a weak key": (ours.issue("weak", BATCH, key="rsa:1024"), REFUSED),
        "common name only": (ours.issue("cn", None, name="batch"), 401),
        "common name of a URI": (ours.issue("cn-uri", "DNS:x.example", name="spiffe:batch"), 401),
        "a name of another kind": (ours.issue("dns", "DNS:northwind.example"), 401),
        "the URI as a name of a host": (ours.issue("dns-uri", "DNS:spiffe://northwind.example/batch"), 401),
        "another domain that begins alike": (ours.issue("alike", "URI:spiffe://northwind.example.evil/batch"), 401),
        "a name that the pattern leaves out": (ours.issue("pattern", "URI:spiffe://northwind.example/Batch"), 401),
        "two principals": (ours.issue("both", f"{BATCH},URI:spiffe://northwind.example/other"), 401),
        "none": (None, REFUSED),
    }
    found = {title: world.ask(certificate) for title, (certificate, _) in matrix.items()}
    assert found == {title: expected for title, (_, expected) in matrix.items()}


def test_the_record_says_whom_the_certificate_names(world: World) -> None:
    world.start()
    assert world.ask(world.authority.issue("valid", BATCH), authorization="Bearer certificate") == 200
    intent = next(one for one in world.records() if one["kind"] == "intent")
    assert intent["who"] == {"groups": ["staff"], "client": "batch-jobs"}
    assert "spiffe" not in json.dumps(intent)


def test_a_key_beside_a_certificate_must_be_of_the_same_principal(world: World) -> None:
    people = world.service.folder / "directory.yaml"
    people.write_text(people.read_text() + "  batch:\n    groups: [staff]\n")
    made = world.service.run("key", "create", "batch", "--format", "json")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["key"]
    world.start()
    certificate = world.authority.issue("valid", BATCH)
    assert world.ask(certificate, authorization=f"Bearer {key}") == 200
    assert world.ask(certificate, authorization=f"Bearer {world.service.key}") == 401
    assert world.ask(certificate, authorization="Bearer ord-wrong") == 401
    assert world.ask(certificate, authorization="Basic eDp5") == 401
    assert world.ask(certificate, authorization="Bearer certificate", x_api_key="other") == 401


def test_a_certificate_in_a_header_is_nothing(world: World, upstream: Upstream) -> None:
    world.start(required=False)
    pem = world.authority.issue("valid", BATCH).pem.read_text().replace("\n", "%0A")
    names = ["x-client-cert", "x_client_cert", "x-ssl-client-cert", "ssl-client-cert", "x-forwarded-client-cert", "client-cert"]
    for name in names:
        client = Client(world, None)
        assert client.ask(**{name: pem, "x-ssl-client-verify": "SUCCESS", "x-ssl-client-s-dn": "CN=batch"}) == 401
    client = Client(world, None)
    assert client.ask(authorization=f"Bearer {world.service.key}", x_client_cert=pem) == 200
    assert all("CERTIFICATE" not in str(seen.headers) for seen in upstream.requests)


def test_the_word_is_no_key_without_a_certificate(world: World) -> None:
    world.start(required=False)
    assert world.ask(None, authorization="Bearer certificate") == 401
    assert world.ask(None) == 401
    assert world.ask(world.authority.issue("valid", BATCH)) == 200


def test_what_is_revoked_ends_on_connections_that_are_open(world: World) -> None:
    world.start()
    certificate = world.authority.issue("valid", BATCH)
    client = Client(world, certificate)
    assert client.ask() == 200
    world.authority.revoke(certificate)
    world.lists()
    deadline = time.monotonic() + 20
    while (status := client.ask()) == 200:
        assert time.monotonic() < deadline
    assert (status, world.ask(certificate)) == (401, REFUSED)


def test_a_list_that_has_run_out_lets_nobody_in(world: World) -> None:
    world.lists(seconds=1)
    world.start()
    certificate = world.authority.issue("valid", BATCH)
    deadline = time.monotonic() + 20
    while world.ask(certificate) != REFUSED:
        assert time.monotonic() < deadline
    world.lists()
    while world.ask(certificate) != 200:
        assert time.monotonic() < deadline


def test_what_cannot_be_read_is_refused_with_its_file(world: World) -> None:
    world.service.add_config(CLIENTS.format(required="true"))
    (world.keys / "clients.crl").write_text("nothing")
    checked = world.service.run("serve", "--check")
    assert checked.returncode == 1 and "keys/clients.crl` has no list of revoked certificates" in checked.stdout, checked
    world.lists()
    (world.keys / "clients.pem").write_text("nothing")
    checked = world.service.run("serve", "--check")
    assert checked.returncode == 1 and "keys/clients.pem` has no certificate in PEM" in checked.stdout, checked
