"""What a question names: rates, durations, statuses, endpoints, paths, technologies."""

from __future__ import annotations

import re
from enum import StrEnum

from nines.model.record import Record


class EntityKind(StrEnum):
    ENDPOINT = "endpoint"
    RATE = "rate"
    DURATION = "duration"
    STATUS = "status"
    SHARE = "share"
    PATH = "path"
    TECHNOLOGY = "technology"


class Entity(Record):
    """Something named, as it was written, and as a figure where it is one: Hz, seconds, a status, a share."""

    kind: EntityKind
    text: str
    value: float | None = None


TECHNOLOGIES = (
    "aiohttp", "alembic", "argon2", "asyncpg", "bcrypt", "celery", "django", "docker", "elasticsearch", "fastapi",
    "flask", "graphql", "grpc", "gunicorn", "httpx", "jwt", "kafka", "kubernetes", "memcached", "mongodb", "mysql",
    "nats", "nginx", "oauth", "oidc", "postgres", "postgresql", "psycopg", "rabbitmq", "redis", "s3", "sqlalchemy",
    "sqlite", "sqs", "starlette", "stripe", "terraform", "uvicorn",
)  # fmt: skip
_NUMBER = r"(?P<number>\d[\d.,' \u2009\u202f_]*\d|\d)\s?(?P<times>thousand|million|mio|[km](?![a-z])|k(?=[rqt]p[sm]))?"
_PERIODS = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0,
    "h": 3_600.0, "hour": 3_600.0, "d": 86_400.0, "day": 86_400.0,
}  # fmt: skip
_SHORT = {"rps": 1.0, "qps": 1.0, "tps": 1.0, "rpm": 60.0}
_TIMES = {"": 1.0, "k": 1e3, "thousand": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6}
_WHAT = r"(?:\s?[a-z]+(?:\s[a-z]+)?)??"
_RATE = re.compile(
    rf"\b{_NUMBER}\s?(?:(?P<short>rps|qps|tps|rpm)\b|{_WHAT}(?:\s?/\s?|\s(?:per|a|an|each|every)\s)"
    r"(?P<period>seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d)\b)",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"\b(?P<number>\d+(?:[.,]\d+)?)\s?(?P<unit>ms|millis(?:econds)?|milliseconds?|s|secs?|seconds?|min|minutes?|hours?)\b",
    re.IGNORECASE,
)
_ENDPOINT = re.compile(
    r"\b(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+(?P<path>/[\w{}<>:.\-/]*)"
    r"|(?<![\w./:])(?P<bare>/(?:[\w\-]+|\{\w+\}|:\w+|<\w+>)(?:/(?:[\w\-]+|\{\w+\}|:\w+|<\w+>))*/?)(?![\w./])"
)
_STATUS = re.compile(
    r"\b(?P<code>[45]\d\d|[45]xx)(?:s|'s)?\b(?!\s?(?:ms|rps|qps|req|user|requests|users|/))", re.IGNORECASE
)
_SHARE = re.compile(r"\b(?P<number>\d{1,3}(?:[.,]\d+)?)\s?(?:%|percent\b)")
_PATH = re.compile(
    r"(?<![\w/])(?P<path>(?:\.{1,2}/|~/)[\w.\-/]*|[\w.\-]+(?:/[\w.\-]+)+/?|[\w\-]+\.(?:py|sql|yaml|yml|toml|json|md))(?![\w/])"
)
_ROOTS = re.compile(r"^/(?:home|tmp|srv|var|opt|usr|work|workspace|root|mnt|Users)/")
_MS = re.compile(r"ms|milli", re.IGNORECASE)


def entities(text: str) -> tuple[Entity, ...]:
    """In the order of their kinds; what is part of one that was found before is not found again."""
    found: list[Entity] = []
    rest = text
    for kind, pattern in (
        (EntityKind.ENDPOINT, _ENDPOINT),
        (EntityKind.RATE, _RATE),
        (EntityKind.DURATION, _DURATION),
        (EntityKind.SHARE, _SHARE),
        (EntityKind.STATUS, _STATUS),
        (EntityKind.PATH, _PATH),
    ):
        for match in list(pattern.finditer(rest)):
            entity = _made(kind, match)
            if entity is not None:
                found.append(entity)
                rest = f"{rest[: match.start()]}{' ' * len(match[0])}{rest[match.end() :]}"
    words = set(re.findall(r"[a-z0-9]+", text.lower()))
    found += [Entity(kind=EntityKind.TECHNOLOGY, text=name) for name in TECHNOLOGIES if name in words]
    return tuple(found)


def marked(text: str, found: tuple[Entity, ...]) -> str:
    """The text with figures and names replaced by their kinds, for the recogniser."""
    for entity in sorted(found, key=lambda each: -len(each.text)):
        if entity.kind is not EntityKind.TECHNOLOGY:
            named = re.sub(r"[./]", " ", entity.text) if entity.kind is EntityKind.PATH else ""
            text = text.replace(entity.text, f" <{entity.kind.value}> {named} ")
    return text


def _made(kind: EntityKind, match: re.Match[str]) -> Entity | None:
    text = match[0].strip()
    if kind is EntityKind.ENDPOINT:
        bare = match["bare"]
        if bare is not None and _ROOTS.match(bare):
            return Entity(kind=EntityKind.PATH, text=text)
        return Entity(kind=kind, text=text)
    if kind is EntityKind.RATE:
        return _rate(match, text)
    if kind is EntityKind.DURATION:
        value = float(match["number"].replace(",", "."))
        unit = match["unit"].lower()
        factor = (
            1e-3 if _MS.match(unit) else 60.0 if unit.startswith("min") else 3_600.0 if unit.startswith("h") else 1.0
        )
        return Entity(kind=kind, text=text, value=value * factor)
    if kind is EntityKind.SHARE:
        return Entity(kind=kind, text=text, value=float(match["number"].replace(",", ".")) / 100)
    if kind is EntityKind.STATUS:
        code = match["code"].lower()
        return Entity(kind=kind, text=text, value=float(code) if code.isdigit() else float(code[0]) * 100)
    return Entity(kind=kind, text=match["path"])


def _rate(match: re.Match[str], text: str) -> Entity | None:
    digits = re.sub(r"[,' \u2009\u202f_](?=\d{3})", "", match["number"]).replace(",", ".")
    try:
        number = float(digits) * _TIMES[(match["times"] or "").lower()]
    except ValueError:
        return None
    short = (match["short"] or "").lower()
    period_s = _SHORT[short] if short else _PERIODS[_singular((match["period"] or "s").lower())]
    return Entity(kind=EntityKind.RATE, text=text, value=number / period_s)


def _singular(period: str) -> str:
    return period.removesuffix("s") if len(period) > 1 else period
