"""The starter policy as a document, made once by the binary under test, and a browser to look at it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "policies" / "starter"
DAY = "2026-12-01"


def render(kind: str, out: Path, *more: str) -> Path:
    """One run of `ordain render` into `out`."""
    binary = os.environ.get("ORDAIN_BIN", ROOT / "target" / "release" / "ordain")
    command = [str(binary), "render", str(STARTER), "--to", kind, "--date", DAY, "--out", str(out), *more]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == "", "the starter policy needs no warning"
    return out


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The whole policy and the part of one group, in every kind."""
    folder = tmp_path_factory.mktemp("pages")
    made = {kind: render(kind, folder / f"policy.{kind}") for kind in ("html", "md", "pdf")}
    part = {f"part.{kind}": render(kind, folder / f"part.{kind}", "--group", "engineering") for kind in ("html", "md", "pdf")}
    return made | part


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "no chromium; scripts/test installs it"
    with sync_playwright() as playwright:
        # Root in a container cannot have Chromium's sandbox; the only pages opened are our own files.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=found, args=flags, timeout=30_000)
        yield browser
        browser.close()
