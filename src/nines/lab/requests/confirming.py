"""Showing that an address is one's own: by the code or the link in the letter that a registration sends."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from nines.lab.requests import answers, encode, paths
from nines.lab.requests.invent import Inventor
from nines.lab.requests.shapes import kind, properties, settled, words
from nines.lab.requests.validate import allows
from nines.model.contract import Contract, Operation, Schema
from nines.model.record import Record
from nines.model.settings import LoginSettings

TRIES_MAX = 3
"""How many things in a letter are tried: services count wrong codes."""
_SHOWING = frozenset(
    ("verify", "verification", "verifications", "confirm", "confirmation", "confirmations", "activate", "activation",
     "activations", "validate", "verified", "confirmed")
)  # fmt: skip
_ASKING = frozenset(
    ("resend", "request", "send", "codes", "requests")
)  # fmt: skip
_OTHER = frozenset(
    ("password", "passwords", "reset", "resets", "recover", "forgot", "invite", "invitation", "invitations", "phone",
     "payment", "otp", "mfa", "totp", "factor", "factors", "test")
)  # fmt: skip
_CODES = frozenset(("code", "token", "otp", "pin", "key", "secret", "hash", "signature"))
_NEAR = re.compile(r"(?:code|pin|otp|token)\b\W{0,40}?([A-Za-z0-9_-]{4,64})\b", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\w.:/+-])(\d{3}[ -]\d{3}|\d{4,8})(?![\w:/-]|\.\d)")
_LINK = re.compile(r"https?://[^\s<>\"')\]]+")
_OPAQUE = re.compile(r"(?<![\w-])([A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]+){0,2})(?![\w-])")
_OPAQUE_MIN = 16
_TODAY = date(2024, 6, 1)
CODE = "{code}"
_BASIC = "Basic {basic_email}"
ANSWERED = "answer."
"""What a template names of the registration's own answer: {answer.challenge_id}."""

RunCommand = Callable[[Sequence[str]], Awaitable[str]]


class Mail(Protocol):
    """Where the laboratory reads letters."""

    async def letters(self, address: str, known: int, limit_s: float) -> Sequence[str]:
        """The letters to somebody, the newest first, as soon as there are more than are known or time is up."""
        ...


class Confirmation(Record):
    """By which request an address is shown to be one's own, and which one asks for the letter once more."""

    show: LoginSettings = LoginSettings()
    ask: LoginSettings = LoginSettings()

    @property
    def is_known(self) -> bool:
        return bool(self.show.path or self.show.command)


def propose(contract: Contract) -> Confirmation:
    """As far as the contract tells: whoever is not signed in shows a code, or follows a link with one in it."""
    basic = {s.name for s in contract.security_schemes if s.kind == "http" and s.scheme.lower() == "basic"}
    strangers = [
        o
        for o in contract.operations
        if all(name in basic for alternative in o.security for name in alternative)
        and _words(o) & _SHOWING
        and not _words(o) & _OTHER
    ]
    shows = [o for o in strangers if _code_of(o)]
    asks = [o for o in strangers if not _code_of(o) and o.method == "POST" and o.body is not None]
    show = min(shows, key=lambda o: (o.method == "GET", bool(_words(o) & _ASKING), len(o.path)), default=None)
    ask = min(asks, key=lambda o: (not _words(o) & _ASKING, len(o.path)), default=None)
    return Confirmation(
        show=_settings(show) if show is not None else LoginSettings(),
        ask=_settings(ask) if ask is not None and show is not None else LoginSettings(),
    )


def _words(operation: Operation) -> set[str]:
    named = [word for part in paths.static_words(operation.path) for word in words(part)]
    return {*named, *words(operation.id)}


def _code_of(operation: Operation) -> str:
    """The name of what carries the code, "" where nothing does."""
    named = [p.name for p in operation.parameters if p.location in ("path", "query")]
    named += list(properties(settled(operation.body.schema))) if operation.body is not None else []
    return next((name for name in named if _is_code(name)), "")


def _is_code(name: str) -> bool:
    found = words(name)
    return bool(found) and found[-1] in _CODES and "country" not in found and "zip" not in found


def _settings(operation: Operation) -> LoginSettings:
    """Whoever has no token yet may have to show a name and a password in a header (RFC 7617)."""
    shown = _request(operation)
    return msgspec.structs.replace(shown, headers={"authorization": _BASIC}) if operation.is_secured else shown


def _request(operation: Operation) -> LoginSettings:
    path = operation.path
    query: list[str] = []
    for parameter in operation.parameters:
        template = _template(parameter.name, parameter.schema)
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", template or f"{{{ANSWERED}{parameter.name}}}")
        elif parameter.location == "query" and (parameter.is_required or _is_code(parameter.name)):
            query.append(f"{parameter.name}={template or f'{{{ANSWERED}{parameter.name}}}'}")
    path += "?" + "&".join(query) if query else ""
    if operation.body is None or operation.method in ("GET", "HEAD"):
        return LoginSettings(method=operation.method, path=path)
    told = {name: text for name, rules in _fields(operation.body.schema) if (text := _template(name, rules))}
    inventor = Inventor(random.Random(0), marker="{handle}", today=_TODAY, overrides=told)  # noqa: S311
    value = inventor.value(operation.body.schema)
    body: dict[str, Any] = value if isinstance(value, dict) else {}
    if encode.is_json(operation.body.media_type):
        return LoginSettings(method=operation.method, path=path, json=body)
    return LoginSettings(method=operation.method, path=path, form={name: paths.plain(v) for name, v in body.items()})


def _fields(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for name, inner in properties(settled(schema)).items():
        yield name, settled(inner)


def _template(name: str, schema: Schema) -> str:
    found = words(name)
    if _is_code(name):
        return CODE
    if "email" in found or found[-1:] == ("mail",):
        return "{email}"
    if name.lower() in ("username", "login", "handle"):
        return "{handle}"
    if "password" in found:
        return "{password}"
    rules = settled(schema)
    looks_made = rules.get("format") == "uuid" or found[-1:] in (("id",), ("uuid",), ("uid",), ("reference",))
    return f"{{{ANSWERED}{name}}}" if looks_made and kind(rules) in ("string", "integer", "") else ""


def values_in(body: Any) -> dict[str, str]:
    """What templates may name of a registration's answer, by the names of its members, inner ones too."""
    found: dict[str, str] = {}
    for holder in answers.objects(body):
        for name, value in holder.items():
            if isinstance(value, str | int) and not isinstance(value, bool):
                found.setdefault(ANSWERED + name, str(value))
    return found


def schema_of_code(contract: Contract, show: LoginSettings) -> Schema:
    """What the contract says of the code's form; {} where it says nothing."""
    operation = contract.at(show.method, show.path.partition("?")[0])
    if operation is None:
        return {}
    name = _code_of(operation)
    fields: Mapping[str, Any] = properties(settled(operation.body.schema)) if operation.body is not None else {}
    declared = next((p.schema for p in operation.parameters if p.name == name), None)
    return settled(declared if declared is not None else fields.get(name, {}))


def codes_in(letter: str, schema: Schema) -> list[str]:
    """What in a letter may be the code, the likeliest first: of a link, beside the word, or what merely looks so."""
    found: list[str] = []
    for link in _LINK.findall(letter):
        found += _codes_of_link(link.rstrip(".,;"))
    told = [match for match in _NEAR.findall(letter) if any(c.isdigit() for c in match)]
    digits = [re.sub(r"[ -]", "", match) for match in _DIGITS.findall(letter)]
    opaque = [match for match in _OPAQUE.findall(_LINK.sub(" ", letter)) if any(c.isdigit() for c in match)]
    candidates: list[str] = []
    for each in (*found, *told, *digits, *opaque):
        # A part of what was found already, such as the head of a token, is no code of its own.
        if not any(each in earlier for earlier in candidates):
            candidates.append(each)
    fitting = [each for each in candidates if allows(schema, each) is not False]
    if "pattern" not in schema and not found:
        # Six digits are the usual code; a year or a room number is not.
        fitting.sort(key=lambda each: not (each.isdigit() and len(each) == 6))
    return fitting[:TRIES_MAX]


def _codes_of_link(link: str) -> Iterator[str]:
    parts = urlsplit(link)
    pairs = [*parse_qsl(parts.query), *parse_qsl(parts.fragment.partition("?")[2])]
    yield from (value for name, value in pairs if _is_code(name))
    ends = [part for part in parts.path.split("/") if len(part) >= _OPAQUE_MIN and any(c.isdigit() for c in part)]
    yield from reversed(ends)


def command_of(show: LoginSettings, values: Mapping[str, str]) -> list[str]:
    """The words of the command that prints the code."""
    filled: list[str] = []
    for word in shlex.split(show.command):
        text = word
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        filled.append(text)
    return filled
