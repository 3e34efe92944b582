"""Threats C12 and A11: every operation of the known APIs that is not inspected is refused, whatever its body is.

The tables that the gateway is built from say what each operation is. Here each of them that is refused is asked for, with
the same body as an inspected one and with a form as uploads are; and each that nobody has written down yet.
"""

import csv
from pathlib import Path

import pytest

from conftest import World
from running import head, prompt, records, request

TABLES = Path(__file__).resolve().parents[2] / "crates" / "core" / "data" / "endpoints"
BODY = prompt("Good morning.")
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{}\r\n--x--\r\n'
)


def operations() -> list[tuple[str, str, str, str]]:
    """Dialect, method, path and handling of every row."""
    rows = []
    for table in sorted(TABLES.glob("*.tsv")):
        with table.open() as lines:
            for row in csv.reader((it for it in lines if it.strip() and not it.startswith("#")), delimiter="\t"):
                rows.append((table.stem, *row))
    return rows


ROWS = operations()
REFUSED = [(dialect, method, path) for dialect, method, path, handling in ROWS if handling == "refused"]


def test_the_tables_are_read_here_as_well() -> None:
    assert len(ROWS) > 800 and len(REFUSED) > 700
    assert {it[0] for it in ROWS} == {"anthropic", "azure", "gemini", "ollama", "openai"}


def filled(path: str) -> str:
    """The path with a word for each name in braces."""
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + "word" + rest.partition("}")[2]
    return path


@pytest.mark.parametrize("dialect", sorted({it[0] for it in REFUSED}))
def test_what_is_not_inspected_is_refused_and_recorded(world: World, dialect: str) -> None:
    """One record each, so the records are read once at the end."""
    refused: list[tuple[str, str]] = []
    inspected = {(it[1], filled(it[2])) for it in ROWS if it[3] != "refused"}
    for at, (of, method, path) in enumerate(REFUSED):
        # A path that another dialect has is that one's, unless the request says whose it is.
        if of != dialect or (method, filled(path)) in inspected:
            continue
        if at % 2:
            raw = head(
                world.gateway, f"Content-Length: {len(FORM)}", method=method, path=filled(path)
            ).replace(b"application/json", b"multipart/form-data; boundary=x") + FORM
        else:
            raw = request(world.gateway, BODY, method=method, path=filled(path))
        answer = world.ask(raw)
        assert answer.status == 403, (method, path, answer)
        refused.append((path, answer.one("ordain-record")))
    assert world.upstream.raw() == b""
    assert len(refused) > 15
    kept = {it["id"]: it for it in records(world.folder)}
    for path, record in refused:
        assert (kept[record]["kind"], kept[record]["status"]) == ("refusal", 403), path


UNHEARD_OF = [
    ("POST", "/v1/chat/completions/word"),
    ("POST", "/v1/beta/chat/completions"),
    ("POST", "/v1/messages/word"),
    ("POST", "/v1/realtime"),
    ("POST", "/v2/chat/completions"),
    ("POST", "/v1beta/models/word:predict"),
    ("POST", "/v1beta/models/word:batchGenerateContent"),
    ("POST", "/v1internal:generateContent"),
    ("POST", "/api/push"),
    ("POST", "/api/anything"),
    ("GET", "/metrics"),
    ("GET", "/admin"),
]


@pytest.mark.parametrize(("method", "path"), UNHEARD_OF)
def test_what_nobody_has_heard_of_is_refused(world: World, method: str, path: str) -> None:
    world.assert_refused(world.ask(request(world.gateway, BODY, method=method, path=path)), 403)


BETAS = ["openai-beta: assistants=v2", "openai-beta: realtime=v1", "anthropic-beta: files-api-2025-04-14"]


@pytest.mark.parametrize("header", BETAS)
def test_a_beta_header_opens_nothing(world: World, header: str) -> None:
    world.assert_refused(world.ask(request(world.gateway, BODY, header, path="/v1/files")), 403)


FORMS = {
    "plain": "multipart/form-data; boundary=x",
    "two-boundaries": "multipart/form-data; boundary=x; boundary=y",
    "quoted": 'multipart/form-data; boundary="x"',
    "none": "multipart/form-data",
    "related": "multipart/related; boundary=x",
    "urlencoded": "application/x-www-form-urlencoded",
    "said-to-be-json": "application/json",
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_is_no_body_of_an_inspected_endpoint(world: World, kind: str) -> None:
    """What the body is decides, not what it is said to be: a form is no JSON, and nothing else is read."""
    raw = head(world.gateway, f"Content-Length: {len(FORM)}").replace(b"application/json", FORMS[kind].encode()) + FORM
    world.assert_refused(world.ask(raw), 400)
