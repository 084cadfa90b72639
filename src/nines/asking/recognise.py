"""What a question asks for: concepts that its words stand for, weighed for each intent, and what phrasings taught."""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources

from nines.asking.entities import Entity, EntityKind, entities, marked
from nines.asking.learning import MARK, Learned
from nines.asking.words import ANY, holds, stem, stems
from nines.model.record import Record

_PACKAGE = "nines.asking"
SCORE_MIN = 2.0
"""Below this nothing was recognised."""
LEARNED_SHARE = 0.3
"""How much the phrasings count beside the weights: chosen on those that were held out."""
_ALSO_SHARE = 0.75
"""An intent that scores this share of the best is asked for as well."""
_SURE_MARGIN = 0.35
_QUESTION_CHARACTERS_MAX = 4_000
_ERROR = re.compile(r"(?<=[a-z])(?=(?:Error|Exception)\b)")
"""Where "TimeoutError" becomes two words."""
_ANYWHERE = frozenset({"what_is", "question_about_yours", "create", "consider", "why", "explain", "what_if"})
"""Concepts that stand in questions about anything at all: alone they are no question about a backend."""


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


class _Seen(Record):
    """A question as both ways of weighing see it."""

    text: str
    words: tuple[str, ...]
    concepts: tuple[str, ...]
    subjects: tuple[str, ...]
    entities: tuple[Entity, ...]

    @property
    def features(self) -> frozenset[str]:
        # What holds of one technology holds of another: their names teach nothing.
        named = {stem(entity.text) for entity in self.entities if entity.kind is EntityKind.TECHNOLOGY}
        words = [word for word in self.words if word not in named]
        pairs = {f"{one} {other}" for one, other in itertools.pairwise(words)}
        kinds = {f"entity{MARK}{entity.kind.value}" for entity in self.entities}
        concepts = {f"concept{MARK}{concept}" for concept in self.concepts}
        return frozenset({*words, *pairs, *kinds, *concepts, *([f"subject{MARK}"] if self.subjects else [])})

    @property
    def is_about_backends(self) -> bool:
        return bool(set(self.concepts) - _ANYWHERE or self.subjects or self.entities)


def recognise(question: str, knowledge: Learned | None = None) -> Asked:
    """Raises nothing: a question that nobody understands has no intents. `knowledge` is what phrasings taught."""
    seen = _see(question)
    evidence = (knowledge or _learned()).evidence(seen.features)
    named = {f"subject:{name}" for name in seen.subjects}
    kinds = {f"<{entity.kind.value}>" for entity in seen.entities}
    present = {*seen.concepts, *kinds, *named, *(["subject"] if named else [])}
    scores = [
        Weighed(intent=each.id, score=_score(each, present) + LEARNED_SHARE * evidence.get(each.id, 0.0))
        for each in intents()
    ]
    scores.sort(key=lambda each: (-each.score, each.intent))
    return Asked(
        text=seen.text,
        intents=tuple(each for each in scores if each.score >= SCORE_MIN and seen.is_about_backends),
        concepts=seen.concepts,
        subjects=seen.subjects,
        entities=seen.entities,
    )


def learn(phrasings: Mapping[str, Sequence[str]]) -> Learned:
    """From questions under the intents that they ask for."""
    return Learned((_see(text).features, intent) for intent, texts in phrasings.items() for text in texts)


def phrasings(part: str) -> dict[str, list[str]]:
    """Those that are shipped: `looked_at` or `held_out`."""
    found: dict[str, list[str]] = _data("phrasings")[part]
    return found


@functools.cache
def _learned() -> Learned:
    looked_at, held_out = phrasings("looked_at"), phrasings("held_out")
    return learn({intent: [*texts, *held_out.get(intent, [])] for intent, texts in looked_at.items()})


def _see(question: str) -> _Seen:
    text = " ".join(question[:_QUESTION_CHARACTERS_MAX].split())
    found = entities(text)
    words = stems(_ERROR.sub(" ", marked(text, found)))
    subjects = _counted("subjects", stems(text))
    return _Seen(
        text=text,
        words=words,
        concepts=tuple(_counted("concepts", words)),
        subjects=tuple(sorted(subjects, key=lambda name: -subjects[name])),
        entities=found,
    )


def _counted(part: str, words: tuple[str, ...]) -> dict[str, int]:
    """How many phrases of each concept stand in the words; only those whose first word does are tried."""
    found: dict[str, int] = {}
    lexicon = _lexicon(part)
    for word in {*words, ANY}:
        for name, phrase in lexicon.get(word, ()):
            if holds(words, phrase):
                found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items()))


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
def _lexicon(part: str) -> dict[str, tuple[tuple[str, tuple[str, ...]], ...]]:
    """The phrases with their concepts, by their first word."""
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for name, phrases in _data("concepts")[part].items():
        for phrase in phrases:
            words = stems(phrase)
            found.setdefault(words[0], []).append((name, words))
    return {word: tuple(phrases) for word, phrases in found.items()}


@functools.cache
def _data(name: str) -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files(_PACKAGE).joinpath(f"{name}.toml").read_text("utf-8"))
