"""What a question is about: payments, log-ins, notifications, a shop, or an endpoint of any kind."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources

import msgspec

from nines.asking.answer import Open
from nines.asking.recognise import Asked
from nines.model.record import StrictRecord

ANY = "endpoint"
_NAMED = re.compile(
    r"\b(?:an?|the|our|new|this|for)\s+((?:[a-z][\w-]*\s+){0,2}?[a-z][\w-]*)\s+"
    r"(?:service|api|backend|system|endpoint|platform|app|microservice|shortener|server|feature)\b",
    re.IGNORECASE,
)
_EMPTY = frozenset(
    {"a", "an", "the", "our", "new", "secure", "simple", "small", "rest", "http", "public", "own", "good", "fast"}
    | {"scalable", "reliable", "robust", "highly", "this", "that", "micro", "web"}
)
_USUAL = "my-service"


class Subject(StrictRecord):
    """What belongs to it, by ids."""

    blueprint: str
    patterns: tuple[str, ...]
    experiments: tuple[str, ...]
    rules: tuple[str, ...]
    words: tuple[str, ...]
    questions: tuple[tuple[str, str, str], ...]

    @property
    def open(self) -> tuple[Open, ...]:
        return tuple(Open(question=asked, assumed=assumed, matters=why) for asked, assumed, why in self.questions)


@functools.cache
def subjects() -> dict[str, Subject]:
    text = resources.files("nines.asking").joinpath("subjects.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=dict[str, Subject])


def subject_of(asked: Asked) -> tuple[str, Subject]:
    """The likeliest; `endpoint` where it is none that is known."""
    known = subjects()
    name = next((name for name in asked.subjects if name in known), ANY)
    return name, known[name]


def name_of(asked: Asked) -> str:
    """ "a URL shortener" as "url-shortener": how a new service could be called."""
    found = _NAMED.search(asked.text)
    words = [word.lower() for word in (found[1].split() if found else []) if word.lower() not in _EMPTY]
    if found and found[0].lower().split()[-1] == "shortener":
        words.append("shortener")
    name = re.sub(r"[^a-z0-9-]+", "-", "-".join(words)).strip("-")
    return name if re.fullmatch(r"[a-z][a-z0-9-]{1,39}", name) else _USUAL
