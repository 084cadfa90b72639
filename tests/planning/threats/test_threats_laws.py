"""What holds for the threats of every blueprint."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from nines import planning
from nines.experiments.discovery import discover as experiments
from nines.model.blueprint import Blueprint
from nines.model.design import Design, ElementKind, Stride
from nines.model.design.access import ANONYMOUS, Reach, reach
from nines.planning.threats import kinds
from nines.planning.threats.drafting import API
from nines.readers import blueprint as reader
from nines.rules.discovery import discover as rules
from tests.planning.threats.surroundings import surrounded

EXAMPLES = sorted(Path("examples/blueprints").glob("*.yaml"))
SLOWLY = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TRIALS = {each.id for each in rules()} | {each.id for each in experiments()}


def trial_exists(trial: str, design: Design) -> bool:
    """A rule, an experiment, or the contract test of an answer that an operation of the design has."""
    if not trial.startswith("contract:"):
        return trial in TRIALS
    operation, status, problem = trial.removeprefix("contract:").split("/")
    endpoint = design.endpoint(operation)
    return endpoint is not None and (int(status), problem) in {(a.status, a.problem) for a in endpoint.answers}


def check(design: Design) -> None:
    for element in design.elements:
        found = [each for each in design.threats if each.element == element.id]
        assert {each.stride for each in found} == set(kinds(element, design)), element.id
    ids = [each.id for each in design.threats]
    assert len(set(ids)) == len(ids)
    assert len({each.id for each in design.elements}) == len(design.elements)
    known = {each.id for each in design.elements}
    for threat in design.threats:
        assert threat.says.endswith((".", ":")), threat
        assert threat.mitigation.endswith("."), threat
        assert threat.implemented_in
        assert threat.element in known
        for trial in threat.trials:
            assert trial_exists(trial, design), (threat.id, trial)
    assert tuple(each.code for each in design.answers) == API
    for answer in design.answers:
        assert answer.says
        assert set(answer.threats) == {each.id for each in design.threats if each.owasp == answer.code}


@SLOWLY
@given(surrounded())
def test_every_element_has_the_threats_of_its_kind_and_every_trial_exists(blueprint: Blueprint) -> None:
    check(planning.plan(blueprint))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_keep_the_laws(path: Path) -> None:
    check(planning.plan(reader.read(path)))


@SLOWLY
@given(surrounded())
def test_the_matrix_agrees_with_the_roles_of_the_operations(blueprint: Blueprint) -> None:
    design = planning.plan(blueprint)
    for endpoint in design.endpoints:
        assert bool(reach(endpoint, ANONYMOUS)) == endpoint.is_public
        for role in ("customer", "support", "nobody"):
            found = reach(endpoint, role)
            if endpoint.is_public:
                assert found == (Reach.ANY,)
            elif endpoint.roles and role not in endpoint.roles:
                assert found == ()
            elif not endpoint.grants:
                assert found == (Reach.ANY,)


@SLOWLY
@given(surrounded())
def test_flows_join_elements_and_only_those_over_a_boundary_are_threatened(blueprint: Blueprint) -> None:
    design = planning.plan(blueprint)
    zones = {each.id: each.zone for each in design.elements}
    for element in design.elements:
        if element.kind is ElementKind.FLOW:
            crosses = zones[element.source] != zones[element.target]
            assert bool(kinds(element, design)) == crosses
            assert Stride.SPOOFING not in kinds(element, design)


def test_a_service_without_authentication_is_open() -> None:
    text = """
nines: 1
service: {name: notes, owner: me, purpose: Keeps notes.}
auth: {scheme: none}
resources:
  Note:
    fields: {text: {type: string, max: 200}}
    access: {read: public, list: public, write: public}
    retention: forever
operations:
  createNote: {on: Note, do: create, public: true}
dependencies: {db: {type: postgres}}
"""
    design = planning.plan(reader.parse(text))
    spoofing = [
        each for each in design.threats if each.element == "person:anonymous" and each.stride is Stride.SPOOFING
    ]
    assert [each.is_open for each in spoofing] == [True]
    assert spoofing[0].options


def test_a_token_without_an_audience_is_open() -> None:
    found = _payments("audience: payments, ", "")
    says = [each.says for each in found.threats if each.is_open and each.owasp == "API2:2023"]
    assert any("another service" in each for each in says)
    assert not any(
        each.is_open and each.owasp == "API2:2023"
        for each in planning.plan(reader.read(Path("examples/blueprints/payments.yaml"))).threats
    )


def test_a_trail_that_is_switched_off_opens_repudiation() -> None:
    found = _payments("audit: all", "audit: none")
    still = [each for each in found.threats if each.element == "person:merchant" and each.stride is Stride.REPUDIATION]
    assert [each.is_open for each in still] == [True]
    assert "Payment" in still[0].options[0].name


def test_more_connections_than_the_server_has_are_an_open_denial() -> None:
    for most, is_open in ((300, False), (150, True)):
        design = _payments("connections: 300", f"connections: {most}")
        still = [each for each in design.threats if each.element == "store:db" and each.stride is Stride.DENIAL]
        assert [each.is_open for each in still] == [is_open]
        assert design.capacity
        assert design.capacity.pool
        assert design.capacity.pool.says in still[0].mitigation


def test_secrets_follow_from_what_is_kept_and_who_is_asked() -> None:
    names = {each.name for each in planning.plan(reader.read(Path("examples/blueprints/login.yaml"))).secrets}
    assert {"DB_PASSWORD", "MAIL_CREDENTIAL", "TOKEN_SIGNING_KEY", "CODE_KEY", "CURSOR_KEY"} <= names
    names = {each.name for each in planning.plan(reader.read(Path("examples/blueprints/shop.yaml"))).secrets}
    assert "TOKEN_SIGNING_KEY" not in names
    assert {"CACHE_CREDENTIAL", "BUS_CREDENTIAL", "PROVIDER_CREDENTIAL"} <= names


def _payments(old: str, new: str) -> Design:
    text = Path("examples/blueprints/payments.yaml").read_text(encoding="utf-8")
    assert old in text
    return planning.plan(reader.parse(text.replace(old, new)))
