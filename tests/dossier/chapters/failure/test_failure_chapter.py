"""What the chapter on failure says, for the examples, for any blueprint, and for code that was read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from nines import planning
from nines.dossier.chapters import failure
from nines.model.blueprint import Blueprint, Promises
from nines.model.design import Design
from nines.model.effect import Deadline, Effect, EffectKind, Handler, Known
from nines.model.place import Place
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import Trace, Witness
from nines.readers import blueprint as reader
from tests.planning.blueprints import blueprints

EXAMPLES = sorted(Path("examples/blueprints").glob("*.yaml"))
SLOWLY = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def page(design: Design) -> str:
    return next(iter(failure.write(design))).text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_mode_and_every_assumption_of_the_examples_is_on_the_page(path: Path) -> None:
    design = planning.plan(reader.read(path))
    text = page(design)
    for mode in design.failures:
        assert f"| {mode.id} | {mode.mode} |" in text
        assert f"- {mode.id}: {mode.arithmetic}" in text
    assert design.forecast
    for assumption in design.forecast.assumptions:
        assert assumption[1:] in text
    assert "which is kept" in text
    assert "None" not in text


def test_a_missed_promise_is_said_with_the_ways_out() -> None:
    text = Path("examples/blueprints/payments.yaml").read_text(encoding="utf-8")
    said = page(planning.plan(reader.parse(text.replace("availability: 99.9%,", "availability: 99.995%,", 1))))
    assert "which is **missed**" in said
    assert "| promise 99.95 % |" in said


def test_the_time_of_every_attempt_is_held_against_the_promise() -> None:
    said = page(planning.plan(reader.read(Path("examples/blueprints/payments.yaml"))))
    asking = "`capturePayment`, `voidPayment`, `refundPayment`"
    assert f"| {asking} | gateway | 900 ms | 3 × 2 s = 6 s | 1.5 s | within the promise while it is well; 4.5 s" in said


def test_attempts_of_all_layers_multiply() -> None:
    text = Path("examples/blueprints/payments.yaml").read_text(encoding="utf-8")
    said = page(planning.plan(reader.parse(text)))
    assert "| `authorizePayments` | gateway | 6 attempts of the job" in said
    assert "× 3 of the call | 18 |" in said
    assert "the caller has 202 and does not repeat | 3 |" in said
    said = page(planning.plan(reader.parse(text.replace("fallback: queue", "fallback: none"))))
    assert "3 attempts here × 4 requests of a caller that repeats as the contract allows | 12 |" in said


def test_the_file_for_tools_has_the_figures_of_the_page() -> None:
    design = planning.plan(reader.read(Path("examples/blueprints/shop.yaml")))
    document = json.loads(next(d for d in failure.write(design) if d.path.endswith(".json")).text)
    assert [each["id"] for each in document["failures"]] == [each.id for each in design.failures]
    assert design.forecast
    assert document["forecast"]["availability"] == design.forecast.availability
    assert document["forecast"]["is_met"]


@SLOWLY
@given(blueprints())
def test_any_blueprint_has_a_page_that_is_written_the_same_twice(blueprint: Blueprint) -> None:
    design = planning.plan(blueprint)
    first, second = (tuple(failure.write(design)) for _ in range(2))
    assert first == second


def test_of_code_a_missing_deadline_is_open_and_nothing_is_forecast() -> None:
    endpoint = Endpoint(
        id="POST /orders",
        kind=EndpointKind.HTTP,
        function="app.make",
        place=Place(file="app.py", line=3),
        method="POST",
        path="/orders",
    )
    calls = [
        Effect(
            kind=EffectKind.REMOTE_CALL,
            target=f"https://{host}/v1",
            action="POST",
            library="httpx",
            deadline=deadline,
            handlers=handlers,
        )
        for host, deadline, handlers in (
            ("slow.example", Deadline(known=Known.MISSING), ()),
            (
                "quick.example",
                Deadline(known=Known.SET, duration_s=2.0),
                (Handler(errors=("httpx.TimeoutException",)),),
            ),
        )
    ]
    trace = Trace(endpoint=endpoint.id, witness=Witness.PREDICTED, effects=tuple(calls))
    design = planning.recover(
        Service(name="shop", endpoints=(endpoint,), traces=(trace,)), budgets=Promises(), where="shop"
    )
    modes = {(each.dependency, each.mode): each for each in design.failures}
    assert modes[("slow.example", "stalled")].is_open
    assert "POST /orders" in modes[("slow.example", "stalled")].caller_sees
    quick = modes[("quick.example", "stalled")]
    assert not quick.is_open
    assert quick.contained_by == (
        "deadline: 2 s at most for every call",
        "errors are caught by every operation and job that asks it (TimeoutException)",
    )
    assert design.forecast is None
    said = page(design)
    assert "no availability is forecast" in said
    assert "no deadline was found for POST /orders" in said
    assert "What availability is left" not in said
