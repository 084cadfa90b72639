from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.model.blueprint import Action, Criticality, DependencyKind, FieldKind
from nines.model.errors import UsageError
from nines.planning.objections import object_to
from nines.verbs.answers import Answers
from nines.verbs.interview import QUESTIONS, Question, interview, objection_to


def test_without_an_answer_everything_is_assumed_and_open() -> None:
    done = interview(Answers())
    assert [each.path for each in done.blueprint.open_questions] == [each.path for each in QUESTIONS]
    assert done.blueprint.service.tier is Criticality.STANDARD
    assert [each.do for each in done.blueprint.operations] == [
        Action.CREATE,
        Action.READ,
        Action.LIST,
        Action.UPDATE,
        Action.DELETE,
    ]
    assert object_to(done.blueprint) == ()


def test_what_is_answered_is_no_longer_open_and_stands_where_it_belongs() -> None:
    done = interview(
        Answers(
            name="orders",
            keeps="Order, Shipment",
            operations="createOrder getOrder listOrders cancelOrder createShipment",
            tier="critical",
            steady="150/s",
            peak="600/s",
            growth="3x/y",
            p95="300ms",
            data="special",
            loss="a-minute",
            stale="seconds",
            callers="services",
            tenant="firm_id",
            calls="gateway",
            broker="nats",
            platform="vm",
        )
    )
    found = done.blueprint
    assert found.open_questions == ()
    assert (found.service.name, found.service.tier) == ("orders", Criticality.CRITICAL)
    assert (found.load.steady_hz, found.load.peak_hz, found.load.growth_per_year) == (150, 600, 3)
    assert (found.budgets.latency_p95_s, found.budgets.loss_s, found.budgets.availability) == (0.3, 60, 0.9995)
    assert [(each.name, each.on, each.do) for each in found.operations] == [
        ("createOrder", "Order", Action.CREATE),
        ("getOrder", "Order", Action.READ),
        ("listOrders", "Order", Action.LIST),
        ("cancelOrder", "Order", Action.CUSTOM),
        ("createShipment", "Shipment", Action.CREATE),
    ]
    assert found.auth is not None
    assert found.auth.scheme == "oauth2-jwt"
    assert found.tenancy is not None
    assert found.tenancy.key == "firm_id"
    assert {each.name: each.kind for each in found.dependencies} == {
        "db": DependencyKind.POSTGRES,
        "bus": DependencyKind.NATS,
        "cache": DependencyKind.REDIS,
        "gateway": DependencyKind.HTTP,
    }
    assert found.events.broker == "bus"
    field = found.resources[0].fields[0]
    assert (field.kind, field.is_personal, field.is_encrypted) == (FieldKind.STRING, True, True)
    assert found.deploy.platform == "vm"
    assert [each for each in object_to(found) if each.is_fatal] == []


def test_somebody_who_is_asked_answers_or_leaves_open() -> None:
    asked: list[str] = []

    def ask(question: Question) -> str:
        asked.append(question.key)
        return "critical" if question.key == "tier" else ""

    done = interview(Answers(name="orders"), ask)
    assert asked == [each.key for each in QUESTIONS if each.key != "name"]
    assert done.blueprint.service.tier is Criticality.CRITICAL
    assert {each.path for each in done.blueprint.open_questions}.isdisjoint({"service.tier", "service.name"})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("name", "My Service"),
        ("name", "true"),
        ("keeps", "order"),
        ("keeps", ","),
        ("keeps", " ".join(f"R{number}" for number in range(21))),
        ("operations", "CreateOrder"),
        ("tier", "platinum"),
        ("steady", "lots"),
        ("steady", "0/s"),
        ("peak", "5"),
        ("growth", "0.5x/y"),
        ("p95", "soon"),
        ("data", "secret"),
        ("tenant", "name"),
        ("tenant", "Firm"),
        ("calls", "Gateway"),
        ("calls", "a/b"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(key: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"--{key}"):
        interview(msgspec.structs.replace(Answers(), **{key: said}))


def test_every_question_says_what_hangs_on_it_and_its_assumption_can_be_answered() -> None:
    for each in QUESTIONS:
        assert each.text
        assert each.matters
        if each.choices:
            assert each.assumed in each.choices
        elif each.key not in ("operations", "peak"):
            assert objection_to(each, each.assumed) == "" or each.assumed == "none"


_PASCAL = st.from_regex(r"[A-Z][A-Za-z0-9]{0,31}", fullmatch=True)
_CAMEL = st.from_regex(r"[a-z][A-Za-z0-9]{0,39}", fullmatch=True)
_KEBAB = st.from_regex(r"[a-z][a-z0-9_-]{0,39}", fullmatch=True)
_RATES = st.builds("{}/{}".format, st.integers(1, 10**9), st.sampled_from("smhd"))
_SAID = {
    "name": st.from_regex(r"[a-z]{1,20}", fullmatch=True).filter(lambda word: word not in ("true", "false", "null")),
    "keeps": st.lists(_PASCAL, min_size=1, max_size=4).map(" ".join),
    "operations": st.lists(_CAMEL, min_size=1, max_size=6).map(", ".join),
    "steady": _RATES,
    "peak": _RATES,
    "growth": st.integers(1, 1000).map("{}x/y".format),
    "p95": st.builds("{}{}".format, st.integers(1, 999), st.sampled_from(["ms", "s"])),
    "tenant": st.sampled_from(["none", "firm_id", "x"]),
    "calls": st.lists(_KEBAB, min_size=1, max_size=4).map(" ".join),
}


ONLY_FROM_FIGURES = {
    "availability-above-one-copy",
    "latency-below-work",
    "load-contradicts",
    "peak-above-database",
    "peak-above-processes",
    "pool-below-peak",
}
"""What somebody asks for that cannot be had; a first blueprint has no fault of its own."""


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            each.key: st.just("") | (st.sampled_from(each.choices) if each.choices else _SAID[each.key])
            for each in QUESTIONS
        }
    )
)
def test_whatever_is_answered_is_a_blueprint(said: dict[str, str]) -> None:
    done = interview(Answers(**said))
    assert len(done.blueprint.open_questions) == sum(not answer for answer in said.values())
    fatal = {each.code for each in object_to(done.blueprint) if each.is_fatal}
    assert fatal <= ONLY_FROM_FIGURES, done.text
