"""Threat B1, HTTP/1.1 smuggling: what two parsers could read differently is refused, and never becomes two requests.

Every payload of `payloads.txt` is sent by an attacker who has a key. Whatever the gateway answers, at most one
request may reach the upstream, and never the one that was hidden; all bytes there belong to requests of the gateway's
own making. Then a victim asks something, over a connection of its own that shares the gateway's connections to the
upstream, and must be understood byte for byte.
"""

import pytest

import bare
from conftest import World
from payloads import HOST, INNER_JSON, JSON, LINE, PAYLOADS, Payload, expand, inner
from rig.upstream import Upstream
from running import ask, port, prompt, upstream_headers

VICTIM = "What is on the menu in the canteen?"


class Misanswered(AssertionError):
    """The answer is another one than the table asks for. That nothing was smuggled is asserted apart."""


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
def test_one_request_is_one_request(world: World, payload: Payload) -> None:
    talk = bare.talk(port(world.gateway), expand(payload.text, world.gateway.key), within=3)
    assert_nothing_was_smuggled(world.upstream)
    admitted = [it.body for it in world.upstream.requests]
    assert_a_victim_is_understood(world)
    assert_answered(payload, talk, admitted)


def assert_nothing_was_smuggled(upstream: Upstream) -> None:
    assert len(upstream.requests) <= 1, [it.raw for it in upstream.requests]
    assert upstream.raw() == b"".join(it.raw for it in upstream.requests), "bytes outside of any request"
    assert INNER_JSON.encode() not in upstream.raw()


def assert_a_victim_is_understood(world: World) -> None:
    world.upstream.reset()
    answer = ask(world.gateway, VICTIM)
    assert answer.status == 200, answer
    seen = world.upstream.only()
    assert seen.raw == world.upstream.raw(), "bytes outside of the victim's request"
    assert (seen.method, seen.target, seen.body) == ("POST", "/v1/chat/completions", prompt(VICTIM))
    assert seen.headers == upstream_headers(world.upstream, answer, seen.body)
    assert len(world.upstream.connections) == 1, "the victim's request went another way than the attacker's"


def assert_answered(payload: Payload, talk: bare.Talk, admitted: list[bytes]) -> None:
    match payload.must:
        case "refuse":
            good = bool(talk.answers) and set(talk.statuses) == {400} and talk.closed and not admitted
        case "closed":
            good = not talk.answers and talk.closed and not admitted
        case "admit":
            good = talk.statuses == [200] and admitted == [JSON.encode()]
        case status:
            final = [it for it in talk.statuses if it >= 200]
            good = final == [int(status)] and not admitted and (talk.closed or status != "408")
    if not good:
        closed = "closed" if talk.closed else "kept open"
        raise Misanswered(f"must {payload.must}: answered {talk.statuses}, {closed}, upstream saw {admitted}")


def test_the_table_is_worth_its_name() -> None:
    assert len({tuple(expand(it.text, "key")) for it in PAYLOADS}) == len(PAYLOADS) >= 120
    assert len({str(it) for it in PAYLOADS}) == len(PAYLOADS)
    assert len(JSON) == len(INNER_JSON) == 100 and len(inner("k" * 42)) == 400
    for payload in PAYLOADS:
        assert payload.why or payload.must == "refuse", f"{payload} is not explained"


def test_the_hidden_request_would_be_seen(world: World) -> None:
    """In the open it is admitted, also behind another request: what is hidden would be seen if it came through."""
    first = f"{LINE}{HOST}Authorization: Bearer {world.gateway.key}\r\nContent-Length: 100\r\n\r\n{JSON}"
    talk = world.talk(first.encode() + inner(world.gateway.key).encode())
    assert talk.statuses == [200, 200]
    assert [it.body.decode() for it in world.upstream.requests] == [JSON, INNER_JSON]
    with pytest.raises(AssertionError):
        assert_nothing_was_smuggled(world.upstream)
