"""`nines explain`: the page of a pattern, a rule, an experiment, an objection or a guide, by its name or by words."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import nines
from nines import experiments, patterns, rules
from nines.model.errors import UsageError
from nines.model.record import Record
from nines.planning import objections
from nines.verbs import names

HITS_MAX = 20
"""More are no answer but a list of everything."""
_SHOWN_MAX = 80
"""Characters of what was asked for, in a message."""
_TITLE, _NAME, _LEAD, _TEXT = 8.0, 12.0, 3.0, 1.0
"""What a word weighs where it stands: in the title or another name, in the id, in the first sentence, anywhere else."""
_TEXT_MAX = 4
"""A page that repeats a word twenty times is not five times as good an answer."""
_FAINT = 0.08
"""Of the best hit's score; what lies below only mentions the words."""
_SMALL = re.compile(
    r"an?|and|are|as|at|be|by|do|for|from|how|i|in|is|it|my|need|no|not|of|on|or|our|should|the|to|we|"
    r"what|when|which|with|without"
)
"""Words that say nothing of what is looked for."""
_GUIDES = (Path(nines.__file__).parent / "guides", Path(nines.__file__).parents[2] / "docs" / "guides")
"""Beside the package where it was installed, in `docs/` of a clone."""
_TO_PATTERN = re.compile(r"\[([^\]]+)\]\(\.\./\.\./src/nines/patterns/([a-z0-9-]+)\.md\)")
_TO_FILE = re.compile(r"\[([^\]]+)\]\(\.\.?/[^)]*\)")
_FENCED = re.compile(r"^(`{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)


class Kind(StrEnum):
    PATTERN = "pattern"
    RULE = "rule"
    EXPERIMENT = "experiment"
    OBJECTION = "objection"
    GUIDE = "guide"

    @property
    def rank(self) -> int:
        return list(Kind).index(self)


class Link(Record):
    """Another topic, and why it is worth a look."""

    id: str
    kind: Kind
    title: str
    why: str
    """What it is to the topic: "what to do instead", "finds its absence", "proves it", "stands beside it"."""


class Topic(Record):
    """Something that can be explained."""

    id: str
    kind: Kind
    title: str
    page: str
    """Markdown."""
    summary: str = ""
    also_called: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@functools.cache
def topics() -> tuple[Topic, ...]:
    """Everything that has a page: by kind, patterns in the order of their topics, the others by id."""
    found = [*_patterns(), *_rules(), *_experiments(), *_objections(), *_guides()]
    return tuple(_linked(found))


def explain(name: str) -> Topic:
    """The topic with this id, last part, title or other name; raises UsageError with the nearest names."""
    found = named(name)
    if found is not None:
        return found
    near = names.near(_plain(name), _ids())
    hint = f"Did you mean: {', '.join(near)}?" if near else "List them with: nines explain"
    shown = name if len(name) <= _SHOWN_MAX else f"{name[:_SHOWN_MAX]}…"
    raise UsageError(f"nothing is called {shown!r}, and no page speaks of it", hint=hint)


def named(name: str) -> Topic | None:
    """The topic that is called so; a rule before a pattern of the same name, since reports name rules."""
    wanted = _plain(name)
    exact = [topic for topic in topics() if names.is_named(topic.id, (wanted,))]
    others = [topic for topic in topics() if wanted in map(_plain, (topic.title, *topic.also_called))]
    return next(iter(exact or others), None)


def search(words: str, *, limit: int = HITS_MAX) -> tuple[Topic, ...]:
    """The topics that speak of the words, the best first: rare words count more, and so does holding all of them."""
    wanted = [_stem(word) for word in _words(words) if not _SMALL.fullmatch(word)]
    weights = {word: [_weight(topic, word) for topic in topics()] for word in dict.fromkeys(wanted)}
    found: list[tuple[float, Topic]] = []
    for position, topic in enumerate(topics()):
        held = [word for word in weights if weights[word][position]]
        if len(held) * 2 >= len(weights) and held:
            score = sum(weights[word][position] * _rarity(weights[word]) for word in held)
            found.append((score * (len(held) / len(weights)) ** 2, topic))
    found.sort(key=lambda each: (-each[0], each[1].kind.rank, each[1].id))
    return tuple(topic for score, topic in found[:limit] if score >= _FAINT * found[0][0])


def about(id: str) -> tuple[Topic, ...]:
    """The patterns that say what should be done where this rule, experiment or objection speaks."""
    wanted = {pattern.id for pattern in patterns.about(id)}
    return tuple(topic for topic in topics() if topic.kind is Kind.PATTERN and topic.id in wanted)


def is_slip(name: str) -> bool:
    """Whether a name looks more like a misspelt one than like a word to search for, as "cahce" does."""
    is_near = " " not in name.strip() and bool(names.near(_plain(name), _ids()))
    return is_near and ("-" in name or "/" in name or not search(name))


def _ids() -> list[str]:
    """Objections first: of two with the same last part the later is suggested, and reports name rules by it."""
    return [topic.id for topic in sorted(topics(), key=lambda topic: -topic.kind.rank)]


def _patterns() -> list[Topic]:
    return [
        Topic(
            id=pattern.id,
            kind=Kind.PATTERN,
            title=pattern.title,
            page=pattern.page,
            summary=pattern.summary,
            also_called=pattern.also_called,
        )
        for pattern in patterns.discover()
    ]


def _rules() -> list[Topic]:
    return [Topic(id=rule.id, kind=Kind.RULE, title=rule.info.title, page=rule.page) for rule in rules.discover()]


def _experiments() -> list[Topic]:
    return [
        Topic(id=each.id, kind=Kind.EXPERIMENT, title=each.info.title, page=each.page, summary=each.info.claim)
        for each in experiments.discover()
    ]


def _objections() -> list[Topic]:
    return [
        Topic(id=code, kind=Kind.OBJECTION, title=title.rstrip("."), page=_objection(code, title), summary=title)
        for code, title in objections.titles()
    ]


def _objection(code: str, title: str) -> str:
    """An objection has no page of its own: what it says depends on the blueprint that it is raised against."""
    return (
        f"# {title.rstrip('.')}\n\nAn objection of `nines design`, called `{code}`. Where it is raised it names the "
        "line of the blueprint, shows its arithmetic, and offers at least two ways out.\n"
    )


def _guides() -> list[Topic]:
    """A guide leads to files of the repository; here it leads to the pages of the same names."""
    folder = next((folder for folder in _GUIDES if folder.is_dir()), None)
    found = []
    for file in sorted(folder.glob("*.md")) if folder else ():
        text = _TO_FILE.sub(r"\1", _TO_PATTERN.sub(r"\1 (`\2`)", file.read_text(encoding="utf-8")))
        title = text.partition("\n")[0].removeprefix("# ")
        found.append(Topic(id=file.stem, kind=Kind.GUIDE, title=title, page=text))
    return found


def _linked(found: Sequence[Topic]) -> list[Topic]:
    """Gives each topic its links, in both directions."""
    by_id = {topic.id: topic for topic in found}
    links: dict[str, list[Link]] = {topic.id: [] for topic in found}
    for pattern in patterns.discover():
        for ids, there, back in (
            (pattern.rules, "finds its absence", "what to do instead"),
            (pattern.experiments, "proves it", "what makes it hold"),
            (pattern.objections, "asks for it in a blueprint", "what answers it"),
        ):
            for id in filter(by_id.__contains__, ids):
                links[pattern.id].append(_link(by_id[id], there))
                links[id].append(_link(by_id[pattern.id], back))
        links[pattern.id] += [_link(by_id[id], "stands beside it") for id in pattern.related if id in by_id]
    for guide in (topic for topic in found if topic.kind is Kind.GUIDE):
        for id in dict.fromkeys(re.findall(r"\(`([a-z0-9-]+)`\)", guide.page)):
            if id not in by_id or by_id[id].kind is not Kind.PATTERN:
                continue
            links[guide.id].append(_link(by_id[id], "told there"))
            links[id].append(_link(guide, "shows it"))
    return [
        Topic(
            id=topic.id,
            kind=topic.kind,
            title=topic.title,
            page=topic.page,
            summary=topic.summary or _lead(topic.page),
            also_called=topic.also_called,
            links=tuple(links[topic.id]),
        )
        for topic in found
    ]


def _link(topic: Topic, why: str) -> Link:
    return Link(id=topic.id, kind=topic.kind, title=topic.title, why=why)


def _lead(page: str) -> str:
    """The first sentence that is neither a heading nor a list."""
    paragraph = next((p for p in page.split("\n\n") if p.strip() and p.lstrip()[0] not in "#-|`"), "")
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(paragraph.split()), maxsplit=1)[0]


def _weight(topic: Topic, stem: str) -> float:
    """How prominently a topic speaks of a word."""
    name, title, lead, text = _stems(topic)
    # Of a name that consists of the word alone it is the whole; of a name of four words it is a part.
    named_by = _NAME / math.sqrt(len(name))
    weight = sum(gain for gain, there in ((named_by, name), (_TITLE, title), (_LEAD, lead)) if stem in there)
    return weight + _TEXT * min(_TEXT_MAX, text.count(stem))


def _rarity(weights: Sequence[float]) -> float:
    """A word that every page has tells nothing; one that three have tells nearly all."""
    return math.log(1 + len(weights) / (1 + sum(weight > 0 for weight in weights)))


@functools.lru_cache(maxsize=1024)
def _stems(topic: Topic) -> tuple[frozenset[str], frozenset[str], frozenset[str], tuple[str, ...]]:
    """The words of id, names, first sentence and prose; code is left out, for its names mean something else."""
    prose = _FENCED.sub("", topic.page)
    names_ = " ".join((topic.title, *topic.also_called))
    id, title, lead, text = (tuple(map(_stem, _words(part))) for part in (topic.id, names_, topic.summary, prose))
    return frozenset(id), frozenset(title), frozenset(lead), text


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", text.lower()))


def _stem(word: str) -> str:
    """Near enough to join "retries" and "retry", "limits" and "limit", "caching" and "cache"."""
    for ending, instead in (
        ("ies", "y"),
        ("ied", "y"),
        ("ing", ""),
        ("ed", ""),
        ("es", ""),
        ("s", ""),
        ("e", ""),
        ("y", "y"),
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word.removesuffix(ending) + instead
    return word


def _plain(name: str) -> str:
    return "-".join(name.strip().lower().replace("_", "-").split())
