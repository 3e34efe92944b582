"""The HTML page in a browser: axe finds nothing, nothing is fetched, nothing runs, nothing sticks out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "print": {"media": "print", "color_scheme": "light"},
    "print-while-dark": {"media": "print", "color_scheme": "dark"},
    "narrow": {"color_scheme": "light", "width": 360},
    "narrow-dark": {"color_scheme": "dark", "width": 360},
}
DOCUMENTS = ["html", "part.html"]


@contextmanager
def opened(browser: Browser, path: Path, look: dict) -> Iterator[Page]:
    """A page as it looks to somebody; whatever it asks the network for is an error."""
    context = browser.new_context(viewport={"width": look.get("width", 1200), "height": 900}, bypass_csp=True)
    context.set_default_timeout(30_000)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(media=look.get("media"), color_scheme=look["color_scheme"])
    page.goto(path.as_uri())
    yield page
    context.close()
    assert asked == [path.as_uri()], "the page is whole: it asks for nothing else"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_axe_finds_nothing(browser: Browser, pages: dict[str, Path], document: str, look: str) -> None:
    # bypass_csp lets axe in; the page's own policy allows no script at all.
    with opened(browser, pages[document], LOOKS[look]) as page:
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        if "width" not in LOOKS[look]:
            # On a narrow screen axe cannot see the colours of cells that a table still has to be scrolled to.
            undecided = [(it["id"], node["target"]) for it in results.response["incomplete"] for node in it["nodes"]]
            assert undecided == [], "axe could decide on everything"


@pytest.mark.parametrize("width", [360, 800, 1200])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_sticks_out(browser: Browser, pages: dict[str, Path], document: str, width: int) -> None:
    with opened(browser, pages[document], {"color_scheme": "light", "width": width}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_no_table_is_cut_off_on_paper(browser: Browser, pages: dict[str, Path], paper: str) -> None:
    # What Chromium lays out for print must fit between the margins (18 mm each) at 96 px an inch.
    room = {"A4": 210, "Letter": 215.9}[paper] - 36
    look = {"media": "print", "color_scheme": "light", "width": int(room / 25.4 * 96)}
    with opened(browser, pages["html"], look) as page:
        wide = page.evaluate(
            "[...document.querySelectorAll('table')].filter(t => t.scrollWidth > t.parentElement.clientWidth + 1)"
            ".map(t => t.caption.textContent)"
        )
        assert wide == []


def test_the_page_runs_nothing(pages: dict[str, Path]) -> None:
    text = pages["html"].read_text(encoding="utf-8")
    assert "<script" not in text
    assert "default-src 'none'" in text


def test_links_lead_somewhere_and_the_keyboard_can_skip(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["html"], LOOKS["light"]) as page:
        dead = page.evaluate(
            "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
            ".filter(id => !document.getElementById(id))"
        )
        assert dead == []
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
