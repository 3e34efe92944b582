"""An OpenID Connect issuer on this machine: a key by openssl, its set of keys by HTTP, and tokens of whatever says what."""

import base64
import hmac
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: object) -> str:
    return encoded(json.dumps(value).encode())


class Key:
    """An RSA key of 2048 bits with a name."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._file = folder / f"{name}.pem"
        _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self._file)

    @property
    def jwk(self) -> dict[str, str]:
        said = _openssl("rsa", "-in", self._file, "-noout", "-modulus").decode()
        modulus = bytes.fromhex(said.strip().removeprefix("Modulus="))
        return {"kty": "RSA", "use": "sig", "kid": self.name, "n": encoded(modulus), "e": "AQAB"}

    @property
    def public(self) -> bytes:
        """The public half in PEM."""
        return _openssl("pkey", "-in", self._file, "-pubout")

    def sign(self, header: dict[str, object], claims: dict[str, object]) -> str:
        signed = f"{part(header)}.{part(claims)}"
        signature = _openssl("dgst", "-sha256", "-sign", self._file, given=signed.encode())
        return f"{signed}.{encoded(signature)}"


def mac(secret: bytes, header: dict[str, object], claims: dict[str, object]) -> str:
    """A token with a MAC in place of a signature."""
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _openssl(*arguments: object, given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def certificate(folder: Path, name: str, subject: str) -> None:
    """A certificate of a server that vouches for itself, `NAME.pem`, and its key, `NAME.key`."""
    # With a configuration of its own: the usual one makes every certificate an authority, which a server's must not be.
    config = folder / "openssl.cnf"
    config.write_text("[req]\ndistinguished_name = name\n[name]\n")
    _openssl(
        "req", "-x509", "-config", config, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={subject}",
        "-addext", "basicConstraints=critical,CA:FALSE",
        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem",
    )  # fmt: skip


def key_set(keys: Iterable[Key]) -> str:
    return json.dumps({"keys": [key.jwk for key in keys]})


class Issuer:
    """Serves its configuration and its keys, counts who asks, and signs."""

    def __init__(self, folder: Path, port: int = 0, certificate: Path | None = None) -> None:
        self.key = Key(folder, f"key-{time.monotonic_ns()}")
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.url = f"https://localhost:{self._server.server_port}"
        self._documents = {
            "/.well-known/openid-configuration": json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}),
            "/keys": key_set([self.key]),
        }
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def _handler(issuer) -> type[BaseHTTPRequestHandler]:  # noqa: N805 (the handler has a `self` of its own)
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                body = issuer._documents.get(self.path)
                self.send_response(200 if body else 404)
                self.send_header("content-length", str(len(body or "")))
                self.end_headers()
                self.wfile.write((body or "").encode())

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler

    def claims(self, **changes: object) -> dict[str, object]:
        """What lets Ada in, with changes; `None` leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "ordain",
            "sub": "1234",
            "iat": now,
            "exp": now + 300,
            "email": "ada@example.com",
            "email_verified": True,
            "groups": ["staff"],
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, **changes: object) -> str:
        return self.key.sign({"alg": "RS256", "typ": "JWT", "kid": self.key.name}, self.claims(**changes))

    def __enter__(self) -> "Issuer":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
