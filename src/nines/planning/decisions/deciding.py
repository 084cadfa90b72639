"""What the decisions ask a design, each question once."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.blueprint import Blueprint, Dependency, DependencyKind
from nines.model.design import Choice, Design, PlannedEndpoint, ResourceUse
from nines.planning.objecting import REMOTE, listed, option

__all__ = [
    "REMOTE",
    "choices",
    "database",
    "is_said",
    "listed",
    "option",
    "resource",
    "some",
    "writes",
]
_SHOWN_MAX = 3


def is_said(design: Design, path: str) -> bool:
    """Whether somebody decided it in the blueprint; of a service that exists it was found in its code.

    What stands there for a question that is still open was assumed, not said."""
    if design.blueprint is None:
        return True
    is_open = any(question.path == path for question in design.blueprint.open_questions)
    return path in dict(design.blueprint.places) and not is_open


def database(design: Design) -> Dependency | None:
    return next((each for each in design.dependencies if each.kind is DependencyKind.POSTGRES), None)


def resource(design: Design, name: str) -> ResourceUse | None:
    """What capacity tells about it."""
    if design.capacity is None:
        return None
    return next((use for use in design.capacity.resources if use.name == name), None)


def writes(design: Design) -> tuple[PlannedEndpoint, ...]:
    return tuple(each for each in design.endpoints if not each.is_safe)


def choices(*found: Choice | None) -> tuple[Choice, ...]:
    """Without those that do not arise here."""
    return tuple(each for each in found if each is not None)


def some(names: Iterable[str]) -> str:
    """ "a, b, c and 4 more"."""
    found = list(dict.fromkeys(names))
    if len(found) <= _SHOWN_MAX + 1:
        return listed(found)
    return f"{', '.join(found[:_SHOWN_MAX])} and {len(found) - _SHOWN_MAX} more"


def blueprint_of(design: Design) -> Blueprint:
    """For concerns that arise of blueprints only."""
    assert design.blueprint is not None
    return design.blueprint
