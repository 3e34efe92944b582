"""Threat C10: the model that the policy judges is the one that the upstream is asked for, letter by letter.

The one upstream here serves `scripted-1` and nothing else. Whatever only looks like that name is another one, and no
upstream serves it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import running
from bare import Answer, ask
from conftest import World
from rig import answers
from rig.gateway import Gateway
from rig.upstream import Upstream
from running import port, request

NAME = "scripted-1"

VARIANTS = [
    "Scripted-1",
    "SCRIPTED-1",
    "scripted-1 ",
    " scripted-1",
    "\tscripted-1",
    "scripted-1\n",
    "scripted-1\0",
    "scripted-1\x7f",
    "scripted-1\u00a0",
    "scripted-1\u200b",
    "\ufeffscripted-1",
    "\u202escripted-1",
    "scripted\u20101",
    "scripted\u20111",
    "scripted\u22121",
    "scripted\uff0d1",
    "\uff53cripted-1",
    "s\u0441ripted-1",
    "scr\u0456pted-1",
    "scripted-\u0661",
    "scripted-\u00b9",
    "scripted-1\u0301",
    "scripted--1",
    "scripted-01",
    "scripted-1.0",
    "scripted-1:latest",
    "scripted-1:ft-acme",
    "ft:scripted-1",
    "ft:scripted-1:acme::1",
    "openai/scripted-1",
    "/scripted-1",
    "./scripted-1",
    "models/scripted-1",
    "scripted-1/",
    "scripted-1/../scripted-2",
    "scripted-1@2026-01-01",
    "scripted-1;x",
    "scripted-1?x=1",
    "scripted-1#x",
    "scripted-1%20",
    "%73cripted-1",
    "scripted-1,scripted-2",
    "scripted-1|scripted-2",
    "scripted-*",
    "*",
    "",
    "scripted",
    "scripted-",
    "scripted-10",
    "cripted-1",
    '"scripted-1"',
    "scripted-1\\u0000",
]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway whose one upstream serves one model."""
    folder: Path = tmp_path_factory.mktemp("models") / "ordain"
    with Upstream(running.plain_answer) as upstream:
        with running.running(folder, upstream.url):
            pass  # makes the folder
        running.write_config(folder, {"openai": upstream.url}, running.LIMITS)
        config = folder / "ordain.yaml"
        config.write_text(config.read_text().replace("    key_env:", f"    models: [{NAME}]\n    key_env:"))
        with Gateway.start(folder, {}) as gateway:
            yield World(gateway, upstream, folder)


def asked(world: World, model: object) -> Answer:
    world.upstream.reset()
    body = answers.compact({"model": model, "messages": [{"role": "user", "content": "Hello."}]})
    return ask(port(world.gateway), request(world.gateway, body))


def test_the_model_itself_is_served_and_recorded(named: World) -> None:
    answer = asked(named, NAME)
    assert answer.status == 200, answer
    assert json.loads(named.upstream.only().body)["model"] == NAME
    assert named.records_of(answer)[0]["to"]["model"] == NAME


@pytest.mark.parametrize("model", VARIANTS, ids=ascii)
def test_what_only_looks_like_it_is_another(named: World, model: str) -> None:
    answer = asked(named, model)
    assert answer.status in (400, 403, 404), answer
    assert named.upstream.raw() == b""


@pytest.mark.parametrize("model", [None, 1, True, [NAME], {"name": NAME}], ids=json.dumps)
def test_what_is_no_name_is_refused(named: World, model: object) -> None:
    assert asked(named, model).status == 400
    assert named.upstream.raw() == b""


def test_two_names_are_none(named: World) -> None:
    """Two members of one name, and a path that says another model than the body."""
    named.upstream.reset()
    body = b'{"model":"scripted-1","model":"scripted-2","messages":[{"role":"user","content":"Hello."}]}'
    assert ask(port(named.gateway), request(named.gateway, body)).status == 400
    assert named.upstream.raw() == b""
