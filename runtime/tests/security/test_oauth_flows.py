"""OAuth from both sides: what a client sends, and what somebody sends who is none."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.security.oauth import (
    AuthorizationRequest,
    KeptCode,
    OAuthClient,
    OAuthRefused,
    TokenRequest,
    authorization_url,
    challenge_of,
    check_client,
    client_scopes,
    new_code,
    new_verifier,
    read_authorization,
    read_token_request,
    redeem,
    token_answer,
)
from nines_runtime.security.secret import Secret

ISSUER = "https://login.example"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECRET = Secret.new("cs")
APP = OAuthClient(
    id="app", redirects=("https://app.example/back", "http://127.0.0.1/back"), scopes=frozenset({"read", "write"})
)
SERVICE = OAuthClient(id="service", scopes=frozenset({"read"}), secret_digest=SECRET.digest)
CLIENTS = {"app": APP, "service": SERVICE}


def asked(verifier: str, **changes: str) -> str:
    url = authorization_url(
        f"{ISSUER}/authorize?x=1",
        client="app",
        redirect="https://app.example/back",
        challenge=challenge_of(verifier),
        state="s 1",
        scopes=["read"],
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} | changes
    query.pop("x")
    return urlencode({name: value for name, value in query.items() if value})


def granted(verifier: str, subject: str = "ada") -> tuple[Secret, KeptCode]:
    return new_code(read_authorization(asked(verifier), CLIENTS, issuer=ISSUER), subject, now=NOW)


def request(secret: Secret, verifier: str, **changes: str) -> TokenRequest:
    fields = {
        "grant_type": "authorization_code",
        "client_id": "app",
        "code": secret.text,
        "code_verifier": verifier,
        "redirect_uri": "https://app.example/back",
    }
    return read_token_request(urlencode(fields | changes).encode())


def test_the_whole_way() -> None:
    verifier = new_verifier()
    wish = read_authorization(asked(verifier), CLIENTS, issuer=ISSUER)
    assert (wish.client, wish.scopes, wish.state) == ("app", ("read",), "s 1")
    code, kept = new_code(wish, "ada", now=NOW)
    back = wish.granted(code.text, issuer=ISSUER)
    assert back.startswith("https://app.example/back?")
    assert parse_qs(urlsplit(back).query) == {"code": [code.text], "state": ["s 1"], "iss": [ISSUER]}
    token = request(code, verifier)
    assert check_client(token, CLIENTS.get(token.client)) is APP
    assert redeem(token, kept, now=NOW + timedelta(seconds=59)).subject == "ada"
    body = json.loads(token_answer("at", expires_in_s=600.9, refresh_token="rt_1", scopes=kept.scopes))
    assert body == {
        "access_token": "at",
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": "rt_1",
        "scope": "read",
    }
    assert code.text not in f"{kept} {token!r}"


def test_the_challenge_of_rfc_7636() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "other"},
        {"client_id": ""},
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": "https://app.example/back/../evil"},
        {"redirect_uri": "https://app.example/back?x=1"},
        {"redirect_uri": "https://app.example.evil/back"},
        {"redirect_uri": "http://127.0.0.1:8080/other"},
        {"redirect_uri": "http://127.0.0.1:99999/back"},
        {"redirect_uri": "http://user@127.0.0.1/back"},
        {"redirect_uri": "http://localhost/back"},
        {"redirect_uri": ""},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(changes: dict[str, str]) -> None:
    with pytest.raises(OAuthRefused) as caught:
        read_authorization(asked(new_verifier(), **changes), CLIENTS, issuer=ISSUER)
    assert (caught.value.error, caught.value.redirect, caught.value.status) == ("invalid_request", "", 400)


def test_an_app_on_a_laptop_may_use_any_port() -> None:
    query = asked(new_verifier(), redirect_uri="http://127.0.0.1:51004/back")
    assert read_authorization(query, CLIENTS, issuer=ISSUER).redirect == "http://127.0.0.1:51004/back"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "read  write"}, "invalid_scope"),
    ],
)
def test_other_wishes_are_refused_and_sent_back(changes: dict[str, str], error: str) -> None:
    with pytest.raises(OAuthRefused) as caught:
        read_authorization(asked(new_verifier(), **changes), CLIENTS, issuer=ISSUER)
    back = parse_qs(urlsplit(caught.value.redirect).query)
    assert (caught.value.error, back["error"], back["state"], back["iss"]) == (error, [error], ["s 1"], [ISSUER])


def test_somebody_who_says_no() -> None:
    wish = read_authorization(asked(new_verifier()), CLIENTS, issuer=ISSUER)
    assert "error=access_denied" in wish.denied(issuer=ISSUER)
    assert isinstance(wish, AuthorizationRequest)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": new_verifier()},
        {"code_verifier": ""},
        {"code_verifier": "short"},
        {"client_id": "service"},
        {"redirect_uri": "http://127.0.0.1/back"},
        {"code": Secret.new("ac").text},
    ],
)
def test_a_code_is_worth_nothing_to_others(changes: dict[str, str]) -> None:
    verifier = new_verifier()
    code, kept = granted(verifier)
    with pytest.raises(OAuthRefused) as caught:
        redeem(request(code, verifier, **changes), kept, now=NOW)
    assert (caught.value.error, caught.value.description) == ("invalid_grant", "The code does not hold.")


def test_a_code_ends_soon_and_an_unknown_one_looks_the_same() -> None:
    verifier = new_verifier()
    code, kept = granted(verifier)
    for found, now in ((kept, NOW + timedelta(seconds=61)), (None, NOW)):
        with pytest.raises(OAuthRefused) as caught:
            redeem(request(code, verifier), found, now=now)
        assert caught.value.error == "invalid_grant"


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def test_a_service_shows_its_secret_in_either_place() -> None:
    form = b"grant_type=client_credentials&scope=read"
    for token in (
        read_token_request(form, basic("service", SECRET.text)),
        read_token_request(form + f"&client_id=service&client_secret={SECRET.text}".encode()),
    ):
        assert client_scopes(token, check_client(token, CLIENTS.get(token.client))) == ("read",)
        assert SECRET.text not in repr(token)


@pytest.mark.parametrize(
    "authorization",
    [basic("service", "wrong"), basic("service", ""), basic("nobody", "x"), basic("app", "x"), "Basic !", "Bearer x"],
)
def test_a_client_that_is_not_who_it_says(authorization: str) -> None:
    def ask() -> None:
        token = read_token_request(b"grant_type=client_credentials", authorization)
        check_client(token, CLIENTS.get(token.client))

    with pytest.raises(OAuthRefused) as caught:
        ask()
    assert (caught.value.error, caught.value.status) == ("invalid_client", 401)
    assert (b"www-authenticate", b'Basic realm="token"') in caught.value.headers
    assert json.loads(caught.value.body) == {"error": "invalid_client"}


def test_public_clients_have_no_credentials_of_their_own() -> None:
    token = read_token_request(b"grant_type=client_credentials&client_id=app")
    with pytest.raises(OAuthRefused, match="unauthorized_client"):
        client_scopes(token, check_client(token, APP))


@pytest.mark.parametrize(
    ("body", "authorization"),
    [
        (b"", ""),
        (b"grant_type=x", ""),
        (b"client_id=app", ""),
        (b"grant_type=a&grant_type=b&client_id=app", ""),
        (b"grant_type=a&client_id=app&client_secret=x", basic("app", "x")),
        (b"grant_type=a&client_id=other", basic("app", "x")),
        (b"\xff", ""),
        (b"grant_type=" + b"x" * 3_000, ""),
        (b"&".join(b"a%d=1" % each for each in range(40)), ""),
        (b"grant_type=%ff&client_id=app", ""),
    ],
)
def test_requests_that_cannot_be_read(body: bytes, authorization: str) -> None:
    with pytest.raises(OAuthRefused) as caught:
        read_token_request(body, authorization)
    assert caught.value.error == "invalid_request"


@given(st.binary(max_size=200), st.text(max_size=60))
def test_whatever_comes_is_refused_or_read(body: bytes, authorization: str) -> None:
    for reading in (
        lambda: read_token_request(body, authorization),
        lambda: read_authorization(authorization, CLIENTS, issuer=ISSUER),
    ):
        outcome: Any = None
        try:
            outcome = reading()
        except OAuthRefused as refused:
            outcome = refused
        assert outcome is not None
