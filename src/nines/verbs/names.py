"""Names of rules and experiments as people write them: in full, or by their last part."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from nines import experiments, rules
from nines.model.report import Unexamined
from nines.model.settings import Settings

_NEAR_MAX = 3


def is_named(id: str, names: Iterable[str]) -> bool:
    """Whether one of the names means this id."""
    return any(name in (id, short(id)) for name in names)


def short(id: str) -> str:
    return id.rsplit("/", 1)[-1]


def near(name: str, ids: Iterable[str]) -> tuple[str, ...]:
    """The ids whose last parts look most like a name, the likest first."""
    by_short = {short(id): id for id in ids}
    found = difflib.get_close_matches(short(name).lower().replace("_", "-"), list(by_short), n=_NEAR_MAX, cutoff=0.6)
    return tuple(by_short[key] for key in found)


def unknown_in(settings: Settings) -> tuple[Unexamined, ...]:
    """What the settings switch off and nobody has: it may be a slip, so that the rule speaks after all."""
    wanted = (
        ("rules_off", settings.rules_off, [rule.id for rule in rules.discover()]),
        ("experiments_off", settings.experiments_off, [experiment.id for experiment in experiments.discover()]),
    )
    return tuple(
        Unexamined(what=f"the setting {key}", reason=f"nothing is called {name!r}", hint=_hint(name, ids))
        for key, names, ids in wanted
        for name in names
        if not any(is_named(id, (name,)) for id in ids)
    )


def _hint(name: str, ids: Iterable[str]) -> str:
    found = near(name, ids)
    return f"Did you mean {' or '.join(found)}?" if found else "List the names with: nines explain"
