"""Finds every experiment: a module with its page beside it, in a folder of this package."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from importlib import resources

from nines.model.errors import SourceError
from nines.model.experiment import Experiment

_PACKAGE = "nines.experiments"
_FIRST = ("load", "security", "consistency", "contract", "database", "dependencies", "crash")
"""The order in which topics are tried: what kills and starves comes after what measures, and bad input, which
may spoil the identities, right before what needs a fresh database."""


@functools.cache
def discover() -> tuple[Experiment, ...]:
    """Every experiment in the order in which they are carried out.

    Raises SourceError for a module without its page, INFO, run or judge."""
    package = importlib.import_module(_PACKAGE)
    found = [
        _experiment(topic.name, module.name)
        for topic in pkgutil.iter_modules(package.__path__)
        if topic.ispkg
        for module in pkgutil.iter_modules(importlib.import_module(f"{_PACKAGE}.{topic.name}").__path__)
        if not module.ispkg
    ]
    return tuple(sorted(found, key=_position))


def _position(experiment: Experiment) -> tuple[int, str]:
    topic = experiment.id.partition("/")[0]
    return (_FIRST.index(topic) if topic in _FIRST else len(_FIRST), experiment.id)


def _experiment(topic: str, name: str) -> Experiment:
    where = f"{_PACKAGE}.{topic}.{name}"
    module = importlib.import_module(where)
    page = resources.files(f"{_PACKAGE}.{topic}").joinpath(f"{name}.md")
    if not page.is_file():
        raise SourceError("an experiment has no page", where=where, hint=f"Write {name}.md beside it.")
    try:
        info, run, judge = module.INFO, module.run, module.judge
    except AttributeError as error:
        raise SourceError(
            f"an experiment is incomplete: {error}", where=where, hint="Define INFO, run and judge."
        ) from error
    return Experiment(
        id=f"{topic}/{name}".replace("_", "-"),
        info=info,
        run=run,
        judge=judge,
        page=page.read_text(encoding="utf-8"),
    )
