"""Threats B3, B4, B5 and B7: what comes along with a body is bounded, dropped or refused.

Chunk extensions and trailers end at the gateway. `100 Continue` is said only to who may send that body. Compressed
bodies are refused, whatever they are called. Every bound is tried one below, at it and one above.
"""

import gzip
import json
import zlib

import pytest

from bare import Client
from conftest import World
from running import LIMITS, head, port, prompt, request, upstream_headers

BODY = prompt("Good morning.")
CHUNKED = "Transfer-Encoding: chunked"
LARGEST = LIMITS["body_bytes"]
EXTENSIONS = 16 * 1024  # bytes of extensions and, apart, of trailers that a body may have


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return f"{len(data):x}".encode() + extension + b"\r\n" + data + b"\r\n"


def assert_sent_plain(world: World, raw: bytes, body: bytes = BODY) -> None:
    """Admitted; the upstream gets the body with a length and nothing of how it came."""
    answer = world.ask(raw)
    assert answer.status == 200, answer
    seen = world.upstream.only()
    assert seen.raw == world.upstream.raw() and seen.body == body
    assert seen.headers == upstream_headers(world.upstream, answer, body)


# --- B3: extensions and trailers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 10_000, EXTENSIONS - 2])
def test_an_extension_goes_nowhere(world: World, size: int) -> None:
    chunks = chunk(BODY, b";" + b"x" * size) + b"0\r\n\r\n"
    assert_sent_plain(world, head(world.gateway, CHUNKED) + chunks)


def test_extensions_are_bounded_for_the_whole_body(world: World) -> None:
    pieces = [chunk(BODY[at : at + 1], b";name=" + b"x" * 10_000) for at in range(len(BODY))]
    talk = world.talk(head(world.gateway, CHUNKED) + b"".join(pieces) + b"0\r\n\r\n")
    assert talk.closed
    world.assert_refused(talk.answers[0], 400, 413)


def test_an_extension_without_end_is_cut_off(world: World) -> None:
    with Client(port(world.gateway)) as client:
        client.send(head(world.gateway, CHUNKED) + b"1;")
        for _ in range(1000):
            client.send(b"x" * 1000)
            if client.hears(0.001):  # or the socket takes all of it before the gateway is asked
                break
        else:
            pytest.fail("a megabyte of extension was taken in")
        world.assert_refused(client.answer(), 400, 413)
        assert client.end()


TRAILERS = [
    "Authorization: Bearer other",
    "X-Api-Key: other",
    "X-User: other",
    "X-Forwarded-For: 10.0.0.1",
    "Content-Length: 0",
    "Transfer-Encoding: chunked",
    "Content-Encoding: gzip",
    "Content-Type: text/plain",
    "Host: other",
    "Connection: close",
    "User-Agent: other",
    "Ordain-Record: other",
    "Ordain-Use: other",
    "Cookie: a=b",
]


@pytest.mark.parametrize("trailer", TRAILERS)
def test_a_trailer_is_dropped(world: World, trailer: str) -> None:
    announced = f"Trailer: {trailer.partition(':')[0]}"
    chunks = chunk(BODY) + f"0\r\n{trailer}\r\n\r\n".encode()
    assert_sent_plain(world, head(world.gateway, CHUNKED, announced, "TE: trailers") + chunks)


def test_a_key_in_a_trailer_is_none(world: World) -> None:
    raw = head(world.gateway, CHUNKED) + chunk(BODY)
    without = raw.replace(f"Authorization: Bearer {world.gateway.key}\r\n".encode(), b"")
    talk = world.talk(without + f"0\r\nAuthorization: Bearer {world.gateway.key}\r\n\r\n".encode())
    assert talk.statuses == [401]
    assert world.upstream.raw() == b""


@pytest.mark.parametrize("trailers", ["X: " + "y" * EXTENSIONS + "\r\n", "X: y\r\n" * 200], ids=["bytes", "lines"])
def test_trailers_are_bounded(world: World, trailers: str) -> None:
    talk = world.talk(head(world.gateway, CHUNKED) + chunk(BODY) + f"0\r\n{trailers}\r\n".encode())
    assert talk.closed
    world.assert_refused(talk.answers[0], 400, 413)


# --- B4: expectations -----------------------------------------------------------------------------------------------


EXPECT = "Expect: 100-continue"


def test_continue_is_said_to_who_may_send(world: World) -> None:
    talk = world.talk(head(world.gateway, EXPECT, f"Content-Length: {len(BODY)}"), then=BODY)
    assert talk.statuses == [100, 200]
    assert world.upstream.only().body == BODY


def test_no_continue_without_a_key(world: World) -> None:
    raw = head(world.gateway, EXPECT, f"Content-Length: {len(BODY)}")
    talk = world.talk(raw.replace(b"Authorization", b"X-Authorization"))
    assert talk.statuses == [401] and talk.closed


def test_no_continue_for_another_endpoint(world: World) -> None:
    talk = world.talk(head(world.gateway, EXPECT, f"Content-Length: {len(BODY)}", path="/v1/nowhere"))
    assert talk.statuses in ([403], [404]) and talk.closed


def test_no_continue_for_a_compressed_body(world: World) -> None:
    talk = world.talk(head(world.gateway, EXPECT, "Content-Encoding: gzip", "Content-Length: 9"))
    assert talk.statuses == [415] and talk.closed


def test_no_continue_for_a_body_that_is_too_large(world: World) -> None:
    talk = world.talk(head(world.gateway, EXPECT, f"Content-Length: {LARGEST + 1}"))
    assert talk.statuses == [413] and talk.closed


def test_a_body_that_is_too_large_is_not_waited_for(world: World) -> None:
    talk = world.talk(head(world.gateway, f"Content-Length: {LARGEST + 1}"))
    assert talk.statuses == [413] and talk.closed


@pytest.mark.parametrize("framing", [f"Content-Length: {len(BODY)}", CHUNKED])
def test_who_never_sends_the_body_is_timed_out(world: World, framing: str) -> None:
    talk = world.talk(head(world.gateway, EXPECT, framing))
    assert talk.statuses == [100, 408] and talk.closed
    world.assert_refused(talk.answers[1], 408)


UNKNOWN = ["101-switch", "100-continue, x", "x", "100-continue;q=1", '"100-continue"', "200-ok"]


@pytest.mark.parametrize("value", UNKNOWN)
def test_an_unknown_expectation_is_417(world: World, value: str) -> None:
    answer = world.ask(request(world.gateway, BODY, f"Expect: {value}"))
    world.assert_refused(answer, 417)


def test_an_unknown_expectation_beside_a_known_one_is_417(world: World) -> None:
    answer = world.ask(request(world.gateway, BODY, EXPECT, "Expect: x"))
    world.assert_refused(answer, 417)


def test_an_old_client_is_not_told_to_continue(world: World) -> None:
    """RFC 9110, 10.1.1: in HTTP/1.0 the expectation is ignored."""
    raw = head(world.gateway, EXPECT, f"Content-Length: {len(BODY)}").replace(b"HTTP/1.1", b"HTTP/1.0")
    assert world.talk(raw + BODY).statuses == [200]


# --- B5: compressed bodies ------------------------------------------------------------------------------------------


DEFLATED = zlib.compress(BODY)
GZIPPED = gzip.compress(BODY)
ENCODINGS = {
    "gzip": GZIPPED,
    "x-gzip": GZIPPED,
    "GZIP": GZIPPED,
    "deflate": DEFLATED,
    "compress": GZIPPED,
    "br": BODY,  # no coder at hand: what is refused by its name is not read
    "zstd": BODY,
    "dcb": BODY,
    "aes128gcm": BODY,
    "gzip, gzip": gzip.compress(GZIPPED),
    "gzip,deflate": zlib.compress(GZIPPED),
    "identity, gzip": GZIPPED,
    "gzip, identity": GZIPPED,
    "identity, identity": BODY,
    "identity;q=1": BODY,
    "none": BODY,
    "utf-8": BODY,
    '"identity"': BODY,
    "": BODY,
    "\xff": BODY,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoded_body_is_415(world: World, encoding: str) -> None:
    answer = world.ask(request(world.gateway, ENCODINGS[encoding], f"Content-Encoding: {encoding}"))
    world.assert_refused(answer, 415)


@pytest.mark.parametrize("encodings", [("gzip", "gzip"), ("identity", "gzip"), ("gzip", "identity")])
def test_an_encoding_on_a_second_line_counts(world: World, encodings: tuple[str, str]) -> None:
    lines = [f"Content-Encoding: {it}" for it in encodings]
    world.assert_refused(world.ask(request(world.gateway, GZIPPED, *lines)), 415)


def test_an_encoded_body_is_not_waited_for(world: World) -> None:
    """However large it becomes when it is decoded: it is not even read."""
    talk = world.talk(head(world.gateway, "Content-Encoding: gzip", f"Content-Length: {LARGEST}"))
    assert talk.statuses == [415] and talk.closed


@pytest.mark.parametrize("lines", [[], ["Content-Encoding: identity"]], ids=["no-header", "identity"])
@pytest.mark.parametrize(
    "body", [GZIPPED, DEFLATED, b"\x28\xb5\x2f\xfd\x00\x00\x01\x00\x00"], ids=["gzip", "zlib", "zstd"]
)
def test_an_encoding_that_is_not_named_is_400(world: World, body: bytes, lines: list[str]) -> None:
    world.assert_refused(world.ask(request(world.gateway, body, *lines)), 400)


def test_a_plain_body_may_say_so(world: World) -> None:
    assert_sent_plain(world, request(world.gateway, BODY, "Content-Encoding: Identity"))


# --- B7: bounds -----------------------------------------------------------------------------------------------------


def sized(length: int) -> bytes:
    return prompt("x" * (length - len(prompt(""))))


@pytest.mark.parametrize("framing", ["length", "chunk", "chunks"])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_bound_of_a_body(world: World, more: int, framing: str) -> None:
    body = sized(LARGEST + more)
    match framing:
        case "length":
            raw = request(world.gateway, body)
        case "chunk":
            raw = head(world.gateway, CHUNKED) + chunk(body) + b"0\r\n\r\n"
        case _:
            raw = head(world.gateway, CHUNKED) + b"".join(chunk(body[at : at + 999]) for at in range(0, len(body), 999))
            raw += b"0\r\n\r\n"
    if more <= 0:
        assert_sent_plain(world, raw, body)
    else:
        world.assert_refused(world.ask(raw), 413)


def test_a_body_without_end_is_cut_off(world: World) -> None:
    with Client(port(world.gateway)) as client:
        client.send(head(world.gateway, CHUNKED))
        for _ in range(100):
            client.send(chunk(b" " * LARGEST))
            if client.hears(0):
                break
        else:
            pytest.fail("a hundred times the bound was taken in")
        world.assert_refused(client.answer(), 413)


HEAD = 64 * 1024  # bytes of a request's head


def with_head_of(world: World, size: int, place: str) -> bytes:
    """A request whose head has just this size, because of one of its places."""
    length = f"Content-Length: {len(BODY)}"
    if place == "header":
        padding = size - len(head(world.gateway, length, "X-Pad: "))
        return head(world.gateway, length, "X-Pad: " + "x" * padding) + BODY
    path = "/v1/chat/completions?"
    padding = size - len(head(world.gateway, length, path=path))
    return head(world.gateway, length, path=path + "x" * padding) + BODY


PLACES = pytest.mark.parametrize("place", ["header", "target"])


@PLACES
@pytest.mark.parametrize("size", [HEAD - 1, HEAD])
def test_the_largest_head(world: World, size: int, place: str) -> None:
    assert_sent_plain(world, with_head_of(world, size, place))


@PLACES
def test_a_head_that_is_too_large_by_one(world: World, place: str) -> None:
    talk = world.talk(with_head_of(world, HEAD + 1, place))
    assert talk.statuses in ([431], [414]) and talk.closed and world.upstream.raw() == b""


@PLACES
@pytest.mark.parametrize("size", [4 * HEAD, 64 * HEAD])
def test_a_head_that_is_far_too_large(world: World, size: int, place: str) -> None:
    """The gateway may be gone before it was all sent, and its answer with it."""
    talk = world.talk(with_head_of(world, size, place))
    assert talk.statuses in ([431], [414], []) and talk.closed and world.upstream.raw() == b""


@pytest.mark.parametrize(("lines", "status"), [(99, 200), (100, 200), (101, 431)])
def test_the_bound_of_header_lines(world: World, lines: int, status: int) -> None:
    raw = request(world.gateway, BODY, *(f"X-{at}: x" for at in range(lines - 4)))  # four are honest ones
    assert raw.count(b"\r\n") == lines + 2
    assert world.talk(raw).statuses == [status]
    assert len(world.upstream.requests) == (status == 200)


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """A prompt with a member that lies so deep, counting the object around it."""
    return BODY[:-1] + f',"x":{opening * (depth - 1)}1{closing * (depth - 1)}}}'.encode()


@pytest.mark.parametrize(("depth", "status"), [(127, 200), (128, 200), (129, 400), (30_000, 400), (100_000, 400)])
def test_the_bound_of_nesting(world: World, depth: int, status: int) -> None:
    answer = world.ask(request(world.gateway, nested(depth)))
    assert answer.status == status
    assert len(world.upstream.requests) == (status == 200)


@pytest.mark.parametrize(
    "body", [b"[" * 290_000, b'{"a":' * 50_000, nested(40_000, '{"a":', "}")], ids=["open", "keys", "objects"]
)
def test_deep_nesting_harms_nobody(world: World, body: bytes) -> None:
    world.assert_refused(world.ask(request(world.gateway, body)), 400)


def test_many_values_are_read(world: World) -> None:
    """The limit of values (400,000) lies above what fits into this body, so that none of it may fail."""
    body = BODY[:-1] + b',"x":[' + b",".join([b"1"] * 140_000) + b"]}"
    assert world.ask(request(world.gateway, body)).status == 200
    assert json.loads(world.upstream.only().body)["x"][-1] == 1


# --- B7: lying lengths ----------------------------------------------------------------------------------------------


def test_a_length_that_says_too_much_is_timed_out(world: World) -> None:
    talk = world.talk(head(world.gateway, f"Content-Length: {len(BODY) + 1}") + BODY)
    assert talk.statuses == [408] and talk.closed
    world.assert_refused(talk.answers[0], 408)


def test_a_length_that_says_too_much_and_the_end(world: World) -> None:
    with Client(port(world.gateway)) as client:
        client.send(head(world.gateway, f"Content-Length: {len(BODY) + 1}") + BODY)
        client.stop_sending()
        assert client.end()
    assert world.upstream.raw() == b""


def test_a_length_that_says_too_little(world: World) -> None:
    """The body is cut short, and what follows is no request."""
    talk = world.talk(head(world.gateway, f"Content-Length: {len(BODY) - 1}") + BODY)
    assert set(talk.statuses) == {400} and talk.closed
    world.assert_refused(talk.answers[0], 400)


def test_zeros_without_end_are_timed_out(world: World) -> None:
    """The size of a chunk may begin with zeros; it is no extension, so only time bounds it."""
    with Client(port(world.gateway)) as client:
        client.send(head(world.gateway, CHUNKED))
        while not client.hears(0.01):
            client.send(b"0" * 1000)
        world.assert_refused(client.answer(), 400, 408)
        assert client.end()


def test_blank_lines_without_end_are_cut_off(world: World) -> None:
    """Blank lines before a request are passed over; they must neither be kept nor go on for ever."""
    with Client(port(world.gateway)) as client:
        for _ in range(2000):
            client.send(b"\r\n" * 500)
            if client.hears(0):
                break
        else:
            pytest.fail("two megabytes of blank lines were taken in")
        client.end()
