"""Decisions follow from the figures of a design, so that other figures decide otherwise."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from nines.model.blueprint import Blueprint, Deployment, OpenQuestion
from nines.model.design import Decision, Design
from nines.planning import plan
from tests.planning.blueprints import blueprints
from tests.planning.capacity.examples import NAMES, designed, example, loaded, notes

over_all = pytest.mark.parametrize("name", NAMES)

NUMBERS = {
    "data-store": 1,
    "service-boundaries": 2,
    "synchronous-or-later": 3,
    "event-transport": 4,
    "cache": 5,
    "authentication": 6,
    "api-style": 7,
    "identifiers": 8,
    "concurrency-control": 9,
    "write-path": 10,
    "runtime": 11,
    "deployment-platform": 12,
    "replication": 13,
    "regions": 14,
    "tenancy": 15,
    "spanning-operations": 16,
    "connection-pooling": 17,
    "passwords": 18,
    "idempotency": 19,
}
"""Records are referred to by their number: none of them ever changes."""


def decided(design: Design, id: str) -> Decision | None:
    return next((each for each in design.decisions if each.id == id), None)


def chosen(design: Design, id: str) -> str:
    found = decided(design, id)
    assert found is not None, [each.id for each in design.decisions]
    return found.chosen


def sound(design: Design) -> None:
    numbers = [each.number for each in design.decisions]
    assert numbers == sorted(set(numbers))
    for each in design.decisions:
        assert each.number == NUMBERS[each.id]
        names = [option.name for option in each.options]
        assert len(names) >= 2
        assert len(set(names)) == len(names)
        assert each.chosen in names
        assert all(option.gains and option.costs for option in each.options)
        assert each.context
        assert each.because
        assert not each.because.endswith(".")


@over_all
def test_every_decision_has_options_a_choice_and_reasons(name: str) -> None:
    sound(designed(name))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blueprints())
def test_of_any_blueprint(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    sound(design)
    assert design.capacity is not None


@over_all
def test_only_what_the_design_really_has(name: str) -> None:
    design = designed(name)
    found = {each.id for each in design.decisions}
    blueprint = example(name)
    assert ("event-transport" in found) == bool(blueprint.events.types)
    assert ("spanning-operations" in found) == any(each.saga for each in blueprint.operations)
    assert ("tenancy" in found) == (blueprint.tenancy is not None)
    assert ("passwords" in found) == (name == "login")


@pytest.mark.parametrize(
    ("concern", "expected"),
    [
        ("cache", {"login": "no cache", "shop": "public answers at the edge (CDN)"}),
        ("write-path", {"payments": "a transaction for each request", "notifications": "group commit"}),
        ("service-boundaries", {"payments": "one deployable with modules", "shop": "a service for each module"}),
        ("runtime", {"shop": "ASGI with msgspec and asyncpg", "notifications": "ASGI with msgspec and asyncpg"}),
        ("event-transport", {"shop": "outbox, relayed to nats", "login": "outbox, delivered to subscribers over HTTP"}),
        ("authentication", {"login": "signed tokens, issued here", "shop": "signed tokens, checked here (JWT)"}),
        (
            "synchronous-or-later",
            {"payments": "each operation by its promise", "notifications": "answer first, and do it in a job"},
        ),
    ],
)
def test_other_figures_decide_otherwise(concern: str, expected: dict[str, str]) -> None:
    assert {name: chosen(designed(name), concern) for name in expected} == expected


def test_few_sign_ins_afford_the_stronger_hash() -> None:
    few, many = loaded(example("login"), 0.02), designed("login")
    assert "64 MiB" in chosen(few, "passwords")
    assert "19 MiB" in chosen(many, "passwords")
    found = decided(many, "passwords")
    assert found is not None
    assert "34/s × 24 ms = 0.816 cores" in found.options[0].costs + found.options[0].gains


def test_what_may_be_lost_decides_the_copies_where_nobody_said() -> None:
    unsaid = ("replication: synchronous, ", "")
    assert chosen(notes(unsaid), "replication") == "a synchronous copy in another zone"
    assert chosen(notes(unsaid, ("rpo: 0s", "rpo: 1m")), "replication") == "an asynchronous copy"
    assert chosen(notes(unsaid, ("rpo: 0s", "rpo: 1d")), "replication") == "one server, with backups and archived logs"


def with_deployment(blueprint: Blueprint, availability: float, deploy: Deployment) -> Design:
    return plan(replace(blueprint, deploy=deploy, budgets=replace(blueprint.budgets, availability=availability)))


def test_regions_follow_the_promise_and_the_tenants() -> None:
    payments, login = example("payments"), example("login")
    two = replace(payments.deploy, regions=2)
    assert chosen(designed("payments"), "regions") == "one region, several zones"
    assert chosen(with_deployment(login, 0.99995, replace(login.deploy, regions=2)), "regions").startswith("a second")
    assert chosen(with_deployment(payments, 0.99995, two), "regions") == "several regions that all write"
    assert decided(notes(), "regions") is None


def test_a_pooler_where_the_server_would_refuse() -> None:
    text = ("pool: 5, connections: 100", "pool: 40, connections: 100")
    assert chosen(notes(text), "connection-pooling") == "a pooler in transaction mode (PgBouncer)"
    assert decided(notes(("connections: 100", "connections: 500")), "connection-pooling") is None


def test_given_is_what_the_blueprint_says() -> None:
    given = {each.id: each.is_given for each in designed("payments").decisions}
    assert given["replication"]
    assert given["data-store"]
    assert not given["write-path"]
    assert not given["runtime"]


def test_what_was_only_assumed_is_not_given() -> None:
    payments = example("payments")
    question = OpenQuestion(path="deploy.platform", question="What does it run on?", assumed="kubernetes", matters="")
    found = decided(plan(replace(payments, open_questions=(question,))), "deployment-platform")
    said = decided(designed("payments"), "deployment-platform")
    assert found is not None
    assert said is not None
    assert (found.is_given, said.is_given) == (False, True)


def test_what_nobody_said_is_a_question_with_what_was_assumed() -> None:
    load = "load: {steady: 20/s, peak: 100/s, growth: 1x/y, payload: 1KiB}\n"
    design = notes((load, ""), (", pool: 5, connections: 100", ""), ("rpo: 0s", "recovery: 5m"))
    found = {gap.where: gap for gap in design.gaps}
    assert {"load.peak", "load.steady", "budgets.rpo", "dependencies.db.pool"} <= set(found)
    assert found["load.peak"].assumed == "50/s"
    assert "100" in found["dependencies.db.connections"].assumed
    assert all(gap.question and gap.matters for gap in design.gaps)
    assert "load.peak" not in {gap.where for gap in notes().gaps}


@over_all
def test_what_was_said_is_no_question(name: str) -> None:
    asked = {gap.where for gap in designed(name).gaps}
    assert not asked & {path for path, _ in example(name).places}
