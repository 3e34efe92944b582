"""A canary in every place of a request that can hold text, as the description of an API has it.

`Schemas` reads schemas in the way of JSON Schema and OpenAPI (references, unions, maps, lists, enumerations). `places`
makes one request for each place: all of it is as small as the schema allows but for the way to that place, and there
the canary stands. `send` puts them through a gateway and says what became of each.
"""

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import bare
import running
from rig.gateway import Gateway, edit_section
from rig.planted import CARD
from rig.upstream import Upstream

CANARY = f"Note {CARD.value} well."
# A schema may hold itself: it is entered so often on one way, and ways are cut at this depth of members and items.
AGAIN = 1
DEEPEST = 14

JSON = object


@dataclass(frozen=True)
class Place:
    """One place of a request: the way to it, and the request that has the canary there."""

    way: str
    body: JSON


@dataclass
class Schemas:
    """Schemas that refer to each other. `cut` counts the ways that were too deep to be gone."""

    definitions: dict[str, dict]
    canary: str = CANARY
    cut: int = 0
    _smallest: dict[str, JSON] = field(default_factory=dict)

    def places(self, schema: dict) -> Iterator[Place]:
        """Every place, in the order of the schema; a way that two branches of a union share comes twice."""
        yield from self._places(schema, "", Counter(), 0)

    def _places(self, schema: dict, way: str, entered: Counter, depth: int) -> Iterator[Place]:
        if depth > DEEPEST:
            self.cut += 1
            return
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if entered[name] > AGAIN:
                self.cut += 1
                return
            yield from self._places(self.definitions[name], way, entered + Counter([name]), depth)
            return
        schema = self._joined(schema)
        for union in ("oneOf", "anyOf"):
            for at, branch in enumerate(schema.get(union, [])):
                for it in self._places(branch, f"{way}|{at}", entered, depth):
                    yield Place(it.way, self._beside(schema, it.body))
        kinds = self._kinds(schema)
        if "string" in kinds:
            yield Place(way, self.canary)
        if "array" in kinds:
            for it in self._places(schema.get("items", {}), f"{way}/0", entered, depth + 1):
                yield Place(it.way, [it.body])
        if "object" in kinds:
            yield from self._members(schema, way, entered, depth)

    def _members(self, schema: dict, way: str, entered: Counter, depth: int) -> Iterator[Place]:
        least = self.smallest(schema)
        if not isinstance(least, dict):  # the schema allows other kinds as well
            least = {}
        for name, member in schema.get("properties", {}).items():
            for it in self._places(member, f"{way}/{name}", entered, depth + 1):
                yield Place(it.way, least | {name: it.body})
        # What a schema does not name may come all the same, as a key and as a value.
        more = schema.get("additionalProperties")
        more = more if isinstance(more, dict) else {}
        yield Place(f"{way}/(key)", least | {self.canary: self.smallest(more)})
        if more:
            for it in self._places(more, f"{way}/(any)", entered, depth + 1):
                yield Place(it.way, least | {"note": it.body})
        else:
            yield Place(f"{way}/(any)", least | {"x_note": self.canary})
            yield Place(f"{way}/(any)/0/(any)", least | {"x_notes": [{"note": self.canary}]})

    def smallest(self, schema: dict) -> JSON:
        """A value that is as small as the schema allows."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in self._smallest:
                self._smallest[name] = {}  # what it is inside itself
                self._smallest[name] = self.smallest(self.definitions[name])
            return self._smallest[name]
        schema = self._joined(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        for union in ("oneOf", "anyOf"):
            for branch in schema.get(union, []):
                if branch.get("type") != "null":
                    return self._beside(schema, self.smallest(branch))
        match next(iter(self._kinds(schema)), "string"):
            case "object":
                members = schema.get("properties", {})
                wanted = [it for it in schema.get("required", []) if it in members]
                return {it: self.smallest(members[it]) for it in wanted}
            case "array":
                return [self.smallest(schema.get("items", {}))] if schema.get("minItems") else []
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return False
            case "null":
                return None
            case _:
                return "word"

    def _beside(self, schema: dict, branch: JSON) -> JSON:
        """A branch of a union with the members that stand beside the union."""
        if isinstance(branch, dict) and schema.get("properties"):
            rest = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf")}
            beside = self.smallest(rest)
            return beside | branch if isinstance(beside, dict) else branch
        return branch

    def _joined(self, schema: dict) -> dict:
        """A schema with all of `allOf` in it."""
        if "allOf" not in schema:
            return schema
        joined = {key: value for key, value in schema.items() if key != "allOf"}
        for one in schema["allOf"]:
            if "$ref" in one:
                one = self.definitions[one["$ref"].rpartition("/")[2]]
            one = self._joined(one)
            for key, value in one.items():
                if key == "properties":
                    joined["properties"] = joined.get("properties", {}) | value
                elif key in ("required", "oneOf", "anyOf"):
                    joined[key] = [*joined.get(key, []), *value]
                else:
                    joined.setdefault(key, value)
        return joined

    @staticmethod
    def _kinds(schema: dict) -> list[str]:
        """The kinds of value that a schema names; what says nothing of them takes text and objects."""
        kind = schema.get("type")
        if isinstance(kind, list):
            return kind
        if kind:
            return [kind]
        if schema.get("properties") or isinstance(schema.get("additionalProperties"), dict):
            return ["object"]
        if "items" in schema:
            return ["array"]
        if schema.get("enum"):
            return ["string"]
        return [] if "oneOf" in schema or "anyOf" in schema else ["string", "object"]


@dataclass
class Fates:
    """What became of the requests for one endpoint; `unseen` are the ways that a canary went upstream by."""

    masked: int = 0
    blocked: int = 0
    malformed: int = 0
    unseen: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    cut: int = 0

    @property
    def sent(self) -> int:
        return self.masked + self.blocked + self.malformed + len(self.unseen) + len(self.other)

    def row(self, title: str) -> str:
        counts = (self.sent, self.masked, self.blocked, self.malformed, len(self.unseen))
        return f"{title:<40}" + "".join(f"{it:>11}" for it in counts) + f"{self.cut:>11}"


# The path of each request that a schema of `schemas/` is about.
ENDPOINTS = {
    "anthropic-messages": "/v1/messages",
    "gemini-generate-content": "/v1beta/models/scripted-1:generateContent",
    "ollama-chat": "/api/chat",
}


@contextmanager
def world(folder: Path) -> Iterator[tuple[Gateway, Upstream]]:
    """A gateway under the starter policy, but that what cannot be read as text may pass: it must be seen all the same."""
    with Upstream(running.plain_answer) as upstream:
        with running.running(folder, upstream.url):
            pass  # makes the folder
        edit_section(folder / "policy" / "policy.yaml", "data", "uninspectable: block", "uninspectable: allow")
        with running.running(folder, upstream.url, dialects=["openai", "anthropic", "gemini", "ollama"]) as gateway:
            yield gateway, upstream


HEADER = f"{'endpoint':<40}" + "".join(
    f"{it:>11}" for it in ("requests", "masked", "blocked", "malformed", "unseen", "too deep")
)


def send(
    gateway: Gateway, upstream: Upstream, path: str, schemas: Schemas, schema: dict, always: dict | None = None
) -> Fates:
    """Sends the request for each place, one after the other, and looks at every byte that went on.

    `always` are members that a request needs though its schema does not say so.
    """
    always = always or {}
    assert_harmless_passes(gateway, upstream, path, always | schemas.smallest(schema))
    fates = Fates()
    schemas.cut = 0
    connection = http.client.HTTPConnection("127.0.0.1", running.port(gateway), timeout=30)
    for place in schemas.places(schema):
        upstream.reset()
        body = json.dumps(always | place.body, separators=(",", ":"))
        headers = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        went = upstream.raw()
        if CARD.found_in(went.decode("utf-8", "replace")):
            fates.unseen.append(place.way)
        elif went:
            fates.masked += 1
        elif answer.status == 400:
            fates.malformed += 1
        elif answer.getheader("ordain-decision") == "block":
            fates.blocked += 1
        else:
            fates.other.append(f"{place.way}: {answer.status}")
    connection.close()
    fates.cut = schemas.cut
    return fates


def assert_harmless_passes(gateway: Gateway, upstream: Upstream, path: str, body: dict) -> None:
    """Without a canary the request goes upstream, so that what stops the others is the canary or the way to it."""
    upstream.reset()
    answer = bare.ask(
        running.port(gateway), running.request(gateway, json.dumps(body).encode(), path=path)
    )
    assert upstream.requests, f"a harmless request is not sent on: {answer}"
