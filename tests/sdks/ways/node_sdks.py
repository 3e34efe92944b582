"""The SDKs for JavaScript, in one process of Node.js that is asked over its standard input."""

import json
import queue
import subprocess
import threading
from functools import partial
from pathlib import Path

from scripted import TOOL, Api

from . import MODEL, PARAMETERS, PATIENCE, PNG_BASE64, TOOL_TEXT, Ask, Errors, Heard, Test, Way

DRIVER = Path(__file__).resolve().parents[1] / "node" / "driver.mjs"


class NodeError(Exception):
    """What was thrown: the names of its class and those above it, its status and its message."""

    def __init__(self, kinds: list[str], status: int | None, message: str) -> None:
        super().__init__(f"{kinds[0]} ({status}): {message}")
        self.kinds, self.status = kinds, status


def _throws(kind: str, status: int | None = None) -> Test:
    return lambda it: isinstance(it, NodeError) and kind in it.kinds and status in (None, it.status)


ERRORS = Errors(
    auth=_throws("AuthenticationError", 401),
    denied=_throws("PermissionDeniedError", 403),
    server=_throws("InternalServerError", 500),
    stream=_throws("APIError"),
)


class Driver:
    """The process; started when it is first asked, and ended with the tests, whose end closes its input."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()

    def ask(self, question: dict) -> dict:
        if self._process is None:
            command = ["node", str(DRIVER)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            threading.Thread(target=self._drain, args=(self._process.stdout,), daemon=True).start()
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._lines.get(timeout=2 * PATIENCE))

    def _drain(self, stdout) -> None:
        for line in stdout:
            self._lines.put(line)
        self._lines.put(b'{"ended": true}')


DRIVEN = Driver()


def _call(kind: str, base: str, key: str, ask: Ask, heard: Heard) -> None:
    tool = {"name": TOOL, "description": TOOL_TEXT, "parameters": PARAMETERS} if ask.tools else None
    question = {
        "kind": kind,
        "base": base,
        "key": key,
        "model": MODEL,
        "prompt": ask.prompt,
        "image": PNG_BASE64 if ask.image else None,
        "tool": tool,
        "patience": int(PATIENCE * 1000),
    }
    said = DRIVEN.ask(question)
    heard.take(said["text"])
    heard.calls += [(it["name"], it["arguments"]) for it in said["calls"]]
    heard.finish = said["finish"]
    heard.shown_headers = said["headers"]
    if error := said["error"]:
        raise NodeError(error["kinds"], error["status"], error["message"])


def _way(kind: str, api: Api, streamed: bool) -> Way:
    return Way(f"node-{kind}", api, streamed, ERRORS, partial(_call, kind))


WAYS = [
    _way("openai-chat-whole", Api.CHAT, False),
    _way("openai-chat-stream", Api.CHAT, True),
    _way("openai-chat-helper", Api.CHAT, True),
    _way("openai-chat-runner", Api.CHAT, True),
    _way("openai-responses-whole", Api.RESPONSES, False),
    _way("openai-responses-stream", Api.RESPONSES, True),
    _way("openai-responses-helper", Api.RESPONSES, True),
    _way("azure-chat-whole", Api.AZURE_CHAT, False),
    _way("azure-chat-stream", Api.AZURE_CHAT, True),
    _way("anthropic-whole", Api.MESSAGES, False),
    _way("anthropic-stream", Api.MESSAGES, True),
    _way("anthropic-helper", Api.MESSAGES, True),
]
