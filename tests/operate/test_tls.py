"""TLS from clients: the certificate of the configuration, a new one once its file has changed, and nothing in plain text."""

import http.client
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import Service


def _certificate(folder: Path, name: str) -> None:
    """A certificate for localhost with a name of its own, and its key, by openssl."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / f"{name}.key",
         "-out", folder / f"{name}.pem"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    (folder / f"{name}.key").chmod(0o600)


def _shown(address: tuple[str, int]) -> str:
    """The PEM of the certificate that a client is shown."""
    return ssl.get_server_certificate(address, timeout=10)


@pytest.fixture
def secured(service: Service, tmp_path: Path) -> Service:
    for name in ["first", "second"]:
        _certificate(tmp_path, name)
    for end in ["pem", "key"]:
        shutil.copy(tmp_path / f"first.{end}", service.folder / "keys" / f"tls.{end}")
    service.add_config("tls: {certificate: keys/tls.pem, key: keys/tls.key}\n")
    return service


def test_a_client_that_trusts_the_certificate_is_served(secured: Service, tmp_path: Path) -> None:
    address = urlsplit(secured.start()["gateway"])
    assert address.scheme == "https"
    trust = ssl.create_default_context(cafile=str(tmp_path / "first.pem"))
    connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=20, context=trust)
    body = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
    headers = {"authorization": f"Bearer {secured.key}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    response = connection.getresponse()
    assert (response.status, response.headers["ordain-decision"]) == (200, "allow")
    with pytest.raises(ssl.SSLCertVerificationError):
        other = ssl.create_default_context(cafile=str(tmp_path / "second.pem"))
        http.client.HTTPSConnection(address.hostname, address.port, timeout=20, context=other).request("GET", "/healthz")


def test_plain_text_is_not_spoken(secured: Service) -> None:
    address = urlsplit(secured.start()["gateway"])
    with socket.create_connection((address.hostname, address.port), timeout=20) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)


def test_a_new_certificate_is_shown_without_a_restart(secured: Service, tmp_path: Path) -> None:
    address = urlsplit(secured.start()["gateway"])
    address = (address.hostname, address.port)
    assert _shown(address) == (tmp_path / "first.pem").read_text()
    for end in ["pem", "key"]:
        shutil.copy(tmp_path / f"second.{end}", secured.folder / "keys" / f"next.{end}")
        (secured.folder / "keys" / f"next.{end}").replace(secured.folder / "keys" / f"tls.{end}")
    deadline = time.monotonic() + 20
    while _shown(address) != (tmp_path / "second.pem").read_text():
        assert time.monotonic() < deadline


def test_a_key_that_does_not_fit_is_refused_with_its_file(secured: Service, tmp_path: Path) -> None:
    shutil.copy(tmp_path / "second.key", secured.folder / "keys" / "tls.key")
    checked = secured.run("serve", "--check")
    assert checked.returncode == 1 and "keys/tls.pem" in checked.stdout, checked
