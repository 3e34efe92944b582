"""The PDF as other readers see it: it opens, has bookmarks, says everything, and is the same each time."""

import re
import subprocess
from pathlib import Path

import pytest
from conftest import render
from pypdf import PdfReader

SECTIONS = [
    "Purpose and goals", "Scope", "Roles and responsibilities", "Applications", "Acceptable use", "Access", "Data",
    "Shadow AI", "Transparency", "Risk", "Compliance", "Monitoring", "Education", "Consequences",
]


def words(text: str) -> str:
    """Text without the places where lines happen to break."""
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def text(pages: dict[str, Path]) -> str:
    ran = subprocess.run(["pdftotext", str(pages["pdf"]), "-"], capture_output=True, text=True, timeout=30, check=True)
    return ran.stdout


def test_it_opens_and_says_what_it_is(pages: dict[str, Path]) -> None:
    ran = subprocess.run(["pdfinfo", str(pages["pdf"])], capture_output=True, text=True, timeout=30, check=True)
    facts = dict(line.split(":", 1) for line in ran.stdout.splitlines() if ":" in line)
    facts = {key: value.strip() for key, value in facts.items()}
    assert facts["Title"] == "Example Organisation: Policy for generative AI, version 1"
    assert facts["Tagged"] == "yes"
    assert facts["Encrypted"] == "no"
    assert "(A4)" in facts["Page size"]


def test_the_fourteen_sections_are_bookmarks(pages: dict[str, Path]) -> None:
    reader = PdfReader(pages["pdf"], strict=True)
    top = [it.title for it in reader.outline if not isinstance(it, list)]
    numbered = [title for title in top if title[0].isdigit()]
    assert [re.sub(r"^\d+\s", "", title) for title in numbered] == SECTIONS
    inner = [it.title for group in reader.outline if isinstance(group, list) for it in group]
    assert "5.1 AU-1" in inner


def test_language_tags_and_page_numbers(pages: dict[str, Path], text: str) -> None:
    reader = PdfReader(pages["pdf"], strict=True)
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert "/StructTreeRoot" in root
    count = len(reader.pages)
    for number in range(2, count + 1):
        assert f"{number} of {count}" in text


def test_the_three_outputs_say_the_same(pages: dict[str, Path], text: str) -> None:
    """Every clause, grant, class and verdict of the Markdown is in the PDF and in the HTML too."""
    markdown = pages["md"].read_text(encoding="utf-8")
    html = re.sub(r"<[^>]+>", "", pages["html"].read_text(encoding="utf-8"))
    html = html.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    pdf, page = words(text), words(html)
    clauses = re.findall(r"^### [\d.]+ (\S+) \(", markdown, re.MULTILINE)
    assert len(clauses) >= 36
    cells: set[str] = set()
    for line in markdown.splitlines():
        if line.startswith("| "):
            cells.update(cell.strip() for cell in line.strip("|").split("|"))
    body = markdown.rsplit("\n---\n", 1)[0]  # what follows is the running head, which the PDF writes in two pieces
    statements = [line for line in body.splitlines() if line[:1].isalpha()]
    for wanted in [*clauses, *cells, *statements]:
        plain = words(re.sub(r"\\(.)|[`*]|\[([^]]*)\]\(<[^>]*>\)", r"\1\2", wanted))
        assert plain in pdf, wanted
        assert plain in page, wanted


def test_the_same_policy_and_day_give_the_same_bytes(pages: dict[str, Path], tmp_path: Path) -> None:
    for kind in ("html", "md", "pdf"):
        again = render(kind, tmp_path / f"again.{kind}")
        assert again.read_bytes() == pages[kind].read_bytes(), kind


def test_the_part_of_a_group_is_one_page(pages: dict[str, Path]) -> None:
    assert len(PdfReader(pages["part.pdf"], strict=True).pages) == 1
