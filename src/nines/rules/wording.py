"""How findings name functions, services and rows, so that all rules speak alike."""

from __future__ import annotations

import re

from nines.model.effect import Effect
from nines.model.origin import Origin, OriginKind
from nines.model.service import Endpoint

_TEXT_MAX = 60
_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?([^/?#\s]+)", re.IGNORECASE)


def holder(endpoint: Endpoint, effect: Effect) -> str:
    """The qualified name of the function in which an effect stands."""
    return effect.path[-1].function if effect.path else endpoint.function


def short(qualified: str) -> str:
    """The last part of a dotted name."""
    return qualified.rsplit(".", 1)[-1]


def peer(effect: Effect) -> str:
    """The other side of a call, for people: its host, the dependency's name, or "another service"."""
    host = _HOST.match(effect.target)
    name = host[1] if host else effect.dependency
    return name if name and "{" not in name else effect.dependency or "another service"


def call(effect: Effect) -> str:
    """A remote call in words: "POST to api.example"."""
    action = effect.action.upper() if effect.action.isascii() and effect.action.isalpha() else ""
    return f"{action} to {peer(effect)}" if action else f"a call to {peer(effect)}"


def code(effect: Effect) -> str:
    """The call as it is written, without its arguments; "" when unknown."""
    return effect.text.partition("(")[0].strip()[:_TEXT_MAX]


def table(effect: Effect) -> str:
    return effect.target or "a table"


def reached(endpoint: Endpoint, effect: Effect) -> str:
    """The calls from the entry point to the effect: "create_order → place → charge"."""
    return " → ".join([short(endpoint.function), *(short(step.function) for step in effect.path)])


def caller_names(origins: tuple[Origin, ...]) -> tuple[str, ...]:
    """The names of the request's parts among origins, without repetition."""
    names = (origin.name for origin in origins if origin.kind is OriginKind.CALLER and origin.name)
    return tuple(dict.fromkeys(names))


def subject(holder: str, effect: Effect, *more: str) -> str:
    """What stays the same when lines move: the function, the kind, the target, and what a rule adds."""
    return " ".join(filter(None, (holder, effect.kind.value, effect.target, *more)))
