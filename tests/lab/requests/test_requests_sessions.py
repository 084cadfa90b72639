"""Signing in, renewing, and every way in which a credential can be wrong."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.lab.requests.filling import values_of
from nines.lab.requests.flaws import decoded, expires_s, flawed
from nines.lab.requests.login import propose
from nines.lab.requests.sessions import Sessions, with_credentials
from nines.model.contract import Contract, SecurityScheme
from nines.model.errors import LaunchError
from nines.model.experiment import Call, CredentialFlaw
from nines.model.history import Exchange, Outcome
from nines.model.settings import Identity, LoginSettings
from tests.lab.requests.documents import BANK, NAME, SHOWN, operation, thing

OWNER = Identity(name="owner", username="nines-owner@example.com", password="secret word")


def jwt(**claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.c2lnbmF0dXJl"


class Door:
    """Answers registrations and log-ins; `now_s` moves by hand."""

    def __init__(self, body: Any = None, headers: tuple[tuple[str, str], ...] = (), status: int = 200) -> None:
        self.body, self.headers, self.status = body, headers, status
        self.calls: list[Call] = []
        self.notes: list[str] = []
        self.now_s = 1_000.0
        self.accepts = "Bearer "
        self.prints: list[str] = []
        self.commands: list[tuple[str, ...]] = []

    async def send(self, call: Call) -> Exchange:
        self.calls.append(call)
        status = self.status
        if call.method == "GET":
            given_ = dict(call.headers).get("authorization", "")
            status = 200 if given_.startswith(self.accepts) else 401
        return Exchange(
            operation=call.operation,
            method=call.method,
            path=call.path,
            outcome=Outcome.OK if status < 400 else Outcome.FAILED,
            status=status,
            body=json.dumps(self.body),
            headers=self.headers,
        )

    async def run(self, words: Sequence[str]) -> str:
        self.commands.append(tuple(words))
        if not self.prints:
            raise LaunchError("it ended with exit code 1", detail="no seed")
        return self.prints.pop(0)

    def sessions(self, login: LoginSettings, register: LoginSettings | None = None, *who: Identity) -> Sessions:
        return Sessions(
            BANK,
            who or (OWNER,),
            register=register or LoginSettings(),
            login=login,
            send=self.send,
            note=self.notes.append,
            now_s=lambda: self.now_s,
            run=self.run,
        )


JSON_LOGIN = LoginSettings(path="/login", json={"user": {"email": "{email}", "password": "{password}"}}, token="data.t")


def test_registers_and_signs_in_with_the_identitys_values() -> None:
    door = Door({"data": {"t": "abc"}})
    sessions = door.sessions(JSON_LOGIN, LoginSettings(path="/users", form={"login": "{handle}"}))
    assert [each.name for each in asyncio.run(sessions.open())] == ["owner"]
    assert asyncio.run(sessions.headers("owner")) == (("authorization", "Bearer abc"),)
    assert asyncio.run(sessions.headers("")) == ()
    register, login = door.calls[0], door.calls[1]
    assert register.body == b"login=ninesowner"
    assert json.loads(login.body) == {"user": {"email": "nines-owner@example.com", "password": "secret word"}}
    assert (login.operation, login.phase) == ("POST /login", "login")


def test_a_taken_name_is_no_obstacle_but_a_refused_log_in_is_said() -> None:
    door = Door({"detail": "no"}, status=409)
    assert asyncio.run(door.sessions(JSON_LOGIN, LoginSettings(path="/users")).open()) == ()
    assert any("the log-in answered 409" in note for note in door.notes)
    silent = Door({"nothing": 1})
    assert asyncio.run(silent.sessions(JSON_LOGIN).open()) == ()
    assert any("no token" in note for note in silent.notes)


def test_cookies_and_fixed_headers() -> None:
    door = Door({}, (("set-cookie", "sid=1; HttpOnly"), ("set-cookie", "csrf=2; Path=/")))
    sessions = door.sessions(LoginSettings(path="/login"))
    asyncio.run(sessions.open())
    assert sessions.known_headers("owner") == (("cookie", "sid=1; csrf=2"),)
    fixed = Door().sessions(LoginSettings(), None, Identity(name="robot", headers={"X-Api-Key": "k"}))
    assert [each.name for each in asyncio.run(fixed.open())] == ["robot"]
    assert fixed.known_headers("robot") == (("x-api-key", "k"),)
    nobody = Door()
    assert asyncio.run(nobody.sessions(LoginSettings()).open()) == ()
    assert nobody.notes


def test_a_command_prints_the_token_of_an_issuer_elsewhere_and_is_run_again_before_it_expires() -> None:
    door = Door()
    door.prints = [f"{jwt(sub='1', exp=1_100)}\n", f"{jwt(sub='1', exp=9_000)}\n"]
    login = LoginSettings(command="python -m app.tokens --subject {username} --role {role}")
    who = Identity(name="owner", username="some body", values={"role": "customer"})
    sessions = door.sessions(login, None, who)
    assert [each.name for each in asyncio.run(sessions.open())] == ["owner"]
    assert door.commands == [("python", "-m", "app.tokens", "--subject", "some body", "--role", "customer")]
    assert asyncio.run(sessions.headers("owner")) == sessions.known_headers("owner")
    assert len(door.commands) == 1
    door.now_s = 1_080.0
    assert dict(asyncio.run(sessions.headers("owner")))["authorization"] == f"Bearer {jwt(sub='1', exp=9_000)}"
    assert door.calls == [], "nobody asks the service"


@pytest.mark.parametrize(("printed", "said"), [([], "no seed"), ([""], "must print a token"), (["a b"], "must print")])
def test_a_command_that_prints_no_token_is_noted(printed: list[str], said: str) -> None:
    door = Door()
    door.prints = printed
    assert asyncio.run(door.sessions(LoginSettings(command="tokens")).open()) == ()
    assert said in door.notes[0]


def test_a_token_is_renewed_before_it_expires() -> None:
    door = Door({"access_token": jwt(sub="1", exp=1_100)})
    sessions = door.sessions(LoginSettings(path="/login"))
    asyncio.run(sessions.open())
    before = len(door.calls)
    asyncio.run(sessions.headers("owner"))
    assert len(door.calls) == before
    door.now_s = 1_090.0
    door.body = {"access_token": jwt(sub="1", exp=2_000)}
    assert expires_s(asyncio.run(sessions.headers("owner"))) == 2_000
    assert len(door.calls) > before


def test_the_way_of_writing_the_token_is_found() -> None:
    door = Door({"token": "abc"})
    door.accepts = "Token "
    sessions = door.sessions(LoginSettings(path="/login"))
    asyncio.run(sessions.open())
    assert sessions.known_headers("owner") == (("authorization", "Token abc"),)


def test_credentials_are_added_to_a_call() -> None:
    call = Call(operation="x", method="GET", path="/", headers=(("Cookie", "a=1"), ("X", "y")))
    found = with_credentials(call, (("cookie", "sid=2"), ("authorization", "t")))
    assert dict(found.headers) == {"X": "y", "cookie": "a=1; sid=2", "authorization": "t"}
    assert with_credentials(call, ()) == call


@given(st.sampled_from(CredentialFlaw), st.text("abcdef0123456789", min_size=1, max_size=40))
def test_a_flaw_always_changes_the_credential(flaw: CredentialFlaw, text: str) -> None:
    basic = base64.b64encode(f"user:{text}".encode()).decode()
    for value in (f"Bearer {text}", f"Bearer {jwt(sub=text, exp=5_000)}", f"Basic {basic}", text):
        for name in ("authorization", "x-api-key"):
            wrong = flawed(((name, value),), flaw, 1_000)
            assert wrong != ((name, value),)
            assert (wrong == ()) == (flaw is CredentialFlaw.NONE)
            assert all(each.split(" ")[0] in ("Bearer", "Basic") for _, each in wrong if " " in each)


def test_what_each_flaw_does_to_a_token() -> None:
    token = jwt(sub="7", exp=5_000)

    def made(flaw: CredentialFlaw) -> tuple[dict[str, Any], dict[str, Any], str]:
        value = flawed((("authorization", f"Bearer {token}"),), flaw, 1_000)[0][1].removeprefix("Bearer ")
        parts = decoded(value)
        assert parts is not None
        return (*parts, value.rpartition(".")[2])

    signature = token.rpartition(".")[2]
    assert made(CredentialFlaw.TAMPERED) == ({"alg": "HS256", "typ": "JWT"}, {"sub": "70", "exp": 5_000}, signature)
    header, claims, empty = made(CredentialFlaw.UNSIGNED)
    assert (header["alg"], claims["sub"], empty) == ("none", "7", "")
    header, claims, other = made(CredentialFlaw.EXPIRED)
    assert claims["exp"] < 1_000
    assert other not in ("", signature)


def test_cookies_are_flawed_one_by_one() -> None:
    wrong = flawed((("cookie", "sid=abcdef; csrf=123456"),), CredentialFlaw.TAMPERED, 1_000)
    assert wrong[0][1].count("=") == 2
    assert wrong[0][1].startswith("sid=")
    assert "abcdef" not in wrong[0][1]


def test_proposes_registration_and_log_in() -> None:
    register, login = propose(BANK)
    assert register.json == {"email": "{email}", "password": "{password}"}
    assert (login.path, login.json) == ("/login", {"email": "{email}", "password": "{password}"})
    assert values_of(OWNER)["email"] == "nines-owner@example.com"
    assert values_of(Identity(name="o", username="bob-smith"))["handle"] == "bob-smith"


def test_proposes_the_password_flow_by_its_token_url() -> None:
    contract = Contract(
        operations=(
            operation("POST", "/api/v1/users/signup", body=thing(email=NAME, password=NAME), security=()),
            operation(
                "POST",
                "/api/v1/login/access-token",
                body=thing(["username", "password"], username=NAME, password=NAME, grant_type={"type": "string"}),
                media="application/x-www-form-urlencoded",
                shows=thing(access_token=NAME),
                security=(),
            ),
            operation("POST", "/api/v1/reset-password", body=thing(token=NAME, new_password=NAME), security=()),
        ),
        security_schemes=(SecurityScheme(name="o", kind="oauth2", token_url="/api/v1/login/access-token"),),
    )
    register, login = propose(contract)
    assert register.path == "/api/v1/users/signup"
    assert login.form == {"username": "{email}", "password": "{password}", "grant_type": "password"}
    assert login.token == "access_token"


@pytest.mark.parametrize(("wrapped", "token"), [(True, "user.token"), (False, "token")])
def test_proposes_wrapped_bodies(wrapped: bool, token: str) -> None:
    inner, shown = thing(email=NAME, password=NAME), thing(token=NAME)
    contract = Contract(
        operations=(
            operation(
                "POST",
                "/users/login",
                body=thing(user=inner) if wrapped else inner,
                shows=thing(user=shown) if wrapped else shown,
                security=(),
            ),
        )
    )
    register, login = propose(contract)
    assert register == LoginSettings()
    assert login.token == token
    filled = login.json["user"] if wrapped else login.json
    assert filled == {"email": "{username}", "password": "{password}"}


def test_proposes_nothing_where_nothing_is_told() -> None:
    assert propose(Contract(operations=(operation("GET", "/x", shows=SHOWN),))) == (LoginSettings(), LoginSettings())


BASIC = SecurityScheme(name="basic", kind="http", scheme="basic")
REGISTER = operation("POST", "/users", body=thing(username=NAME, password=NAME), security=())


def test_a_token_is_given_for_basic_credentials() -> None:
    door = operation("POST", "/tokens", shows=thing(access_token=NAME), security=(("basic",),))
    contract = Contract(operations=(REGISTER, door), security_schemes=(BASIC,))
    register, login = propose(contract)
    assert (register.path, login.path, login.token) == ("/users", "/tokens", "access_token")
    given_ = Door({"access_token": "abc"})
    sessions = given_.sessions(login, None, Identity(name="owner", username="me", password="secret"))
    asyncio.run(sessions.open())
    sent = dict(given_.calls[0].headers)["authorization"]
    assert sent == "Basic " + base64.b64encode(b"me:secret").decode()
    assert sessions.known_headers("owner") == (("authorization", "Bearer abc"),)


@pytest.mark.parametrize(("accepts", "signed_in"), [("Basic ", ["owner"]), ("Bearer ", [])])
def test_basic_credentials_come_with_every_request_where_nobody_signs_in(accepts: str, signed_in: list[str]) -> None:
    contract = Contract(
        operations=(REGISTER, operation("GET", "/things", shows=SHOWN, security=(("basic",),))),
        security_schemes=(BASIC,),
    )
    _, login = propose(contract)
    assert (login.path, login.headers) == ("", {"authorization": "Basic {basic_handle}"})
    door = Door({})
    door.accepts = accepts
    assert [each.name for each in asyncio.run(door.sessions(login).open())] == signed_in
