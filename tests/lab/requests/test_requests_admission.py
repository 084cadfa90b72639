"""Registering: finding out how an address is shown to be somebody's own, reading the letter, signing in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from nines.lab.requests.confirming import Confirmation, codes_in, propose, schema_of_code
from nines.lab.requests.sessions import Sessions
from nines.model.contract import Answer, Body, Contract, ContractParameter, Operation, SecurityScheme
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome
from nines.model.settings import Identity, LoginSettings

SIX: dict[str, Any] = {"type": "string", "pattern": "^[0-9]{6}$"}
TEXT: dict[str, Any] = {"type": "string"}


def operation(
    id: str, method: str, path: str, *fields: str, query: tuple[str, ...] = (), secured: bool = False, **told: Any
) -> Operation:
    named = {name: told.get(name, TEXT) for name in fields}
    schema = {"type": "object", "required": list(fields), "properties": named}
    inside = tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
    return Operation(
        id=id,
        method=method,
        path=path,
        parameters=(
            *(ContractParameter(name=name, location="path", is_required=True) for name in inside),
            *(ContractParameter(name=name, location="query", is_required=True) for name in query),
        ),
        body=Body(media_type="application/json", schema=schema) if fields else None,
        answers=(Answer(status="200"),),
        security=(("bearer",),) if secured else (),
    )


KINDS = [
    (
        operation("verifyEmail", "POST", "/v1/verifications", "challenge_id", "code", code=SIX),
        LoginSettings(path="/v1/verifications", json={"challenge_id": "{answer.challenge_id}", "code": "{code}"}),
    ),
    (
        operation("verify", "POST", "/auth/verify", "token"),
        LoginSettings(path="/auth/verify", json={"token": "{code}"}),
    ),
    (
        operation("verify_email", "GET", "/auth/verify-email/{token}"),
        LoginSettings(method="GET", path="/auth/verify-email/{code}"),
    ),
    (operation("verify", "GET", "/verify/", query=("code",)), LoginSettings(method="GET", path="/verify/?code={code}")),
    (
        operation("confirm", "POST", "/users/confirm", "email", "otp"),
        LoginSettings(path="/users/confirm", json={"email": "{email}", "otp": "{code}"}),
    ),
    (
        operation("activate", "PUT", "/users/{user_id}/activation", "code"),
        LoginSettings(method="PUT", path="/users/{answer.user_id}/activation", json={"code": "{code}"}),
    ),
]


@pytest.mark.parametrize(("shown", "expected"), KINDS, ids=[f"{o.method} {o.path}" for o, _ in KINDS])
def test_how_an_address_is_confirmed_is_found_in_the_contract(shown: Operation, expected: LoginSettings) -> None:
    assert propose(Contract(operations=(shown,))).show == expected


def test_a_name_and_a_password_in_a_header_may_go_with_the_code() -> None:
    shown = Operation(
        id="activate",
        method="POST",
        path="/activation",
        body=Body(media_type="application/json", schema={"type": "object", "properties": {"code": TEXT}}),
        security=(("HTTPBasic",),),
    )
    scheme = SecurityScheme(name="HTTPBasic", kind="http", scheme="basic")
    found = propose(Contract(operations=(shown,), security_schemes=(scheme,))).show
    assert (found.path, found.headers) == ("/activation", {"authorization": "Basic {basic_email}"})
    assert found.json == {"code": "{code}"}


@pytest.mark.parametrize(
    "other",
    [
        operation("resetPassword", "POST", "/password-reset/confirm", "token", "password"),
        operation("verifyPhone", "POST", "/phone/verify", "code"),
        operation("confirmPayment", "POST", "/payments/confirm", "token"),
        operation("confirmOrder", "POST", "/orders/{order_id}/confirm", "code", secured=True),
        operation("verifyAddress", "POST", "/addresses/verify", "country_code"),
        operation("resendCode", "POST", "/verification-codes", "email"),
    ],
    ids=lambda each: each.id,
)
def test_what_confirms_something_else_is_left_alone(other: Operation) -> None:
    assert not propose(Contract(operations=(other,))).is_known


@pytest.mark.parametrize(
    ("letter", "schema", "first"),
    [
        ("Your code is 482913. It is good for 10 minutes, until 2026.", SIX, "482913"),
        ("Hello,\n\n  4 8 2\n\nCode: 482 913\n", SIX, "482913"),
        ("Follow https://shop.example/verify?token=eyJ.abc.def now", {}, "eyJ.abc.def"),
        ("Follow https://shop.example/auth/verify/0a1b2c3d4e5f60718293 now", {}, "0a1b2c3d4e5f60718293"),
        ("Call 2026 or use 731946 in room 1024.", {}, "731946"),
        ("Your PIN: 8417", {}, "8417"),
        ("Token: 3f8c0a1b-77aa-4b5e-9f00-123456789abc", {}, "3f8c0a1b-77aa-4b5e-9f00-123456789abc"),
        ("https://app.example/#/confirm?key=abc123", {}, "abc123"),
    ],
)
def test_the_code_is_found_in_letters_of_many_kinds(letter: str, schema: dict[str, Any], first: str) -> None:
    assert codes_in(letter, schema)[0] == first


def test_a_letter_without_a_code_gives_none() -> None:
    assert codes_in("Welcome to our shop!", SIX) == []


def test_the_form_of_the_code_is_read_from_the_contract() -> None:
    contract = Contract(operations=(KINDS[0][0],))
    assert schema_of_code(contract, propose(contract).show) == SIX


CONTRACT = Contract(
    operations=(
        operation("register", "POST", "/accounts", "email", "password"),
        operation("signIn", "POST", "/sessions", "email", "password"),
        operation("verifyEmail", "POST", "/verifications", "challenge_id", "code", code=SIX),
    )
)
DOOR = {"email": "{email}", "password": "{password}"}


class House:
    """A service that lets in only those who showed a code, and the letters that it sends."""

    def __init__(self, *, sends: bool = True, commits_late: bool = False) -> None:
        self.sends = sends
        self.commits_late = commits_late
        self.codes: dict[str, tuple[str, str]] = {}
        self.verified: set[str] = set()
        self.calls: list[str] = []
        self.notes: list[str] = []

    async def send(self, call: Call) -> Exchange:
        self.calls.append(call.operation)
        body = json.loads(call.body)
        status, answer = self._answer(call.operation, body)
        return Exchange(
            operation=call.operation,
            method=call.method,
            path=call.path,
            outcome=Outcome.OK if status < 400 else Outcome.FAILED,
            status=status,
            body=json.dumps(answer),
        )

    def _answer(self, what: str, body: dict[str, str]) -> tuple[int, Any]:
        if what == "register":
            challenge = f"chl_{len(self.codes)}"
            self.codes[challenge] = (body["email"], f"{482913 + len(self.codes)}")
            return 202, {"challenge_id": challenge}
        if what == "verifyEmail" and self.commits_late:
            self.commits_late = False
            return 404, {"detail": "nobody"}
        if what == "verifyEmail":
            email, code = self.codes.get(body["challenge_id"], ("", ""))
            self.verified |= {email} if code == body["code"] else set()
            return (204, None) if code == body["code"] else (422, {"detail": "wrong"})
        return (201, {"access_token": "t" * 20}) if body["email"] in self.verified else (401, {"detail": "no"})

    async def letters(self, address: str, known: int, limit_s: float) -> Sequence[str]:
        del known, limit_s
        return [f"Your code: {code}" for email, code in self.codes.values() if email == address and self.sends]

    def sessions(self, *people: str, confirmation: Confirmation | None = None) -> Sessions:
        login = LoginSettings(path="/sessions", json=DOOR, token="access_token")
        return Sessions(
            CONTRACT,
            tuple(Identity(name=name, username=f"{name}@example.com", password="long enough") for name in people),
            register=LoginSettings(path="/accounts", json=DOOR),
            login=login,
            send=self.send,
            note=self.notes.append,
            now_s=lambda: 0.0,
            confirmation=confirmation or propose(CONTRACT),
            mail=self,
        )


def test_whoever_may_not_sign_in_yet_shows_the_code_first_and_the_next_one_does_so_at_once() -> None:
    house = House()
    assert [each.name for each in asyncio.run(house.sessions("owner", "peer").open())] == ["owner", "peer"]
    assert house.calls == ["register", "signIn", "verifyEmail", "signIn", "register", "verifyEmail", "signIn"]
    assert house.notes == []


def test_newcomers_are_named_as_they_registered() -> None:
    house = House()
    sessions = house.sessions("owner")

    async def all_of_it() -> Exchange | None:
        await sessions.open()
        return await sessions.newcomer("n9abc")

    made = asyncio.run(all_of_it())
    assert made is not None
    assert (made.identity, made.marker, made.operation) == ("n9abc", "n9abc", "register")
    assert "n9abc@example.com" in house.verified
    assert sessions.known_headers("n9abc")


def test_a_code_that_came_before_the_commit_is_shown_once_more() -> None:
    house = House(commits_late=True)
    assert [each.name for each in asyncio.run(house.sessions("owner").open())] == ["owner"]
    assert house.notes == []


def test_a_part_of_a_token_is_no_code() -> None:
    token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOjV9.DV-RM-fOW-j5pNkUiO85Z2"
    assert codes_in(f"Follow https://api.example/verify/?code={token}\nor show the code {token}", {}) == [token]


def test_without_a_letter_it_is_said_what_is_wanting() -> None:
    house = House(sends=False)
    assert asyncio.run(house.sessions("owner").open()) == ()
    assert any("{mail.host}" in note for note in house.notes)
    assert any("the log-in answered 401" in note for note in house.notes)
