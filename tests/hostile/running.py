"""The gateway as it runs here: with limits that are short, over upstreams of a test's choice, and its records."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import bare
from rig import answers
from rig.gateway import Gateway, binary
from rig.upstream import Answer, Seen, Upstream

# The name of the variable must not end in `_API_KEY`: those the rig keeps from the gateway.
PROVIDER_KEY_VARIABLE = "ORDAIN_TEST_PROVIDER_KEY"
PROVIDER_KEY = "canary-provider-key-5f0c"

LIMITS = {
    "body_bytes": 300_000,  # above 256 KiB, where inspection moves to a thread of its own
    "body_seconds": 1,
    "connect_seconds": 1,
    "first_byte_seconds": 1,
    "idle_seconds": 1,
    "answer_seconds": 2,
    "write_seconds": 2,
}


def fault(reason: str, measured: bool = False) -> pytest.MarkDecorator:
    """What the gateway is known to do wrong. The assertion stands, and the day it holds, the mark has to go.

    What is `measured` in time or memory may hold by luck, so that holding once proves nothing.
    """
    return pytest.mark.xfail(strict=not measured, raises=AssertionError, reason=reason)


OTHER = "ada@example.com"  # somebody else whom the directory knows, in another group than the one who asks
DIRECTORY = """people:
  you@example.com: {groups: [staff]}
  ada@example.com: {groups: [engineering]}
"""


def write_config(folder: Path, upstreams: dict[str, str], limits: dict[str, int]) -> None:
    """`ordain.yaml` as an operator would write it."""
    lines = ["listen: 127.0.0.1:0", "upstreams:"]
    for dialect, url in upstreams.items():
        lines += [f"  - dialect: {dialect}", f"    url: {url}", f"    key_env: {PROVIDER_KEY_VARIABLE}"]
    lines += ["limits:", *(f"  {name}: {value}" for name, value in limits.items())]
    (folder / "ordain.yaml").write_text("\n".join(lines) + "\n")


@contextmanager
def running(
    folder: Path,
    upstream: str,
    one_worker: bool = False,
    dialects: Sequence[str] = ("openai", "anthropic"),
    **limits: int,
) -> Iterator[Gateway]:
    """A gateway that forwards some dialects to one upstream.

    `one_worker` binds it to one processor, so that there is one worker, whose upstream connections all clients share.
    """
    upstreams = dict.fromkeys(dialects, upstream)
    with Gateway.start(folder, upstreams):
        pass  # a first run makes the folder
    write_config(folder, upstreams, LIMITS | limits)
    (folder / "directory.yaml").write_text(DIRECTORY)
    os.environ[PROVIDER_KEY_VARIABLE] = PROVIDER_KEY
    processors = os.sched_getaffinity(0)
    if one_worker:
        os.sched_setaffinity(0, {min(processors)})
    try:
        gateway = Gateway.start(folder, {})
    finally:
        os.sched_setaffinity(0, processors)
    with gateway:
        yield gateway
        assert gateway.alive(), f"the gateway ended by itself with {gateway.process.returncode}"
    log = gateway.log.read_text(errors="replace")
    assert PROVIDER_KEY not in log, f"the provider's key stands in {gateway.log}"
    assert "panicked" not in log, log[-4000:]


def port(gateway: Gateway) -> int:
    return urlsplit(gateway.url).port


def plain_answer(seen: Seen) -> Answer:
    """What an upstream says when a test did not script it."""
    streamed = b'"stream":true' in seen.body
    if seen.target == "/v1/messages":
        return (answers.message_stream if streamed else answers.message)(answers.text("All is well."))
    return (answers.chat_stream if streamed else answers.chat)({"content": "All is well."})


def prompt(text: str, **more: object) -> bytes:
    """The body of a chat completion."""
    return answers.compact({"model": "scripted-1", "messages": [{"role": "user", "content": text}], **more})


def head(gateway: Gateway, *more: str, path: str = "/v1/chat/completions", method: str = "POST") -> bytes:
    """The head of an honest request with a key; `more` are further header lines."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: gateway",
        f"Authorization: Bearer {gateway.key}",
        "Content-Type: application/json",
        *more,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def request(gateway: Gateway, body: bytes, *more: str, **line: str) -> bytes:
    """An honest request with its body."""
    return head(gateway, *more, f"Content-Length: {len(body)}", **line) + body


def ask(gateway: Gateway, text: str, **more: object) -> bare.Answer:
    """What an honest client gets for a prompt."""
    return bare.ask(port(gateway), request(gateway, prompt(text, **more)))


def upstream_headers(upstream: Upstream, answer: bare.Answer, body: bytes) -> dict[str, str]:
    """All that the head of an OpenAI request may tell the upstream, if the client says nothing that is passed on."""
    return {
        "host": f"127.0.0.1:{upstream.port}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept-encoding": "identity",
        "authorization": f"Bearer {PROVIDER_KEY}",
        "ordain-record": answer.one("ordain-record"),
    }


def ordain(*arguments: str) -> str:
    """What the command line says."""
    done = subprocess.run([str(binary()), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def records(folder: Path) -> list[dict]:
    """All records of a gateway, newest first."""
    told = ordain("records", "list", "--dir", str(folder), "--limit", "1000000", "--format", "json")
    return json.loads(told)["records"]


def of_exchange(folder: Path, exchange: str) -> list[dict]:
    """The records of one exchange, by what stands in `ordain-record`; oldest first."""
    return [it for it in reversed(records(folder)) if exchange in (it["id"], it.get("intent"))]


def key_of_another(folder: Path) -> str:
    """A valid key of `OTHER`."""
    return json.loads(ordain("key", "create", OTHER, "--dir", str(folder), "--format", "json"))["key"]
