"""A folder with the starter policy over one recording upstream, and `ordain serve` on it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig import answers
from rig.gateway import Gateway, binary
from rig.upstream import Answer, Seen, Upstream


def _answer(_seen: Seen) -> Answer:
    return answers.chat({"content": "All is well."})


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(_answer) as it:
        yield it


def comes_true(what: Callable[[], bool], within: float) -> bool:
    """Asks until the answer is yes, or the time is over."""
    deadline = time.monotonic() + within
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Service:
    """A folder that `up` made, with a key, and the gateway that `serve` runs on it."""

    def __init__(self, folder: Path, upstream: Upstream) -> None:
        self.folder = folder
        with Gateway.start(folder, {"openai": upstream.url}) as first:
            self.key = first.key
        self._process: subprocess.Popen | None = None
        self.ready: dict = {}

    @property
    def policy(self) -> Path:
        return self.folder / "policy" / "policy.yaml"

    @property
    def config(self) -> Path:
        return self.folder / "ordain.yaml"

    @property
    def log(self) -> Path:
        return self.folder.with_name(self.folder.name + ".serve.log")

    def add_config(self, text: str) -> None:
        self.config.write_text(self.config.read_text() + text)

    def start(self) -> dict:
        """Starts it on a free port; returns its line."""
        with self.log.open("ab") as sink:
            self._process = subprocess.Popen(
                [binary(), "serve", "--dir", self.folder, "--listen", "127.0.0.1:0", "--format", "json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=sink,
            )
        line = self._process.stdout.readline()
        assert line, self.log.read_text()
        self.ready = json.loads(line)
        return self.ready

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(30)

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Another verb on the same folder."""
        command = [binary(), *arguments, "--dir", self.folder]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def service(tmp_path: Path, upstream: Upstream) -> Iterator[Service]:
    it = Service(tmp_path / "ordain", upstream)
    yield it
    if it._process and it._process.poll() is None:
        it.stop()
