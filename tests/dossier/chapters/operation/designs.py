"""The designs that the chapter is tried with."""

from __future__ import annotations

import functools
from pathlib import Path

from nines.dossier.chapters import operation
from nines.model.blueprint import Card, Dependency, DependencyKind
from nines.model.design import Design, PlannedColumn, PlannedEndpoint, PlannedTable, Source
from nines.planning import plan
from nines.planning.running import running
from nines.readers import blueprint as reader

EXAMPLES = Path(__file__).parents[4] / "examples" / "blueprints"
NAMES = ("login", "notifications", "payments", "shop")


@functools.cache
def example(name: str) -> Design:
    return plan(reader.read(EXAMPLES / f"{name}.yaml"))


def written(design: Design) -> dict[str, str]:
    return {each.path: each.text for each in operation.write(design)}


RECOVERED = running(
    Design(
        card=Card(name="shop", api=""),
        source=Source.CODE,
        where="shop",
        endpoints=(
            PlannedEndpoint(id="GET /items/{id}", method="GET", path="/items/{id}", guards_known=False),
            PlannedEndpoint(id="POST /items", method="POST", path="/items"),
        ),
        dependencies=(Dependency(name="db", kind=DependencyKind.POSTGRES),),
        tables=(PlannedTable(name="items", columns=(PlannedColumn(name="email", type="text", is_personal=True),)),),
    )
)
