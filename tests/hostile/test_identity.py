"""Threat C5: who asks is known by the key alone; no header of a client makes it somebody else, and none goes upstream.

Every header of the list names somebody whom the directory knows, and who may do more. The record says the same person
and groups as without it, and the upstream gets the same headers as without it.
"""

import pytest

from bare import Answer
from conftest import World
from process import comes_true
from running import OTHER, PROVIDER_KEY, key_of_another, prompt, request, upstream_headers

BODY = prompt("Good morning.")

NAMES = [
    "X-User",
    "X-User-Id",
    "X-User-Name",
    "X-User-Email",
    "X-Username",
    "X-Email",
    "X-Remote-User",
    "Remote-User",
    "REMOTE_USER",
    "X-Authenticated-User",
    "X-Authenticated-Userid",
    "X-Auth-User",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-WebAuth-User",
    "X-MS-Client-Principal",
    "X-MS-Client-Principal-Name",
    "X-Goog-Authenticated-User-Email",
    "X-Amzn-Oidc-Identity",
    "X-Amzn-Oidc-Data",
    "X-Token-Subject",
    "X-Subject",
    "X-Sub",
    "X-Principal",
    "X-Groups",
    "X-Roles",
    "X-Tenant",
    "X-Tenant-Id",
    "X-On-Behalf-Of",
    "Impersonate-User",
    "Impersonate-Group",
    "X-Impersonate-User",
    "X-Proxy-User",
    "From",
    "X-Forwarded-For",
    "X_Forwarded_For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-By",
    "X-Original-Forwarded-For",
    "Forwarded",
    "X-Real-IP",
    "X_Real_IP",
    "X-Client-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-Cluster-Client-IP",
    "X-Azure-ClientIP",
    "Client-IP",
    "Via",
    "X-Client-Cert",
    "X_Client_Cert",
    "X-SSL-Client-Cert",
    "X-SSL-Client-Verify",
    "X-SSL-Client-S-DN",
    "SSL_CLIENT_S_DN",
    "X-Client-DN",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Tls-Client-Cert",
    "X-ARR-ClientCert",
    "Client-Cert",
    "Client-Cert-Chain",
    "OpenAI-Organization",
    "OpenAI_Organization",
    "OpenAI-Project",
    "Anthropic-Organization-Id",
    "X-Goog-User-Project",
    "X-Stainless-Helper",
    "Cookie",
    "Proxy-Authorization",
    "X-Authorization",
    "X-Original-Authorization",
    "X-Access-Token",
    "X-Auth-Token",
    "X_API_Key",
    "Authorization2",
    "Ordain-User",
    "Ordain-Principal",
    "Ordain-Subject",
    "Ordain-Groups",
    "Ordain-Client",
    "Ordain-Key",
    "Ordain-Record",
    "Ordain-Decision",
    "Ordain-Policy",
    "X-Ordain-User",
    "X-Request-Id",
    "Traceparent",
    "Baggage",
    "Host2",
]


def identity(world: World, answer: Answer) -> tuple[object, ...]:
    """Who it was, as the record has it."""
    intent = world.records_of(answer)[0]
    return intent["subject"], intent["who"], intent["to"], intent["decision"]


@pytest.fixture(scope="module")
def own(module_world: World) -> tuple[object, ...]:
    """Who asks, when nothing says otherwise."""
    return identity(module_world, module_world.ask(request(module_world.gateway, BODY)))


@pytest.fixture(scope="module")
def other_key(module_world: World) -> str:
    """A key of somebody else, in force."""
    key = key_of_another(module_world.folder)
    raw = request(module_world.gateway, BODY).replace(module_world.gateway.key.encode(), key.encode())
    # The gateway looks for new keys every half second.
    assert comes_true(lambda: module_world.ask(raw).status == 200, 5)
    return key


def assert_still(world: World, own: tuple[object, ...], *lines: str) -> None:
    answer = world.ask(request(world.gateway, BODY, *lines))
    assert answer.status == 200, answer
    assert identity(world, answer) == own
    seen = world.upstream.only()
    assert seen.headers == upstream_headers(world.upstream, answer, BODY)
    assert OTHER.encode() not in world.upstream.raw()


def test_the_list_is_closed() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 80


@pytest.mark.parametrize("name", NAMES)
def test_a_header_changes_nobody(world: World, own: tuple[object, ...], name: str) -> None:
    assert_still(world, own, f"{name}: {OTHER}")


@pytest.mark.parametrize("name", ["X-User", "X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-Cert", "Cookie"])
def test_nor_does_it_twice(world: World, own: tuple[object, ...], name: str) -> None:
    assert_still(world, own, f"{name}: you@example.com", f"{name}: {OTHER}", f"{name.lower()}: {OTHER}, {OTHER}")


def test_nor_do_all_of_them(world: World, own: tuple[object, ...]) -> None:
    for at in range(0, len(NAMES), 50):
        world.upstream.reset()
        assert_still(world, own, *(f"{it}: {OTHER}" for it in NAMES[at : at + 50]))


LIKE_A_KEY = [
    "X_API_Key",
    "X-Api_Key",
    "X-ApiKey",
    "Authorization_",
    "X-Authorization",
    "Proxy-Authorization",
]


@pytest.mark.parametrize("name", [*LIKE_A_KEY, "Cookie", "Sec-WebSocket-Protocol", "Authentication", "Token"])
def test_a_key_in_another_place_is_none(world: World, own: tuple[object, ...], other_key: str, name: str) -> None:
    assert_still(world, own, f"{name}: {other_key}", f"{name}: Bearer {other_key}")
    raw = request(world.gateway, BODY, f"{name}: {other_key}").replace(b"\r\nAuthorization:", b"\r\nX-Was:")
    world.upstream.reset()
    assert world.ask(raw).status == 401
    assert world.upstream.raw() == b""


def assert_own_or_refused(world: World, own: tuple[object, ...], raw: bytes) -> None:
    """Two credentials: the first one counts, or the request is refused. The second never does."""
    answer = world.ask(raw)
    if answer.status == 200:
        assert identity(world, answer)[0] == own[0]
        assert world.upstream.only().headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    else:
        assert answer.status in (400, 401)
        assert world.upstream.raw() == b""


def test_a_second_key_changes_nobody(world: World, own: tuple[object, ...], other_key: str) -> None:
    places = ["Authorization: Bearer {}", "X-Api-Key: {}", "authorization: {}", "Api-Key: {}", "X-Goog-Api-Key: {}"]
    for line in (place.format(other_key) for place in places):
        world.upstream.reset()
        assert_own_or_refused(world, own, request(world.gateway, BODY, line))


def test_a_good_key_does_not_mend_a_bad_one(world: World) -> None:
    good = world.gateway.key
    bad = good[:-1] + ("a" if good[-1] != "a" else "b")
    spoilt = request(world.gateway, BODY, f"Authorization: Bearer {good}", f"X-Api-Key: {good}")
    answer = world.ask(spoilt.replace(f"Bearer {good}".encode(), f"Bearer {bad}".encode(), 1))
    assert answer.status in (400, 401)
    assert world.upstream.raw() == b""


MALFORMED = [
    "Bearer {0}, Bearer {0}",
    "Bearer {0} x",
    "Bearer  {0}",
    "Bearer\t{0}",
    "Basic {0}",
    "{0}",
    "Bearer {0}\xff",
]
MALFORMED += ["Bearer", "Bearer ", 'Bearer "{0}"', "Bearer {0};x", "Token {0}", "Bearer %20{0}", "Bearer={0}"]


@pytest.mark.parametrize("value", MALFORMED)
def test_a_credential_is_taken_to_the_letter(world: World, value: str) -> None:
    raw = request(world.gateway, BODY).replace(
        f"Authorization: Bearer {world.gateway.key}".encode(),
        f"Authorization: {value.format(world.gateway.key)}".encode("latin-1"),
    )
    assert world.ask(raw).status == 401
    assert world.upstream.raw() == b""


def test_the_clients_key_goes_nowhere(world: World) -> None:
    """In whatever way it is shown, in both dialects."""
    for path, line in (("/v1/chat/completions", "Authorization: Bearer {}"), ("/v1/messages", "X-Api-Key: {}")):
        world.upstream.reset()
        body = BODY[:-1] + b',"max_tokens":9}'
        raw = request(world.gateway, body, path=path).replace(
            f"Authorization: Bearer {world.gateway.key}".encode(), line.format(world.gateway.key).encode()
        )
        answer = world.ask(raw)
        assert answer.status == 200, answer
        assert world.gateway.key.encode() not in world.upstream.raw()
        assert PROVIDER_KEY.encode() in world.upstream.raw()


PASSED = {
    "accept": "text/plain",
    "user-agent": "hostile/1.0",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "a, b",
    "openai-beta": "assistants=v2",
}


def test_what_says_how_to_read_the_body_is_passed_on(world: World) -> None:
    answer = world.ask(request(world.gateway, BODY, *(f"{name}: {value}" for name, value in PASSED.items())))
    seen = world.upstream.only()
    assert seen.headers == upstream_headers(world.upstream, answer, BODY) | PASSED


@pytest.mark.parametrize(
    "line",
    [
        "Content-Type: text/html",
        "Content-Type: application/json; charset=utf-16",
        "Accept-Encoding: gzip, br, zstd",
        "TE: gzip, trailers",
    ],
)
def test_how_a_body_is_sent_on_is_the_gateways_word(world: World, own: tuple[object, ...], line: str) -> None:
    assert_still(world, own, line)
