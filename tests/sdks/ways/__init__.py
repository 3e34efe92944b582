"""Ways to ask a model: an SDK or framework, an endpoint, waiting or not, whole or as a stream.

Each module here has one SDK, used as an application would: only the base URL and the key differ from the vendor's.
"""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

import h11

from rig.planted import Planted, assert_no_leak
from scripted import MODEL, Api
from tap import Tap

PATIENCE = 20.0
TOOL_TEXT = "Looks something up."
PARAMETERS = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}

# A picture of one pixel.
PNG_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass
class Ask:
    """What is asked."""

    prompt: str
    image: bool = False
    tools: bool = False


@dataclass
class Heard:
    """What the SDK showed of the answer, and what the tap saw of the call."""

    text: str = ""
    calls: list[tuple[str, dict]] = field(default_factory=list)
    finish: str | None = None
    shown_headers: dict[str, str] | None = None  # where the SDK shows them along with the answer
    error: Exception | None = None
    sent: bytes = b""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False  # the answer came to its end
    received: bytes = b""

    def take(self, text: str | None) -> None:
        self.text += text or ""

    def note(self, tap: Tap) -> None:
        _, self.sent = tap.request()
        head, self.body, ended = tap.response()
        # Some SDKs leave at this event, before the end of the body.
        self.complete = ended or self.body.endswith(b"data: [DONE]\n\n")
        self.received = tap.received_bytes()
        if isinstance(head, h11.Response):
            self.status = head.status_code
            self.headers = {name.decode(): value.decode() for name, value in head.headers}

    def assert_free_of(self, planted: Planted) -> None:
        """Nothing that came back, whatever the SDK made of it, holds the planted value."""
        assert_no_leak(planted, self.received, self.text, repr(self.calls), repr(self.error))


Test = Callable[[Exception | None], bool]


@dataclass(frozen=True)
class Errors:
    """How the SDK tells of trouble."""

    auth: Test
    denied: Test
    server: Test
    stream: Test  # any of the exceptions that it is known to raise
    refused: Test = lambda it: it is None  # how a refusal in words ends; most SDKs do not mind
    shows_refusals: bool = True  # some throw the words away


def raises(kind: type | tuple, **fields: object) -> Test:
    """Whether an exception is of this kind and has these attributes."""
    return lambda it: isinstance(it, kind) and all(getattr(it, name) == value for name, value in fields.items())


@dataclass(frozen=True)
class Way:
    """One way; `call` fills in what it hears, piece by piece."""

    name: str
    api: Api
    streamed: bool
    errors: Errors
    call: Callable[[str, str, Ask, Heard], object]

    def __str__(self) -> str:
        return self.name

    def say(self, url: str, key: str, ask: Ask | str) -> Heard:
        """Asks and reads the answer to its end; an exception is kept in `error`."""
        ask = Ask(ask) if isinstance(ask, str) else ask
        heard = Heard()
        with Tap(url) as tap:
            try:
                result = self.call(tap.url, key, ask, heard)
                if inspect.isawaitable(result):
                    asyncio.run(asyncio.wait_for(result, 3 * PATIENCE))
            except Exception as error:  # noqa: BLE001 - whatever it is, the tests judge it
                heard.error = error
        heard.note(tap)
        return heard


def four(name: str, api: Api, errors: Errors, whole, stream, whole_async, stream_async) -> list[Way]:
    """The usual four ways of a Python SDK."""
    return [
        Way(f"{name}-sync-whole", api, False, errors, whole),
        Way(f"{name}-sync-stream", api, True, errors, stream),
        Way(f"{name}-async-whole", api, False, errors, whole_async),
        Way(f"{name}-async-stream", api, True, errors, stream_async),
    ]
