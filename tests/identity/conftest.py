"""A certified OpenID provider, a person with a browser, and the program in a home of its own."""

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from rig.gateway import binary

HERE = Path(__file__).resolve().parent


class Provider:
    """The provider as a process, whose access tokens last so many seconds."""

    def __init__(self, seconds: int) -> None:
        self._process = subprocess.Popen(
            ["node", HERE / "node" / "provider.mjs", str(seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=HERE / "node",
        )
        line = self._process.stdout.readline()
        assert line, "the provider did not start; `npm ci --prefix tests/identity/node` installs it"
        said = json.loads(line)
        self.issuer: str = said["issuer"]
        self.audience: str = said["audience"]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def provider() -> Iterator[Provider]:
    it = Provider(300)
    yield it
    it.stop()


@pytest.fixture
def brief() -> Iterator[Provider]:
    """One whose access tokens are always about to run out."""
    it = Provider(30)
    yield it
    it.stop()


class _Form(HTMLParser):
    """The first form of a page, with what stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form" and self.action is None:
            self.action, self._inside = attributes["action"], True
        if tag == "input" and self._inside and attributes.get("name"):
            self.fields[attributes["name"]] = attributes.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def approve(address: str, person: str) -> str:
    """Opens an address as a person, who signs in and agrees to everything; the last page."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    response = browser.open(address, timeout=20)
    for _ in range(8):
        page = response.read().decode()
        form = _Form(page)
        if form.action is None:
            return page
        if "login" in form.fields:
            form.fields |= {"login": person, "password": "correct horse"}
        where = urllib.parse.urljoin(response.url, form.action)
        response = browser.open(where, urllib.parse.urlencode(form.fields).encode(), timeout=20)
    raise AssertionError("the provider asks without end")


class Home:
    """A person's home, and the program in it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.file = folder / ".config" / "ordain" / "login.json"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        self.environment = {**kept, "HOME": str(folder)}

    def begin(self, *arguments: str) -> subprocess.Popen:
        command = [binary(), *arguments]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [binary(), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=self.environment)

    def sign_in(self, *arguments: str, person: str = "ann@northwind.example") -> dict:
        """Signs a person in; what the program says in the end."""
        process = self.begin("login", *arguments, "--format", "json")
        shown = process.stdout.readline()
        assert shown, process.stderr.read()
        approve(json.loads(shown)["complete"], person)
        said, trouble = process.communicate(timeout=60)
        assert process.returncode == 0, trouble
        return json.loads(said)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")
