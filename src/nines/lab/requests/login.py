"""Finding out from the contract how somebody registers and signs in."""

from __future__ import annotations

import random
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import msgspec

from nines.lab.requests import encode, paths
from nines.lab.requests.filling import filled
from nines.lab.requests.graph import asks_password
from nines.lab.requests.invent import Inventor
from nines.lab.requests.sessions import TOKEN_NAMES
from nines.lab.requests.shapes import kind, properties, settled, words
from nines.model.contract import Contract, Operation, Schema, SecurityScheme
from nines.model.settings import LoginSettings

_LOGIN = frozenset(
    ("login", "signin", "token", "tokens", "authenticate", "auth", "session", "sessions", "jwt", "log")
)  # fmt: skip
_REGISTER = frozenset(
    ("register", "registration", "signup", "sign", "users", "user", "accounts", "customers", "members", "join")
)  # fmt: skip
_OTHER = frozenset(
    ("refresh", "logout", "reset", "recover", "recovery", "forgot", "change", "verify", "test", "revoke")
)  # fmt: skip
_TODAY = date(2024, 6, 1)
_DEPTH_MAX = 3
BASIC, BASIC_MAIL, BASIC_HANDLE = "Basic {basic}", "Basic {basic_email}", "Basic {basic_handle}"


def propose(contract: Contract) -> tuple[LoginSettings, LoginSettings]:
    """How to register and how to sign in, as far as the contract tells; empty settings where it does not.

    Beside {username} and {password} the templates use {email} and {handle}, see `sessions.values_of`."""
    login = _login_operation(contract)
    register = _register_operation(contract, login)
    uses_mail = register is not None and not _has(register, "username")
    login_settings = LoginSettings()
    if login is not None:
        scheme = next(iter(_token_schemes(contract)), None)
        login_settings = _settings(login, uses_mail=uses_mail, token=_token_path(login), scheme=scheme)
    elif basic := _basic_door(contract):
        header = {"authorization": BASIC_MAIL if uses_mail else BASIC_HANDLE}
        login_settings = LoginSettings(path=basic.path, headers=header, token=_token_path(basic))
    elif _token_url(contract):
        form = {"grant_type": "password", "username": "{username}", "password": "{password}"}
        login_settings = LoginSettings(path=_token_url(contract), form=form, token="access_token")  # noqa: S106
    elif _basic_schemes(contract):
        # Nobody signs in: the name and the password come with every request.
        login_settings = LoginSettings(headers={"authorization": BASIC_MAIL if uses_mail else BASIC_HANDLE})
    register_settings = _settings(register, uses_mail=False) if register is not None else LoginSettings()
    if register is None:
        # Accounts that exist already sign in under the name that the owner gave, as it is.
        login_settings = msgspec.structs.replace(login_settings, json=_plain(login_settings.json))
        login_settings = msgspec.structs.replace(login_settings, form=_plain(login_settings.form))
        headers = {name: BASIC if text.startswith("Basic ") else text for name, text in login_settings.headers.items()}
        login_settings = msgspec.structs.replace(login_settings, headers=headers)
    return register_settings, login_settings


def _plain(template: Any) -> Any:
    """The template with the identity's own user name wherever something was derived from it."""
    return filled(template, {"handle": "{username}", "email": "{username}"})


def _login_operation(contract: Contract) -> Operation | None:
    url = _token_url(contract)
    if url:
        for operation in contract.operations:
            if operation.method == "POST" and operation.path.rstrip("/").endswith(url.rstrip("/")):
                return operation
    found = [o for o in _with_password(contract) if _path_words(o) & _LOGIN and not _path_words(o) & {"up", "signup"}]
    return min(found, key=lambda o: ("login" not in _path_words(o), len(o.path)), default=None)


def _basic_schemes(contract: Contract) -> set[str]:
    """The schemes by which a name and a password come in a header (RFC 7617)."""
    return {s.name for s in contract.security_schemes if s.kind == "http" and s.scheme.lower() == "basic"}


def _basic_door(contract: Contract) -> Operation | None:
    """An operation that gives a token to whoever shows a name and a password in a header."""
    schemes = _basic_schemes(contract)
    found = [
        operation
        for operation in contract.operations
        if operation.method == "POST"
        and not operation.path_parameters
        and any(scheme in schemes for alternative in operation.security for scheme in alternative)
        and _path_words(operation) & _LOGIN
        and not _path_words(operation) & _OTHER
    ]
    return min(found, key=lambda operation: len(operation.path), default=None)


def _register_operation(contract: Contract, login: Operation | None) -> Operation | None:
    found = [
        operation
        for operation in _with_password(contract)
        if operation != login
        and not operation.is_secured
        and not operation.path_parameters
        and _path_words(operation) & _REGISTER
        and not _path_words(operation) & (_LOGIN - {"auth", "jwt", "sessions"})
    ]
    certain = {"register", "registration", "signup", "sign"}
    return min(found, key=lambda o: (not _path_words(o) & certain, len(o.path)), default=None)


def _with_password(contract: Contract) -> list[Operation]:
    posts = [o for o in contract.operations if o.method == "POST" and o.body is not None and asks_password(o)]
    return [o for o in posts if not _path_words(o) & _OTHER]


def _path_words(operation: Operation) -> set[str]:
    return {word for part in paths.static_words(operation.path) for word in (*words(part), part.lower())}


def _token_url(contract: Contract) -> str:
    url = next((scheme.token_url for scheme in contract.security_schemes if scheme.token_url), "")
    path = urlsplit(url).path
    return path if not path or path.startswith("/") else "/" + path.removeprefix("./")


def _token_schemes(contract: Contract) -> list[SecurityScheme]:
    return [scheme for scheme in contract.security_schemes if scheme.kind in ("http", "oauth2", "apiKey")]


def _settings(
    operation: Operation, *, uses_mail: bool, token: str = "", scheme: SecurityScheme | None = None
) -> LoginSettings:
    body = operation.body
    if body is None:
        return LoginSettings(path=operation.path)
    templates = {name: text for name in _names(body.schema) if (text := _template(name, uses_mail=uses_mail))}
    # The marker is the user's own name, so that whatever must be unique is.
    inventor = Inventor(random.Random(0), marker="{handle}", today=_TODAY, overrides=templates)  # noqa: S311
    value = inventor.value(body.schema)
    filled: dict[str, Any] = value if isinstance(value, dict) else {}
    is_key = scheme is not None and scheme.kind == "apiKey" and scheme.location == "header" and scheme.parameter
    header = scheme.parameter if scheme is not None and is_key else "Authorization"
    shape = "{token}" if is_key and header.lower() != "authorization" else "Bearer {token}"
    if encode.is_json(body.media_type):
        return LoginSettings(path=operation.path, json=filled, token=token, header=header, format=shape)
    form = {name: paths.plain(item) for name, item in filled.items()}
    return LoginSettings(path=operation.path, form=form, token=token, header=header, format=shape)


def _template(name: str, *, uses_mail: bool) -> str:
    """What stands for a field of the log-in or the registration, "" where it is an ordinary field."""
    found = words(name)
    if "password" in found or "password2" in name.lower() or "passwd" in found:
        return "{password}"
    if "email" in found or found[-1:] == ("mail",):
        return "{email}"
    if name.lower() in ("username", "user_name", "login", "identifier", "handle") or name == "userName":
        return "{email}" if uses_mail else "{handle}"
    if name == "grant_type":
        return "password"
    return ""


def _names(schema: Schema, depth: int = 0) -> list[str]:
    """The names of all required fields of a body, wrapped ones too."""
    rules = settled(schema)
    needed = set(rules.get("required") or ())
    names: list[str] = []
    for name, inner in properties(rules).items():
        if kind(settled(inner)) == "object" and depth < _DEPTH_MAX:
            names.extend(_names(inner, depth + 1))
        elif name in needed or _template(name, uses_mail=False):
            names.append(name)
    return names


def _has(operation: Operation, name: str) -> bool:
    return operation.body is not None and name in {each.lower() for each in _names(operation.body.schema)}


def _token_path(operation: Operation) -> str:
    """The dotted path of the token in the documented answer, "" where it is not documented."""
    for status in (200, 201):
        answer = operation.answer(status)
        if answer is not None and answer.status != "default":
            found = _token_at(settled(answer.schema), 0)
            if found:
                return found
    return ""


def _token_at(schema: Schema, depth: int) -> str:
    inner = properties(schema)
    plain = {"".join(words(name)): name for name in inner}
    for wanted in TOKEN_NAMES:
        if wanted in plain and kind(settled(inner[plain[wanted]])) in ("string", ""):
            return plain[wanted]
    if depth < _DEPTH_MAX:
        for name, rules in inner.items():
            deeper = _token_at(settled(rules), depth + 1)
            if deeper:
                return f"{name}.{deeper}"
    return ""
