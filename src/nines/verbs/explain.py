"""`nines explain`: the page of a rule or an experiment, found by its id, its last part, or words in it."""

from __future__ import annotations

import difflib

from nines import experiments, rules
from nines.model import page as page_model
from nines.model.errors import UsageError
from nines.model.record import Record

_SUGGESTIONS_MAX = 5


class Topic(Record):
    """Something that can be explained."""

    id: str
    kind: str
    """rule or experiment."""
    title: str
    page: str


def topics() -> tuple[Topic, ...]:
    """Everything that has a page, sorted by id."""
    found = [Topic(id=r.id, kind="rule", title=r.info.title, page=r.page) for r in rules.load()]
    found += [Topic(id=e.id, kind="experiment", title=e.info.claim, page=e.page) for e in experiments.load()]
    return tuple(sorted(found, key=lambda topic: topic.id))


def explain(name: str) -> Topic:
    """Raises UsageError with the nearest names."""
    known = topics()
    exact = [topic for topic in known if name in (topic.id, topic.id.rsplit("/", 1)[-1])]
    if exact:
        return exact[0]
    short = {topic.id.rsplit("/", 1)[-1]: topic.id for topic in known}
    near = difflib.get_close_matches(name.rsplit("/", 1)[-1], list(short), n=_SUGGESTIONS_MAX, cutoff=0.5)
    words = [t.id for t in known if all(word in t.page.lower() for word in name.lower().split())]
    suggestions = list(dict.fromkeys([*(short[n] for n in near), *words]))[:_SUGGESTIONS_MAX]
    hint = f"Did you mean: {', '.join(suggestions)}?" if suggestions else "List them with: nines explain"
    raise UsageError(f"nothing is called {name!r}", hint=hint)


def title_of(topic: Topic) -> str:
    """The page's own title."""
    return page_model.parse(topic.page, topic.id).title
