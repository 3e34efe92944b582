"""Threat B13: an upstream whose certificate is not in order is not spoken to, and there is no way to go on.

Each certificate here is faulty in one way. The gateway trusts one root, made for this run (`SSL_CERT_FILE`). The one
that is in order shows that the others are refused for their fault.
"""

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import running
from broken import sized
from faults import WHOLE
from rig.gateway import Gateway
from running import ask, of_exchange, prompt

PAST, NEAR, FAR = "20200101000000Z", "20200102000000Z", "20990101000000Z"
LEAF = "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
HERE = "subjectAltName=IP:127.0.0.1,DNS:localhost\n"


@dataclass(frozen=True)
class Certificate:
    """How a server's certificate differs from one that is in order."""

    extensions: str = LEAF + HERE
    begins: str = PAST
    ends: str = FAR
    issuer: str = "root"
    digest: str = "sha256"
    key: tuple[str, ...] = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    chain: bool = True  # whether the one between it and the root is sent along


RSA_1024 = ("rsa", "-pkeyopt", "rsa_keygen_bits:1024")
RSA_2048 = ("rsa", "-pkeyopt", "rsa_keygen_bits:2048")

FAULTY = {
    "expired": Certificate(ends=NEAR),
    "not-yet": Certificate(begins="20980101000000Z"),
    "another-host": Certificate(LEAF + "subjectAltName=DNS:other.example,IP:127.0.0.2\n"),
    "name-in-subject-alone": Certificate(LEAF),
    "address-as-a-name": Certificate(LEAF + "subjectAltName=DNS:127.0.0.1\n"),
    "self-signed": Certificate(issuer="itself"),
    "unknown-root": Certificate(issuer="stranger"),
    "issued-by-a-leaf": Certificate(issuer="leaf"),
    "issuer-missing": Certificate(issuer="middle", chain=False),
    "issuer-expired": Certificate(issuer="middle-expired"),
    "outside-of-name-constraint": Certificate(issuer="middle-constrained"),
    "too-long-a-chain": Certificate(issuer="below-middle-of-length-0"),
    "for-clients-only": Certificate(LEAF.replace("serverAuth", "clientAuth") + HERE),
    "for-code-only": Certificate(LEAF.replace("serverAuth", "codeSigning") + HERE),
    "is-an-authority": Certificate("basicConstraints=critical,CA:true\n" + HERE),
    "sha-1": Certificate(digest="sha1"),
    "rsa-1024": Certificate(key=RSA_1024),
    "unknown-critical-extension": Certificate(LEAF + HERE + "1.2.3.4.5=critical,ASN1:NULL\n"),
}


class Authority:
    """Makes certificates by openssl, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = folder / "ca.conf"
        self._config.write_text(
            f"[ca]\ndefault_ca=here\n[here]\ndatabase={folder}/index\nnew_certs_dir={folder}\nserial={folder}/serial\npolicy=any\n"
            "unique_subject=no\n[any]\ncommonName=supplied\n"
        )
        (folder / "index").touch()
        (folder / "serial").write_text("1000\n")
        authority = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n"
        for root in ("root", "stranger"):
            self.make(root, Certificate(authority, issuer="itself"))
        self.make("middle", Certificate(authority))
        self.make("middle-expired", Certificate(authority, ends=NEAR))
        outside = "nameConstraints=critical,permitted;DNS:other.example,permitted;IP:10.0.0.0/255.0.0.0\n"
        self.make("middle-constrained", Certificate(authority + outside))
        self.make("middle-of-length-0", Certificate(authority.replace("CA:true", "CA:true,pathlen:0")))
        self.make("below-middle-of-length-0", Certificate(authority, issuer="middle-of-length-0"))
        self.make("leaf", Certificate())

    def path(self, name: str, end: str) -> Path:
        return self._folder / f"{name}.{end}"

    def make(self, name: str, it: Certificate) -> None:
        """The key, the certificate, and `chain` with those that a server sends along."""
        key, request, pem = self.path(name, "key"), self.path(name, "csr"), self.path(name, "pem")
        self._openssl("req", "-new", "-newkey", *it.key, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extensions = self.path(name, "ext")
        extensions.write_text(it.extensions)
        issuer = name if it.issuer == "itself" else it.issuer
        own = issuer == name
        signed = ["-selfsign", "-keyfile", key] if own else ["-cert", self.path(issuer, "pem"), "-keyfile", self.path(issuer, "key")]
        # `ca` alone can say from when and until when, in all versions.
        self._openssl(
            "ca", "-batch", "-notext", "-config", self._config, *signed, "-in", request, "-md", it.digest,
            "-extfile", extensions, "-startdate", it.begins, "-enddate", it.ends, "-out", pem,
        )  # fmt: skip
        above = self.path(issuer, "chain")
        more = above.read_bytes() if it.chain and issuer not in ("root", name) and above.exists() else b""
        self.path(name, "chain").write_bytes(pem.read_bytes() + more)

    @staticmethod
    def _openssl(*arguments: object) -> None:
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


class Secured:
    """A server that shows one certificate and keeps what it was told inside of TLS."""

    def __init__(self, chain: Path, key: Path) -> None:
        self.heard = b""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.set_ciphers("ALL:@SECLEVEL=0")
        self._context.load_cert_chain(chain, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(accepted, server_side=True) as inner:
                    inner.settimeout(5)
                    while b"Good morning." not in self.heard:
                        data = inner.recv(1 << 16)
                        if not data:
                            break
                        self.heard += data
                    inner.sendall(sized(WHOLE, "connection: close"))
            except OSError:
                continue  # the gateway turned away, as it should

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    it = Authority(tmp_path_factory.mktemp("certificates"))
    os.environ["SSL_CERT_FILE"] = str(it.path("root", "pem"))
    yield it
    del os.environ["SSL_CERT_FILE"]


def asked(authority: Authority, folder: Path, name: str, host: str = "127.0.0.1") -> tuple[int, list[dict], bytes]:
    """The status of an answer, its records, and what the upstream heard."""
    server = Secured(authority.path(name, "chain"), authority.path(name, "key"))
    try:
        running.write_config(folder, {"openai": f"https://{host}:{server.port}"}, running.LIMITS)
        gateway = Gateway.start(folder, {})
        with gateway:
            answer = ask(gateway, "Good morning.")
            return answer.status, of_exchange(folder, answer.one("ordain-record")), server.heard
    finally:
        server.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    it = tmp_path_factory.mktemp("tls") / "ordain"
    with Gateway.start(it, {"openai": "http://127.0.0.1:1"}):
        pass  # makes the folder
    return it


GOOD = {"root": Certificate(), "middle": Certificate(issuer="middle"), "rsa-2048": Certificate(key=RSA_2048)}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_in_order_is_taken(authority: Authority, folder: Path, name: str, host: str) -> None:
    authority.make(f"good-{name}", GOOD[name])
    status, records, heard = asked(authority, folder, f"good-{name}", host)
    assert status == 200
    assert heard.endswith(prompt("Good morning."))
    assert [it.get("result") for it in records] == [None, "completed"]


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_certificate_is_not(authority: Authority, folder: Path, name: str) -> None:
    authority.make(name, FAULTY[name])
    status, records, heard = asked(authority, folder, name)
    assert status == 502
    assert heard == b"", "the upstream was told something"
    assert [it.get("result") for it in records] == [None, "upstream-failed"]
