"""Signing in and out: no answer tells whether somebody has an account (OWASP API2:2023)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nines.model.blueprint import OF_ACCOUNTS, Action, Authentication, Blueprint, Field, FieldKind, Resource
from nines.model.contract import Schema
from nines.model.design import Shape
from nines.planning.data import accounts, facts
from nines.planning.interface import examples
from nines.planning.interface.naming import own
from nines.planning.interface.schemas import closed, name_of, nullable, of_field, opened, password, reference
from nines.planning.interface.shapes import of_create

CODE_LIFETIME_S = 600
SESSIONS_MAX = 100
"""The newest of an account are listed."""
CODE_DIGITS = 6
TOKEN_LENGTH_MAX = 2_048
CHALLENGE = "chl_01b8e0949b2e7b0ca4f1d2e3c5b6a798"
SESSION = "sn_01b8e0949b2e7c41a5d3f8096e2b7c14"
SESSION_ID: Schema = {"type": "string", "pattern": "^sn_[0-9a-f]{32}$"}
_CHALLENGE: Schema = {"type": "string", "pattern": "^chl_[0-9a-f]{32}$"}
_CODE: Schema = {"type": "string", "pattern": f"^[0-9]{{{CODE_DIGITS}}}$"}
_TOKEN: Schema = {"type": "string", "maxLength": TOKEN_LENGTH_MAX}
_REFRESH_TOKEN = "rt_hVJ0x2n3p8QmT5sK7wYc1R4dLzB6eGfU9aXoNiPqAEk"  # noqa: S105 -- an example.
_ACCESS_TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3IifQ.c2lnbmF0dXJl"  # noqa: S105 -- an example.


_ASKING = {Action.REQUEST_RESET: "ResetRequest", Action.REQUEST_SIGN_IN: "SignInCodeRequest"}


def request(action: Action, blueprint: Blueprint) -> Shape | None:
    """What the caller sends."""
    account = facts.account_of(blueprint)
    login, secret = _login(account), _password(account)
    match action:
        case Action.REGISTER:
            return of_create(account, blueprint) if account else None
        case Action.SIGN_IN:
            return _sign_in(login, secret, blueprint)
        case Action.REFRESH:
            return _body("RefreshRequest", {"refresh_token": _TOKEN}, {"refresh_token": _REFRESH_TOKEN})
        case Action.SEND_CODE:
            # By the challenge of a registration, and not by the name: it tells nothing about who has an account.
            return _body("CodeRequest", {"challenge_id": _CHALLENGE}, {"challenge_id": CHALLENGE})
        case Action.REQUEST_RESET | Action.REQUEST_SIGN_IN:
            return _asking(_ASKING[action], login, blueprint)
        case _:
            return _with_code(action, secret, blueprint)


def _with_code(action: Action, secret: Field, blueprint: Blueprint) -> Shape | None:
    match action:
        case Action.VERIFY_CODE:
            members = {"challenge_id": _CHALLENGE, "code": _CODE}
            return _body("Verification", members, {"challenge_id": CHALLENGE, "code": "482913"})
        case Action.RESET_PASSWORD:
            members = {"code": _CODE, name_of(secret): password(secret, blueprint)}
            example = {"code": "482913", name_of(secret): examples.value(secret, blueprint)}
            return _body("PasswordReset", members, example)
        case Action.SIGN_IN_BY_CODE:
            return _by_code(blueprint)
        case _:
            return None


def answer(action: Action, blueprint: Blueprint) -> Shape | None:
    """What a success holds; nothing for those that end something."""
    if action in (Action.SIGN_IN, Action.SIGN_IN_BY_CODE, Action.REFRESH):
        return signed_in(blueprint) if facts.keeps_sessions(blueprint) else tokens(blueprint)
    if action is Action.LIST_SESSIONS:
        return open_sessions()[1]
    if action is Action.REGISTER and not facts.uses(blueprint, Action.VERIFY_CODE):
        return None
    if action in (Action.REGISTER, Action.SEND_CODE, Action.REQUEST_RESET, Action.REQUEST_SIGN_IN):
        return challenge()
    return None


def shapes(blueprint: Blueprint) -> Iterator[Shape]:
    for operation in blueprint.operations:
        if operation.do in OF_ACCOUNTS:
            if operation.do is Action.LIST_SESSIONS:
                yield open_sessions()[0]
            yield from (each for each in (request(operation.do, blueprint), answer(operation.do, blueprint)) if each)


def tokens(blueprint: Blueprint) -> Shape:
    """The members of RFC 6749, 5.1."""
    members: dict[str, Schema] = {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "const": "Bearer"},
        "expires_in": {"type": "integer", "minimum": 1, "description": "Seconds."},
        "refresh_token": {"type": "string", "description": "Works once; each use gives the next one."},
    }
    example = {
        "access_token": _ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": int((blueprint.auth or Authentication()).token_ttl_s),
        "refresh_token": _REFRESH_TOKEN,
    }
    return Shape(name=own("Tokens"), schema=opened(members, tuple(members)), example=example)


def open_sessions() -> tuple[Shape, Shape]:
    """One session as its owner sees it, and all of them: few enough for one answer."""
    moment: Schema = {"type": "string", "format": "date-time"}
    members: dict[str, Schema] = {
        "id": SESSION_ID,
        "agent": nullable({"type": "string"}) | {"description": "What its browser or program calls itself."},
        "address": nullable({"type": "string"}) | {"description": "From where it was opened."},
        "is_current": {"type": "boolean", "description": "Whether it is the one that asks."},
        "created_at": moment,
        "expires_at": moment,
    }
    example = {
        "id": SESSION,
        "agent": "Mozilla/5.0",
        "address": "192.0.2.1",
        "is_current": True,
        "created_at": "2030-01-02T03:04:05.678Z",
        "expires_at": "2030-02-01T03:04:05.678Z",
    }
    one = Shape(name=own("OpenSession"), schema=opened(members, tuple(members)), example=example)
    listed: dict[str, Schema] = {"items": {"type": "array", "items": reference(one.name), "maxItems": SESSIONS_MAX}}
    all_of_them = Shape(name=own("OpenSessions"), schema=opened(listed, tuple(listed)), example={"items": [example]})
    return one, all_of_them


def signed_in(blueprint: Blueprint) -> Shape:
    """What goes with the cookie, which no script reads."""
    members: dict[str, Schema] = {
        "expires_at": {"type": "string", "format": "date-time", "description": "When it ends in any case."},
        "idle_s": {"type": "integer", "minimum": 1, "description": "It ends earlier after so many idle seconds."},
    }
    idle_s = int((blueprint.auth or Authentication()).token_ttl_s)
    example = {"expires_at": "2030-02-01T03:04:05.678Z", "idle_s": idle_s}
    return Shape(name=own("SignedIn"), schema=opened(members, tuple(members)), example=example)


def challenge() -> Shape:
    members: dict[str, Schema] = {
        "challenge_id": _CHALLENGE | {"description": "Goes with the code; also there where nothing was sent."},
        "expires_at": {"type": "string", "format": "date-time"},
    }
    example = {"challenge_id": CHALLENGE, "expires_at": "2030-01-02T03:14:05.678Z"}
    says = "A code may be on its way; the answer is the same whether the account exists or not."
    return Shape(name=own("Challenge"), schema=opened(members, tuple(members)) | {"description": says}, example=example)


def problems(action: Action) -> tuple[str, ...]:
    """How it fails beyond what every operation has in common."""
    return {
        Action.SIGN_IN: ("credentials-rejected",),
        Action.REFRESH: ("token-rejected",),
        Action.VERIFY_CODE: ("code-rejected",),
        Action.RESET_PASSWORD: ("code-rejected",),
        Action.SIGN_IN_BY_CODE: ("code-rejected", "credentials-rejected"),
        Action.END_SESSION: ("not-found",),
    }.get(action, ())


def _login(account: Resource | None) -> Field:
    found = facts.login_field(account) if account else None
    return found or Field(name="email", kind=FieldKind.EMAIL)


def _password(account: Resource | None) -> Field:
    fields = account.fields if account else ()
    found = next((field for field in fields if field.kind is FieldKind.PASSWORD), None)
    return found or Field(name="password", kind=FieldKind.PASSWORD)


def _sign_in(login: Field, secret: Field, blueprint: Blueprint) -> Shape:
    """Any password is taken here: rules for new ones would lock out those who have an old one."""
    most = password(secret, blueprint)["maxLength"]
    members: dict[str, Schema] = {
        name_of(login): of_field(login, blueprint, is_request=True),
        name_of(secret): {"type": "string", "format": "password", "writeOnly": True, "maxLength": most},
    }
    example: dict[str, Any] = {name_of(each): examples.value(each, blueprint) for each in (login, secret)}
    required = tuple(members)
    if accounts.has_second_factor(blueprint):
        members["code"] = _CODE | {"description": "Of the second factor, where the account has one."}
    return Shape(name=own("SignIn"), schema=closed(members, required), example=example)


def _by_code(blueprint: Blueprint) -> Shape:
    members: dict[str, Schema] = {"code": _CODE}
    required = tuple(members)
    if accounts.has_second_factor(blueprint):
        members["second_code"] = _CODE | {"description": "Of the second factor, where the account has one."}
    return Shape(name=own("SignInByCode"), schema=closed(members, required), example={"code": "482913"})


def _asking(name: str, login: Field, blueprint: Blueprint) -> Shape:
    members = {name_of(login): of_field(login, blueprint, is_request=True)}
    return _body(name, members, {name_of(login): examples.value(login, blueprint)})


def _body(name: str, members: dict[str, Schema], example: dict[str, Any]) -> Shape:
    return Shape(name=own(name), schema=closed(members, tuple(members)), example=example)
