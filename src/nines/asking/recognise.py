"""What a question asks for: concepts that its words stand for, weighed for each intent."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources

from nines.asking.entities import Entity, EntityKind, entities, marked
from nines.asking.words import holds, stems
from nines.model.record import Record

_PACKAGE = "nines.asking"
SCORE_MIN = 2.0
"""Below this nothing was recognised."""
_ALSO_SHARE = 0.75
"""An intent that scores this share of the best is asked for as well."""
_SURE_MARGIN = 0.35
_QUESTION_CHARACTERS_MAX = 4_000
_ERROR = re.compile(r"(?<=[a-z])(?=(?:Error|Exception)\b)")
"""Where "TimeoutError" becomes two words."""


class Intent(Record):
    """Something that can be asked: how much each concept, or two of them together, speaks for it."""

    id: str
    title: str
    """What was understood: "You ask ..."."""
    example: str
    weights: dict[str, float]
    pairs: tuple[tuple[str, str, float], ...] = ()


class Weighed(Record):
    intent: str
    score: float


class Asked(Record):
    """What was understood of a question."""

    text: str
    intents: tuple[Weighed, ...]
    """The best first; none where nothing was recognised."""
    concepts: tuple[str, ...]
    subjects: tuple[str, ...]
    entities: tuple[Entity, ...]

    @property
    def intent(self) -> str:
        return self.intents[0].intent if self.intents else ""

    @property
    def also(self) -> tuple[str, ...]:
        """Other intents that are nearly as likely."""
        best = self.intents[0].score if self.intents else 0.0
        return tuple(each.intent for each in self.intents[1:] if each.score >= _ALSO_SHARE * best)

    @property
    def is_sure(self) -> bool:
        """Whether the second guess is far behind."""
        if len(self.intents) < 2:
            return bool(self.intents)
        return self.intents[1].score <= (1 - _SURE_MARGIN) * self.intents[0].score

    def of(self, kind: EntityKind) -> tuple[Entity, ...]:
        return tuple(entity for entity in self.entities if entity.kind is kind)

    def has(self, *concepts: str) -> bool:
        return any(concept in self.concepts for concept in concepts)


def recognise(question: str) -> Asked:
    """Raises nothing: a question that nobody understands has no intents."""
    text = " ".join(question[:_QUESTION_CHARACTERS_MAX].split())
    found = entities(text)
    words = stems(_ERROR.sub(" ", marked(text, found)))
    concepts = [name for name, phrases in _lexicon("concepts").items() if any(holds(words, p) for p in phrases)]
    plain = stems(text)
    subjects = {name: sum(holds(plain, phrase) for phrase in phrases) for name, phrases in _lexicon("subjects").items()}
    named = {f"subject:{name}" for name, count in subjects.items() if count}
    present = {*concepts, *(f"<{entity.kind.value}>" for entity in found), *named, *(["subject"] if named else [])}
    scores = [Weighed(intent=each.id, score=_score(each, present)) for each in intents()]
    scores.sort(key=lambda each: (-each.score, each.intent))
    return Asked(
        text=text,
        intents=tuple(each for each in scores if each.score >= SCORE_MIN),
        concepts=tuple(concepts),
        subjects=tuple(sorted((name for name in subjects if subjects[name]), key=lambda name: -subjects[name])),
        entities=found,
    )


def _score(intent: Intent, present: set[str]) -> float:
    single = sum(weight for concept, weight in intent.weights.items() if concept in present)
    return single + sum(weight for one, other, weight in intent.pairs if one in present and other in present)


@functools.cache
def intents() -> tuple[Intent, ...]:
    """Every intent, sorted by id."""
    folder = resources.files(f"{_PACKAGE}.intents")
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return tuple(_intent(each.name.removesuffix(".toml"), tomllib.loads(each.read_text("utf-8"))) for each in files)


def _intent(id: str, told: dict[str, object]) -> Intent:
    weights, pairs = told.get("weights", {}), told.get("pairs", {})
    assert isinstance(weights, dict)
    assert isinstance(pairs, dict)
    return Intent(
        id=id,
        title=str(told["title"]),
        example=str(told["example"]),
        weights={str(name): float(weight) for name, weight in weights.items()},
        pairs=tuple((*_two(str(name)), float(weight)) for name, weight in pairs.items()),
    )


def _two(name: str) -> tuple[str, str]:
    one, _, other = name.partition(" + ")
    return one, other


@functools.cache
def _lexicon(part: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    text = resources.files(_PACKAGE).joinpath("concepts.toml").read_text("utf-8")
    return {name: tuple(stems(phrase) for phrase in phrases) for name, phrases in tomllib.loads(text)[part].items()}
