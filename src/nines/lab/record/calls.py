"""A request to an upstream or a Redis command that was seen, as an effect."""

from __future__ import annotations

import re

from nines.lab.record.commands import CONNECTION, READS, SUBSCRIPTIONS
from nines.lab.record.events import CommandSeen, RequestSeen
from nines.model.effect import Effect, EffectKind, Known

TEXT_CHARS_MAX = 300

_QUEUES = frozenset(("LPUSH", "RPUSH", "LPUSHX", "RPUSHX"))
_PUBLISHES = frozenset(("PUBLISH", "SPUBLISH", "XADD"))
_WAITS = frozenset(("BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BZPOPMIN", "BZPOPMAX", "XREADGROUP", "XACK"))
_REMOVES = frozenset(("DEL", "UNLINK", "EVAL", "EVALSHA", "FCALL"))
_NOT_A_QUEUE = frozenset(("LTRIM", "LRANGE", "EXPIRE", "PEXPIRE", "LLEN", "LINDEX"))
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
# Query values may hold credentials, and a report may be shown around.
_VALUE = re.compile(r"=[^&]*")
_VARYING = re.compile(r"[^/?&=:.,]*\d[^/?&=:.,]*|(?<==)[^&]*")


def request_effect(event: RequestSeen, began_s: float) -> Effect:
    """A call of another service; `target` is the dependency with the path, without the query."""
    path = event.path.partition("?")[0]
    if "://" in path:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    ended = str(event.status) if event.status is not None else event.error or "no answer"
    idempotency = Known.UNKNOWN
    if event.method not in _SAFE:
        idempotency = Known.SET if event.has_key else Known.MISSING
    is_error = event.status is None or event.status >= 400
    return Effect(
        kind=EffectKind.REMOTE_CALL,
        target=f"{event.dependency}{path}",
        action=event.method,
        text=f"{event.method} {_VALUE.sub('=…', event.path)} -> {ended}"[:TEXT_CHARS_MAX],
        dependency=event.dependency,
        idempotency=idempotency,
        at_s=event.started_s - began_s,
        duration_s=event.ended_s - event.started_s,
        error=f"HTTP {event.status}" if is_error and event.status is not None else ended if is_error else "",
    )


def request_shape(event: RequestSeen) -> str:
    """Equal for requests that differ in identifiers and values only."""
    return f"{event.dependency} {event.method} {_VARYING.sub('*', event.path)}"


class Commands:
    """Turns the Redis commands of one trace into effects; it remembers which keys are locks and which are lists."""

    def __init__(self, events: list[CommandSeen]) -> None:
        self._lists = {key for event in events if event.name in _NOT_A_QUEUE for key in event.keys}
        self._locks: set[str] = set()

    def effect(self, event: CommandSeen, began_s: float) -> Effect | None:
        """None for what serves the connection, or waits for messages."""
        name = event.name.split(" ")[0]
        if name in CONNECTION or name in SUBSCRIPTIONS or name in _WAITS or "BLOCK" in event.flags:
            return None
        key = event.keys[0] if event.keys else ""
        action = " ".join((event.name, *(flag for flag in event.flags if flag != "GET")))
        return Effect(
            kind=self._kind(event, name, key),
            target=key,
            action=action,
            text=" ".join((action, *event.keys))[:TEXT_CHARS_MAX],
            dependency=event.dependency,
            at_s=event.started_s - began_s,
            duration_s=event.ended_s - event.started_s,
            error=event.error,
        )

    def _kind(self, event: CommandSeen, name: str, key: str) -> EffectKind:
        if name in _PUBLISHES or (name in _QUEUES and key not in self._lists):
            return EffectKind.PUBLISH
        if name == "SETNX" or (name == "SET" and "NX" in event.flags):
            self._locks.add(key)
            return EffectKind.LOCK
        if name in _REMOVES and key in self._locks:
            self._locks.discard(key)
            return EffectKind.UNLOCK
        return EffectKind.CACHE_READ if name in READS else EffectKind.CACHE_WRITE


def command_shape(event: CommandSeen) -> str:
    """Equal for commands whose keys differ in identifiers only."""
    return f"{event.dependency} {event.name} {' '.join(_VARYING.sub('*', key) for key in event.keys[:1])}"
