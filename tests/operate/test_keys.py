"""Keys that end, that open a part only, that follow one another (threat C6, C8)."""

import json
import time

import pytest
from asking import PRINCIPAL, ask, change_store, listed, make_key, records
from conftest import Service

from rig.upstream import Upstream

DAY = 86_400_000


def _now() -> int:
    return time.time_ns() // 1_000_000


def _set_end(service: Service, key: dict, end: int) -> None:
    change_store(service, "UPDATE keys SET expires_ms = ? WHERE id = ?", end, key["id"])


def test_a_key_ends_when_its_time_is_over(service: Service, upstream: Upstream) -> None:
    key = make_key(service, "--expires", "90d")
    assert abs(key["expires_ms"] - _now() - 90 * DAY) < 60_000
    for end, status, state in [(_now() + DAY, 200, "valid"), (_now() - 1, 401, "expired")]:
        _set_end(service, key, end)
        upstream.reset()
        service.start()
        assert ask(service, key["key"]).status == status
        assert len(upstream.requests) == (status == 200)
        assert listed(service, key["id"])["state"] == state
        service.stop()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--expires", "2020-01-31"], "over already"),
        (["--expires", "soon"], "no end of a key"),
        (["--limit", "tokens=1/week"], "no limit"),
        (["--limit", "much"], "no limit"),
        (["--endpoint", "openai-cha"], "no wire and no path"),
    ],
)
def test_what_cannot_be_meant_makes_no_key(service: Service, options: list[str], says: str) -> None:
    made = service.run("key", "create", PRINCIPAL, *options)
    assert made.returncode == 2 and says in made.stderr, made.stderr


def test_a_slip_in_the_name_of_a_use_is_noted(service: Service) -> None:
    for option in ("--use", "--for-use"):
        made = service.run("key", "create", PRINCIPAL, option, "draftng")
        assert made.returncode == 0 and "the policy has no use `draftng`" in made.stderr, made.stderr
        assert "note" not in service.run("key", "create", PRINCIPAL, option, "drafting").stderr


def test_a_rotated_key_overlaps_with_the_one_before_it(service: Service) -> None:
    first = make_key(service, "--expires", "90d", "--model", "m", "--limit", "requests=1000/day", "--label", "bot")
    rotated = service.run("key", "rotate", first["id"], "--overlap", "7d", "--format", "json")
    assert rotated.returncode == 0, rotated.stderr
    second = json.loads(rotated.stdout)
    assert second["key"] != first["key"] and second["principal"] == PRINCIPAL
    old, new = listed(service, first["id"]), listed(service, second["id"])
    assert new["terms"] == old["terms"] == {"models": ["m"], "limits": ["requests=1000/day"]}
    assert (new["label"], new["line"]) == ("bot", first["id"])
    assert abs(old["expires_ms"] - _now() - 7 * DAY) < 60_000
    assert abs(new["expires_ms"] - _now() - 90 * DAY) < 60_000
    service.start()
    assert [ask(service, it["key"]).status for it in (first, second)] == [200, 200], "both open"
    service.stop()
    _set_end(service, first, _now() - 1)
    service.start()
    assert [ask(service, it["key"]).status for it in (first, second)] == [401, 200], "the overlap has ended"
    assert service.run("key", "rotate", first["id"], "--overlap", "7d").returncode == 1, "an ended key has no successor"
    assert service.run("key", "revoke", second["id"]).returncode == 0
    deadline = time.monotonic() + 5
    while ask(service, second["key"]).status != 401:
        assert time.monotonic() < deadline, "a revoked key opens for five seconds"


@pytest.mark.parametrize(
    ("options", "request_", "outside"),
    [
        (["--model", "m-*"], {"model": "m-1"}, None),
        (["--model", "m-*"], {"model": "n-1"}, "model"),
        (["--app", "openai-api"], {}, None),
        (["--app", "anthropic-api"], {}, "app"),
        (["--endpoint", "openai-chat"], {}, None),
        (["--endpoint", "/v1/chat/*"], {}, None),
        (["--endpoint", "openai-embeddings"], {}, "endpoint"),
        (["--use", "drafting"], {}, None),
        (["--use", "drafting"], {"use": "drafting"}, None),
        (["--use", "drafting"], {"use": "coding"}, "use"),
        (["--for-use", "drafting"], {"use": "drafting"}, None),
        (["--for-use", "drafting"], {"use": "coding"}, "use"),
        (["--for-use", "drafting"], {}, "use"),
    ],
)
def test_a_key_opens_what_it_is_for(
    service: Service, upstream: Upstream, options: list[str], request_: dict, outside: str | None
) -> None:
    key = make_key(service, *options)
    service.start()
    heard = ask(service, key["key"], **request_)
    assert heard.status == (403 if outside else 200), heard.body
    service.stop()
    if outside:
        assert heard.json["error"]["code"] == "permission_denied", "the error is in the dialect's shape"
        assert not upstream.requests
        (refusal,) = records(service, "refusal")
        assert refusal["bounded"] == {"by": "key-scope", "what": outside}
        assert refusal["status"] == 403
    else:
        assert len(upstream.requests) == 1 and not records(service, "refusal")
        assert "ordain-use" not in upstream.only().headers


def test_the_last_day_of_use_is_known_without_a_write_for_each_request(service: Service) -> None:
    key, idle = make_key(service), make_key(service)
    assert listed(service, key["id"])["used_on"] is None
    service.start()
    for _ in range(20):
        assert ask(service, key["key"]).status == 200
    service.stop()
    assert listed(service, key["id"])["used_on"] == time.strftime("%Y-%m-%d", time.gmtime())
    assert listed(service, idle["id"])["used_on"] is None


def test_a_list_of_models_shows_what_the_key_opens(service: Service) -> None:
    service.add_config("    models: [m-1, m-2, n-1]\n")
    some, other_app = make_key(service, "--model", "m-*"), make_key(service, "--app", "anthropic-api")
    service.start()
    for key, models in [(service.key, ["m-1", "m-2", "n-1"]), (some["key"], ["m-1", "m-2"]), (other_app["key"], [])]:
        heard = ask(service, key, "/v1/models", method="GET")
        assert [it["id"] for it in heard.json["data"]] == models
