"""Designs whose dossiers are tried: the examples, and one as it is recovered from code."""

from __future__ import annotations

import functools
from pathlib import Path

from nines import planning
from nines.model.blueprint import Card, Dependency, DependencyKind
from nines.model.design import (
    Branch,
    Design,
    Flow,
    FlowStep,
    Gap,
    PlannedColumn,
    PlannedEndpoint,
    PlannedIndex,
    PlannedJob,
    PlannedTable,
    Source,
    StepKind,
)
from nines.model.place import Place
from nines.planning.capacity import capacity
from nines.planning.decisions import decisions
from nines.planning.failures import failures
from nines.planning.running import running
from nines.planning.threats import threats
from nines.readers import blueprint as blueprint_reader

_FOLDER = Path(__file__).resolve().parents[2] / "examples" / "blueprints"
EXAMPLES = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@functools.cache
def example(name: str) -> Design:
    return planning.plan(blueprint_reader.read(_FOLDER / f"{name}.yaml"))


def recovered() -> Design:
    """Much is not known, and endpoints are named as reading names them."""
    place = Place(file="app/orders.py", line=12)
    ordering = Flow(
        steps=(
            FlowStep(kind=StepKind.CHECK, says="require a signed-in user"),
            FlowStep(kind=StepKind.BEGIN, says="begin", transaction=0),
            FlowStep(kind=StepKind.QUERY, says="insert", target="orders", transaction=0),
            FlowStep(
                kind=StepKind.CALL,
                says="POST https://pay.example/charges",
                target="pay.example",
                transaction=0,
                branches=(Branch(when="it answers 5xx", then="the error is passed on", status=500),),
            ),
            FlowStep(kind=StepKind.COMMIT, says="commit", transaction=0),
            FlowStep(kind=StepKind.RESPOND, says="answer"),
            FlowStep(kind=StepKind.ENQUEUE, says="enqueue send_mail", target="celery", after_response=True),
        ),
        is_complete=False,
    )
    reading = Flow(steps=(FlowStep(kind=StepKind.QUERY, says="select", target="orders"),))
    design = Design(
        card=Card(name="my_shop"),
        source=Source.CODE,
        where="my_shop",
        endpoints=(
            PlannedEndpoint(
                id="POST /orders",
                method="POST",
                path="/orders",
                flow=ordering,
                guards_known=False,
                place=place,
            ),
            PlannedEndpoint(id="GET /orders", method="GET", path="/orders", flow=reading, place=place),
            PlannedEndpoint(id="GET /health", method="GET", path="/health", place=place),
        ),
        jobs=(
            PlannedJob(
                name="app.tasks.send_mail", flow=Flow(steps=(FlowStep(kind=StepKind.CALL, says="send", target="smtp"),))
            ),
        ),
        dependencies=(
            Dependency(name="database", kind=DependencyKind.POSTGRES),
            Dependency(name="pay.example", kind=DependencyKind.HTTP, is_external=True),
        ),
        tables=(
            PlannedTable(
                name="orders",
                columns=(PlannedColumn(name="id", type="bigint"), PlannedColumn(name="total", type="numeric(10, 2)")),
                indexes=(PlannedIndex(name="orders_pkey", columns=("id",), is_unique=True, is_primary=True),),
                is_complete=False,
            ),
        ),
        gaps=(Gap(question="what app.plugins.load() imports", kind="reading", where="app/plugins.py:3"),),
    )
    for part in (capacity, threats, failures, running, decisions):
        design = part(design)
    return design
