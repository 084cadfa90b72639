"""Why a blueprint cannot hold, as design and build answer it."""

from __future__ import annotations

from nines.model.design import Objection
from nines.model.record import Record


class Way(Record):
    """A way out, with its trade-off."""

    name: str
    gains: str
    costs: str
    when: str = ""


class Objected(Record):
    """Why the blueprint cannot hold, or what to look at."""

    code: str
    where: str
    says: str
    options: tuple[Way, ...] = ()


def objected(objection: Objection) -> Objected:
    return Objected(
        code=objection.code,
        where=objection.where,
        says=objection.says,
        options=tuple(Way(name=o.name, gains=o.gains, costs=o.costs, when=o.when) for o in objection.options),
    )
