"""Which dependency an effect reaches."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from nines.model.blueprint import DependencyKind
from nines.model.effect import Effect, EffectKind
from nines.model.record import Record

DATABASE = "database"
CACHE = "redis"
ANY_CACHE = "cache"
"""What a framework's cache stands for; only its configuration knows where it is kept."""
UNKNOWN_HTTP = "another service"
"""Whoever is called at an address that only the configuration knows."""
TASK_QUEUE = "message broker"
"""Of a library that works with several brokers, such as Celery."""

_REDIS_LISTS = ("rpush", "lpush", "xadd", "enqueue")
_KAFKA = ("produce", "send_and_wait")
_NAMED = {
    "smtp": DependencyKind.SMTP,
    "aws": DependencyKind.OBJECTS,
    "storage.googleapis.com": DependencyKind.OBJECTS,
    "object store": DependencyKind.OBJECTS,
}
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+|localhost")
_BY_ADDRESS = ("requests", "httpx", "aiohttp", "urllib", "python", "pycurl")
"""Libraries that call whatever address they are given; what others call is known by what they are."""


class Reached(Record):
    """A dependency by the name that the design gives it."""

    name: str
    kind: DependencyKind


def reached(effect: Effect) -> Reached | None:
    """What stands at the other end of an effect; None where nothing outside the process does."""
    if effect.is_database or effect.kind in (EffectKind.BEGIN, EffectKind.COMMIT, EffectKind.ROLLBACK):
        return Reached(name=DATABASE, kind=DependencyKind.POSTGRES)
    if effect.kind in (EffectKind.CACHE_READ, EffectKind.CACHE_WRITE):
        return Reached(name=ANY_CACHE if effect.library == "django" else CACHE, kind=DependencyKind.REDIS)
    if effect.kind is EffectKind.PUBLISH:
        return _broker(effect.action)
    if effect.kind is EffectKind.REMOTE_CALL:
        return _called(effect)
    return None


def _broker(action: str) -> Reached:
    if action in _REDIS_LISTS:
        return Reached(name=CACHE, kind=DependencyKind.REDIS)
    if action in _KAFKA:
        return Reached(name="kafka", kind=DependencyKind.KAFKA)
    return Reached(name=TASK_QUEUE, kind=DependencyKind.RABBITMQ)


def _called(effect: Effect) -> Reached:
    named = _NAMED.get(effect.target)
    if named is not None:
        return Reached(name=effect.target, kind=named)
    host = _host(effect.target)
    if not host and effect.library not in _BY_ADDRESS and "/" not in effect.target:
        host = effect.target
    return Reached(name=host or UNKNOWN_HTTP, kind=DependencyKind.HTTP)


def _host(target: str) -> str:
    """The host of an address; "" where only a path is known, or a part of it is filled in when it runs."""
    try:
        host = (urlsplit(target).hostname or "") if "//" in target else target.partition("/")[0].partition(":")[0]
    except ValueError:
        return ""
    return host if _HOST.fullmatch(host) else ""


def name_of(effect: Effect) -> str:
    """The dependency's name, "" where there is none."""
    found = reached(effect)
    return found.name if found is not None else ""
