"""Nobody is limited."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option

_SHOWN_MAX = 5


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    free = [each.name for each in blueprint.operations if blueprint.limit_of(each.name) is None]
    if not free:
        return
    names = listed([*free[:_SHOWN_MAX], *([f"{len(free) - _SHOWN_MAX} more"] if len(free) > _SHOWN_MAX else [])])
    yield objection(
        __name__,
        blueprint,
        "limits",
        f"nothing limits how often one caller asks for {names}: one loop that went wild takes what all have "
        "(API4:2023)",
        (
            option("limits: {default: 100/m per subject}", "each has a fair share", "bursts of good callers get 429"),
            option(
                "a limit at the edge alone",
                "nothing to count here",
                "it knows addresses, not callers",
                "callers are few and known",
            ),
        ),
        is_fatal=False,
    )
