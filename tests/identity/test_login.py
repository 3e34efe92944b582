"""`ordain login`, `ordain token` and `ordain logout`, as a person uses them, against a certified provider."""

import base64
import json
import stat
import time
from pathlib import Path

from conftest import Home, Provider, approve
from rig import answers
from rig.gateway import Gateway
from rig.upstream import Answer, Seen, Upstream
from scripted import Scripted


def _wanted(provider: Provider) -> list[str]:
    return ["--issuer", provider.issuer, "--client-id", "ordain", "--audience", provider.audience]


def _claims(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_person_signs_in_and_gets_a_token_for_the_gateway(home: Home, provider: Provider) -> None:
    said = home.sign_in(*_wanted(provider))
    assert said["signed_in"] and said["renewable"] and said["issuer"] == provider.issuer
    token = home.run("token")
    assert token.returncode == 0, token.stderr
    claims = _claims(token.stdout.strip())
    assert (claims["iss"], claims["aud"], claims["sub"]) == (provider.issuer, provider.audience, "ann@northwind.example")
    # A token that is good is not asked for again.
    assert home.run("token").stdout == token.stdout


def test_what_is_kept_is_for_its_owner_alone_and_shown_to_nobody(home: Home, provider: Provider) -> None:
    home.sign_in(*_wanted(provider))
    kept = json.loads(home.file.read_text())
    assert stat.S_IMODE(home.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.file.parent.stat().st_mode) == 0o700
    assert {path.name for path in home.file.parent.iterdir()} == {"login.json", "login.lock"}
    for arguments in [("login", "--status"), ("login", "--status", "--format", "json")]:
        shown = home.run(*arguments)
        assert shown.returncode == 0 and provider.issuer in shown.stdout
        assert kept["access_token"] not in shown.stdout and kept["refresh_token"] not in shown.stdout
    home.file.chmod(0o644)
    refused = home.run("token")
    assert refused.returncode == 2 and "can be read by others (mode 0644)" in refused.stderr


def test_a_token_that_runs_out_is_renewed_whoever_asks_at_once(home: Home, brief: Provider) -> None:
    home.sign_in(*_wanted(brief))
    first = json.loads(home.file.read_text())
    # A refresh token works once here: those who ask at the same time must not both use it.
    asking = [home.begin("token") for _ in range(4)]
    tokens = [process.communicate(timeout=60)[0].strip() for process in asking]
    assert [process.returncode for process in asking] == [0] * 4
    assert len(set(tokens)) == 4 and first["access_token"] not in tokens
    assert json.loads(home.file.read_text())["refresh_token"] != first["refresh_token"]


def test_signing_out_tells_the_issuer_and_leaves_nothing(home: Home, brief: Provider, tmp_path: Path) -> None:
    home.sign_in(*_wanted(brief))
    copy = home.file.read_text()
    out = home.run("logout")
    assert (out.returncode, out.stdout) == (0, "signed out, and the issuer knows\n")
    assert not home.file.exists()
    assert home.run("login", "--status").returncode == 1
    assert home.run("token").returncode == 1
    # A copy of what was kept is worth nothing any more.
    thief = Home(tmp_path / "thief")
    thief.file.parent.mkdir(parents=True)
    thief.file.write_text(copy)
    thief.file.chmod(0o600)
    refused = thief.run("token")
    assert (refused.returncode, refused.stdout) == (1, "") and "ordain login" in refused.stderr


def test_a_gateway_says_how_to_sign_in_for_it(home: Home, provider: Provider, tmp_path: Path) -> None:
    def answer(_seen: Seen) -> Answer:
        return answers.chat({"content": "All is well."})

    with Upstream(answer) as upstream, Gateway.start(tmp_path / "ordain", {"openai": upstream.url}) as gateway:
        silent = home.run("login", "--gateway", gateway.url)
        assert silent.returncode == 2 and "does not say how to sign in" in silent.stderr
    config = tmp_path / "ordain" / "ordain.yaml"
    config.write_text(
        config.read_text()
        + f"login: {{issuer: {json.dumps(provider.issuer)}, client_id: ordain, audience: {json.dumps(provider.audience)}}}\n"
    )
    with Gateway.start(tmp_path / "ordain", {}) as gateway:
        assert home.sign_in("--gateway", gateway.url)["signed_in"]
    # And again, without saying with whom.
    assert home.sign_in()["signed_in"]


def test_the_code_is_shown_and_a_no_is_taken_for_one(home: Home, provider: Provider) -> None:
    process = home.begin("login", *_wanted(provider))
    lines = [process.stdout.readline(), process.stdout.readline()]
    assert lines[0].startswith(f"Open {provider.issuer}/device and enter the code ")
    page = approve(lines[1].removeprefix("or open ").strip(), "bo@northwind.example")
    assert "successful" in page
    said, trouble = process.communicate(timeout=60)
    assert process.returncode == 0, trouble
    assert "OPENAI_API_KEY=$(ordain token)" in said


TOKENS = {"access_token": "a-token", "refresh_token": "r-token", "token_type": "Bearer", "expires_in": 300}
PENDING = (400, {"error": "authorization_pending"})


def _sign_in(home: Home, issuer: Scripted) -> tuple[int, str, float]:
    began = time.monotonic()
    done = home.run("login", "--issuer", issuer.issuer, "--client-id", "ordain")
    return done.returncode, done.stderr, time.monotonic() - began


def test_it_asks_at_the_issuers_pace(home: Home) -> None:
    with Scripted([PENDING, (400, {"error": "slow_down"}), (200, TOKENS)]) as issuer:
        code, trouble, took = _sign_in(home, issuer)
    assert code == 0, trouble
    # Twice after one second, and once after five more.
    assert 8 <= took < 20
    assert issuer.forms[0] == "client_id=ordain&scope=openid%20offline_access"
    assert all("device_code=secret-device-code" in form for form in issuer.forms[1:])


def test_what_ends_a_sign_in_is_said(home: Home) -> None:
    for answer, said in [
        ((400, {"error": "access_denied"}), "the sign-in was denied"),
        ((400, {"error": "expired_token"}), "the code has run out"),
        ((401, {"error": "invalid_client", "error_description": "\x1b[2J"}), "the issuer refuses: invalid_client"),
        ((500, {}), "the issuer refuses: status 500"),
        ((200, {**TOKENS, "token_type": "DPoP"}), "a kind other than `Bearer`"),
        ((200, {**TOKENS, "access_token": "a\r\nx: y"}), "no `access_token`"),
    ]:
        with Scripted([answer]) as issuer:
            code, trouble, _ = _sign_in(home, issuer)
        assert code == 2 and said in trouble, trouble
        assert "secret-device-code" not in trouble and "\x1b" not in trouble
        assert not home.file.exists()


def test_an_issuer_that_cannot_be_trusted_is_not_asked(home: Home) -> None:
    for changed, said in [
        ({"issuer": "https://other.example"}, "its `issuer` is another"),
        ({"token_endpoint": "http://login.example/token"}, "no https address"),
        ({"device_authorization_endpoint": "ftp://login.example/"}, "no https address"),
        ({"device_authorization_endpoint": None}, "not enabled there"),
    ]:
        with Scripted([], **changed) as issuer:
            code, trouble, _ = _sign_in(home, issuer)
        assert code == 2 and said in trouble, trouble
        assert issuer.forms == []
    refused = home.run("login", "--issuer", "http://login.example", "--client-id", "x")
    assert refused.returncode == 2 and "no https address" in refused.stderr


def test_an_address_that_no_browser_should_open_is_not_shown(home: Home) -> None:
    for address in ["javascript:alert(1)", "http://evil.example/", "https://login.example/\x1b]0;x\x07"]:
        with Scripted([]) as issuer:
            issuer.begun["verification_uri"] = address
            code, trouble, _ = _sign_in(home, issuer)
        assert code == 2 and "no `verification_uri` that can be opened" in trouble, trouble
