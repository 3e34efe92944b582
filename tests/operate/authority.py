"""Certificate authorities that openssl makes, with certificates of every kind and lists of the revoked ones."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CONFIG = """
[ca]
default_ca = it
[it]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
crlnumber = {folder}/crlnumber
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
policy = any
email_in_dn = no
unique_subject = no
[any]
commonName = optional
[req]
distinguished_name = none
[none]
"""


def _openssl(*arguments: object) -> None:
    made = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr


def _at(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


def _key(path: Path, kind: str) -> None:
    name, _, size = kind.partition(":")
    option = f"ec_paramgen_curve:{size}" if name == "ec" else f"rsa_keygen_bits:{size}"
    _openssl("genpkey", "-algorithm", name, "-pkeyopt", option, "-out", path)
    path.chmod(0o600)


@dataclass
class Certificate:
    """A certificate (with those between it and a root) and its key."""

    pem: Path
    key: Path


class Authority:
    """One authority in a folder of its own."""

    def __init__(self, folder: Path, name: str = "Authority", above: "Authority | None" = None, extra: str = "") -> None:
        folder.mkdir()
        self.folder, self.pem, self._above = folder, folder / "ca.pem", above
        (folder / "index.txt").touch()
        (folder / "crlnumber").write_text("01\n")
        (folder / "openssl.cnf").write_text(_CONFIG.format(folder=folder))
        extensions = f"basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n{extra}"
        _key(folder / "ca.key", "ec:P-256")
        (above or self)._sign(folder / "ca.key", self.pem, name, extensions, own=above is None)

    def _sign(
        self, key: Path, pem: Path, name: str, extensions: str, *, own: bool = False, start: float = -1, end: float = 2
    ) -> None:
        request, file = pem.with_suffix(".csr"), pem.with_suffix(".ext")
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-config", self.folder / "openssl.cnf",
                 "-out", request)  # fmt: skip
        file.write_text(extensions + "\n")
        sign = ["-selfsign", "-keyfile", key] if own else []
        _openssl("ca", "-batch", "-notext", "-config", self.folder / "openssl.cnf", "-startdate", _at(start),
                 "-enddate", _at(end), "-extfile", file, "-in", request, "-out", pem, *sign)  # fmt: skip

    def issue(
        self,
        label: str,
        san: str | None,
        *,
        name: str = "someone",
        use: str | None = "clientAuth",
        start: float = -1,
        end: float = 2,
        key: str = "ec:P-256",
    ) -> Certificate:
        """A certificate with these alternative names, in openssl's words."""
        made = Certificate(self.folder / f"{label}.pem", self.folder / f"{label}.key")
        lines = ["basicConstraints=CA:FALSE"]
        lines += [f"subjectAltName={san}"] if san else []
        lines += [f"extendedKeyUsage={use}"] if use else []
        _key(made.key, key)
        self._sign(made.key, made.pem, name, "\n".join(lines), start=start, end=end)
        if self._above:
            made.pem.write_text(made.pem.read_text() + self.pem.read_text())
        return made

    def revoke(self, certificate: Certificate) -> None:
        _openssl("ca", "-config", self.folder / "openssl.cnf", "-revoke", certificate.pem)

    def write_list(self, path: Path, seconds: int = 3600) -> None:
        """The list of what is revoked, good for so long, put in its place in one step."""
        beside = path.with_suffix(".next")
        _openssl("ca", "-config", self.folder / "openssl.cnf", "-gencrl", "-crlsec", seconds, "-out", beside)
        beside.replace(path)


def self_signed(folder: Path, san: str) -> Certificate:
    """A certificate that nobody vouches for."""
    made = Certificate(folder / "alone.pem", folder / "alone.key")
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=alone", "-addext", f"subjectAltName={san}", "-addext", "extendedKeyUsage=clientAuth",
             "-keyout", made.key, "-out", made.pem)  # fmt: skip
    return made


def server(folder: Path) -> Certificate:
    """A certificate for this machine's loopback address."""
    made = Certificate(folder / "server.pem", folder / "server.key")
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", made.key, "-out", made.pem)  # fmt: skip
    made.key.chmod(0o600)
    return made
