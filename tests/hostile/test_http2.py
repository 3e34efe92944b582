"""Threats B2 and B9: HTTP/2 is not spoken, so that nothing of it is translated and none of its floods has a target.

Whoever begins to speak it is answered 400 and cut off, however much of it follows.
"""

import struct

import pytest

from bare import Client
from conftest import World
from process import processor_seconds, resident
from running import ask, port

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 0) -> bytes:
    """RFC 9113, 4.1."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


SETTINGS = frame(4)
# A head with a literal field each: `:method`, `:scheme`, `:path` and `:authority` (RFC 7541, 6.2.2).
HEADERS = b"\x83\x86\x84\x41\x07gateway"
FLOODS = {
    "settings": SETTINGS,
    "ping": frame(6, b"12345678"),
    "empty-data": frame(0, stream=1),
    "rapid-reset": frame(1, HEADERS, flags=4, stream=1) + frame(3, b"\0\0\0\x08", stream=1),
    "continuation": frame(9, b"\x40\x01a\x01b", stream=1),
    "window": frame(8, b"\x7f\xff\xff\xff"),
    "priority": frame(2, b"\0\0\0\0\x10", stream=1),
    "header-bomb": frame(1, b"\x40\x01a\x7f\xff" + b"x" * 4000, flags=4, stream=1),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_with_its_first_line(world: World, name: str) -> None:
    memory, used = resident(world.gateway.pid), processor_seconds(world.gateway.pid)
    for _ in range(20):
        with Client(port(world.gateway)) as client:
            client.send(PREFACE + SETTINGS + FLOODS[name] * 5000)
            answer = client.answer()
            # A reset may take the answer along: there is more to read than is read.
            assert answer is None or answer.status == 400
            assert client.end()
    assert world.upstream.raw() == b""
    assert ask(world.gateway, "Good morning.").status == 200
    assert processor_seconds(world.gateway.pid) - used < 2
    assert resident(world.gateway.pid) - memory < 32 << 20


DOWNGRADES = {
    "preface": PREFACE,
    "preface-and-settings": PREFACE + SETTINGS,
    "frames-alone": SETTINGS + frame(1, HEADERS, flags=5, stream=1),
    "preface-in-pieces": b"PRI * HTTP/2.0\r\n",
    "version-2": b"POST /v1/chat/completions HTTP/2.0\r\nHost: gateway\r\n\r\n",
    "version-2-without-a-dot": b"POST /v1/chat/completions HTTP/2\r\nHost: gateway\r\n\r\n",
    "version-3": b"GET /healthz HTTP/3\r\nHost: gateway\r\n\r\n",
    "pseudo-headers": b"POST /v1/chat/completions HTTP/1.1\r\n:path: /healthz\r\nHost: gateway\r\n\r\n",
    "pseudo-authority": b"GET /healthz HTTP/1.1\r\n:authority: other\r\nHost: gateway\r\n\r\n",
}


@pytest.mark.parametrize("name", DOWNGRADES)
def test_nothing_of_it_is_translated(world: World, name: str) -> None:
    with Client(port(world.gateway)) as client:
        client.send(DOWNGRADES[name])
        client.stop_sending()
        answer = client.answer()
        assert answer is None or answer.status == 400, answer
        assert client.end()
    assert world.upstream.raw() == b""
