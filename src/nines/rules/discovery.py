"""Finds every rule: a module with its page beside it, in a folder of this package."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from importlib import resources

from nines.model.errors import SourceError
from nines.model.rule import Rule

_PACKAGE = "nines.rules"


@functools.cache
def discover() -> tuple[Rule, ...]:
    """Every rule, sorted by id; raises SourceError for a module without its page, INFO or check."""
    package = importlib.import_module(_PACKAGE)
    found = [
        _rule(topic.name, module.name)
        for topic in pkgutil.iter_modules(package.__path__)
        if topic.ispkg
        for module in pkgutil.iter_modules(importlib.import_module(f"{_PACKAGE}.{topic.name}").__path__)
        if not module.ispkg
    ]
    return tuple(sorted(found, key=lambda rule: rule.id))


def _rule(topic: str, name: str) -> Rule:
    module = importlib.import_module(f"{_PACKAGE}.{topic}.{name}")
    page = resources.files(f"{_PACKAGE}.{topic}").joinpath(f"{name}.md")
    where = f"{_PACKAGE}.{topic}.{name}"
    if not page.is_file():
        raise SourceError("a rule has no page", where=where, hint=f"Write {name}.md beside it.")
    try:
        info, check = module.INFO, module.check
    except AttributeError as error:
        raise SourceError(f"a rule is incomplete: {error}", where=where, hint="Define INFO and check.") from error
    return Rule(id=f"{topic}/{name}".replace("_", "-"), info=info, check=check, page=page.read_text(encoding="utf-8"))
