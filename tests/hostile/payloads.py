r"""Requests that two HTTP parsers could read differently (threat B1), and what the gateway must make of each.

They stand in `payloads.txt`, a table to be read by people: `# TECHNIQUE: what it is about`, then a line for each
payload with its name, what must happen, and the bytes that go over the wire. `\r`, `\n`, `\t` and `\x00` are one byte
each, and these are longer:

    {LINE}     `POST /v1/chat/completions HTTP/1.1\r\n`
    {HOST}     `Host: gateway\r\n`
    {REST}     the other honest headers, among them a valid key
    {POST}     {LINE}{HOST}{REST}
    {TE}       `Transfer-Encoding: chunked\r\n`
    {CHUNKS}   {POST}{TE}`\r\n`
    {JSON}     a prompt that the gateway lets through, 100 bytes (64 in hexadecimal)
    {SIZED}    `Content-Length: 100\r\n\r\n`{JSON}
    {CHUNKED}  {JSON} as one chunk, and the last one: 111 bytes
    {INNER}    the request to be smuggled: whole and honest by itself, 400 bytes (190 in hexadecimal)
    {PAUSE}    nothing is sent for a moment
    {ANSWER}   nothing is sent until the gateway has said something

What must happen is one of:

    refuse     400, and the connection closes
    closed     the connection closes without an answer
    admit      one request with {JSON} as its body goes upstream
    a number   an answer with that status, and nothing goes upstream; after 408 the connection closes

Everything but `refuse` is followed by its reason (`= …`). In all cases at most one request reaches the upstream, and
never {INNER}.
"""

import re
from dataclasses import dataclass
from pathlib import Path

@dataclass(frozen=True)
class Payload:
    technique: str
    name: str
    must: str
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.technique}-{self.name}"


def _read(table: str) -> list[Payload]:
    rows: list[dict] = []
    technique = ""
    for line in filter(None, table.splitlines()):
        if line.startswith("# "):
            technique = line[2:].partition(":")[0]
        elif line.startswith("; "):
            continue
        elif line.startswith("    = "):
            rows[-1]["why"] = line[6:]
        else:
            name, must, text = line.split(maxsplit=2)
            rows.append({"technique": technique, "name": name, "must": must, "text": text, "why": ""})
    return [Payload(**row) for row in rows]


PAYLOADS = _read(Path(__file__).with_suffix(".txt").read_text())


def _prompt(word: str) -> str:
    start, end = '{"model":"scripted-1","messages":[{"role":"user","content":"' + word, '"}]}'
    return start + "." * (100 - len(start) - len(end)) + end


JSON = _prompt("Good morning")
INNER_JSON = _prompt("smuggled")
LINE = "POST /v1/chat/completions HTTP/1.1\r\n"
HOST = "Host: gateway\r\n"


def inner(key: str) -> str:
    """The request that must never be seen as one."""
    head = f"{LINE}{HOST}{_rest(key)}Content-Length: 100\r\nX-Pad: "
    return head + "x" * (400 - len(head) - 4 - 100) + "\r\n\r\n" + INNER_JSON


def _rest(key: str) -> str:
    return f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"


def expand(text: str, key: str) -> list[tuple[bytes, str]]:
    """The pieces to send, each with what is waited for before it: nothing, `PAUSE` or `ANSWER`."""
    post = LINE + HOST + _rest(key)
    coding = "Transfer-Encoding: chunked\r\n"
    names = {
        "LINE": LINE,
        "HOST": HOST,
        "REST": _rest(key),
        "POST": post,
        "TE": coding,
        "CHUNKS": post + coding + "\r\n",
        "JSON": JSON,
        "SIZED": "Content-Length: 100\r\n\r\n" + JSON,
        "CHUNKED": f"64\r\n{JSON}\r\n0\r\n\r\n",
        "INNER": inner(key),
    }
    escapes = {r"\r": "\r", r"\n": "\n", r"\t": "\t"}

    def meaning(found: re.Match) -> str:
        if found["name"]:
            return names[found["name"]]
        return escapes.get(found[0]) or chr(int(found["code"], 16))

    first, *others = re.split(r"\{(PAUSE|ANSWER)\}", text)
    waits = ["", *others[::2]]
    texts = [first, *others[1::2]]
    escaped = re.compile(r"\{(?P<name>[A-Z]+)\}|\\[rnt]|\\x(?P<code>[0-9a-f]{2})")
    return [(escaped.sub(meaning, it).encode("latin-1"), wait) for it, wait in zip(texts, waits, strict=True)]
