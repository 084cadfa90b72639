"""Brings what a told framework does to the project's own lines: a reader cannot open a told one."""

from __future__ import annotations

import msgspec

from nines.model.effect import Effect
from nines.model.place import Place, Step
from nines.model.trace import Trace

_TOLD = "<"


def relocated(trace: Trace, home: Place) -> Trace:
    """The trace with every place in a project's file; `home` is where its entry point stands."""
    effects = tuple(_effect(effect, home) for effect in trace.effects)
    transactions = tuple(
        msgspec.structs.replace(each, place=home) if _is_told(each.place) else each for each in trace.transactions
    )
    blind = tuple(
        msgspec.structs.replace(each, place=_nearest(each.path, home), path=_steps(each.path, home))
        if _is_told(each.place) or any(_is_told(step.place) for step in each.path)
        else each
        for each in trace.blind
    )
    return msgspec.structs.replace(trace, effects=effects, transactions=transactions, blind=blind)


def _is_told(place: Place | None) -> bool:
    return place is not None and place.file.startswith(_TOLD)


def _nearest(path: tuple[Step, ...], home: Place) -> Place:
    return next((step.place for step in reversed(path) if not _is_told(step.place)), home)


def _steps(path: tuple[Step, ...], home: Place) -> tuple[Step, ...]:
    """The steps between functions of the project; one that a told function takes starts at the nearest own line."""
    kept: list[Step] = []
    near = home
    for step in path:
        if not _is_told(step.place):
            near = step.place
        if not step.function.startswith(("django.", "rest_framework.")):
            kept.append(step if not _is_told(step.place) else msgspec.structs.replace(step, place=near))
    return tuple(kept)


def _effect(effect: Effect, home: Place) -> Effect:
    places = (effect.place, *(step.place for step in effect.path), *(loop.place for loop in effect.loops))
    if not any(_is_told(place) for place in places):
        return effect
    near = _nearest(effect.path, home)
    loops = tuple(msgspec.structs.replace(x, place=near) if _is_told(x.place) else x for x in effect.loops)
    conditions = tuple(msgspec.structs.replace(x, place=near) if _is_told(x.place) else x for x in effect.conditions)
    return msgspec.structs.replace(
        effect,
        place=near if _is_told(effect.place) else effect.place,
        path=_steps(effect.path, home),
        loops=loops,
        conditions=conditions,
    )
