"""`nines explain`: the page of a rule or an experiment, found by its id, its last part, or words in it."""

from __future__ import annotations

from nines import experiments, rules
from nines.model.errors import UsageError
from nines.model.record import Record
from nines.verbs import names


class Topic(Record):
    """Something that can be explained."""

    id: str
    kind: str
    """rule or experiment."""
    title: str
    page: str


def topics() -> tuple[Topic, ...]:
    """Everything that has a page, sorted by id."""
    found = [Topic(id=r.id, kind="rule", title=r.info.title, page=r.page) for r in rules.discover()]
    found += [Topic(id=e.id, kind="experiment", title=e.info.claim, page=e.page) for e in experiments.discover()]
    return tuple(sorted(found, key=lambda topic: topic.id))


def explain(name: str) -> Topic:
    """The topic with this id or last part; raises UsageError with the nearest names."""
    known = topics()
    wanted = name.strip().lower().replace("_", "-")
    exact = [topic for topic in known if names.is_named(topic.id, (wanted,))]
    if exact:
        return exact[0]
    near = names.near(wanted, [topic.id for topic in known])
    hint = f"Did you mean: {', '.join(near)}?" if near else "List them with: nines explain"
    raise UsageError(f"nothing is called {name!r}, and no page speaks of it", hint=hint)


def search(words: str) -> tuple[Topic, ...]:
    """The topics whose pages hold every word: those that have them in their id or title first."""
    wanted = words.lower().split()
    found = [
        topic for topic in topics() if wanted and all(word in f"{topic.id} {topic.page}".lower() for word in wanted)
    ]

    def rank(topic: Topic) -> tuple[int, int, str]:
        heading = f"{topic.id} {topic.title}".lower()
        page = topic.page.lower()
        return (-sum(word in heading for word in wanted), -sum(page.count(word) for word in wanted), topic.id)

    return tuple(sorted(found, key=rank))


def is_slip(name: str) -> bool:
    """Whether a name looks more like a misspelt one than like words to search for."""
    return " " not in name.strip() and bool(names.near(name, [topic.id for topic in topics()]))
