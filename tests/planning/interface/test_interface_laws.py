"""What holds for the interface of every blueprint."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator, FormatChecker

from nines.model.blueprint import Blueprint, FieldKind
from nines.model.design import Design, PlannedEndpoint, Source
from nines.planning import data, interface
from nines.planning.interface.schemas import name_of
from tests.planning.blueprints import blueprints

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_PARAMETER = re.compile(r"\{(\w+)\}")


def plan(blueprint: Blueprint) -> Design:
    """Only the parts that this chapter stands on, for the others take longer."""
    bare = Design(card=blueprint.service, source=Source.BLUEPRINT, blueprint=blueprint)
    return interface.endpoints(data.tables(bare))


def complaints(design: Design, name: str, example: Any) -> list[str]:
    """What a shape says against an example, the references of the contract included."""
    shape = design.shape(name)
    assert shape is not None, name
    return against(design, shape.schema, example)


def against(design: Design, schema: dict[str, Any], example: Any) -> list[str]:
    whole = {**schema, "components": {"schemas": {shape.name: shape.schema for shape in design.shapes}}}
    checker = Draft202012Validator(whole, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(example)]


@LAW
@given(blueprints())
def test_every_example_keeps_its_schema(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    for shape in design.shapes:
        Draft202012Validator.check_schema(shape.schema)
        assert complaints(design, shape.name, shape.example) == []
    for endpoint in design.endpoints:
        if endpoint.request:
            assert complaints(design, endpoint.request, endpoint.request_example) == []
        for answer in endpoint.answers:
            assert (answer.example is None) == (answer.shape == "")
            if answer.shape:
                assert complaints(design, answer.shape, answer.example) == []
        for parameter in endpoint.parameters:
            if parameter.example is not None:
                assert against(design, parameter.schema, parameter.example) == [], parameter.name


@LAW
@given(blueprints())
def test_each_operation_has_a_place_of_its_own(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    places = [(each.method, _PARAMETER.sub("{}", each.path)) for each in design.endpoints]
    assert len(set(places)) == len(places)
    assert {each.name for each in blueprint.operations} <= {each.id for each in design.endpoints}
    for endpoint in design.endpoints:
        assert endpoint.path.startswith("/v1/")
        named = [each for each in endpoint.path.split("/") if not each.startswith("{")]
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each) for each in named if each), endpoint.path
        in_path = [each.name for each in endpoint.parameters if each.location == "path"]
        assert in_path == _PARAMETER.findall(endpoint.path)


def problems(endpoint: PlannedEndpoint) -> set[str]:
    return {answer.problem for answer in endpoint.answers}


@LAW
@given(blueprints())
def test_the_answers_follow_from_what_is_asked(blueprint: Blueprint) -> None:
    for endpoint in plan(blueprint).endpoints:
        found = problems(endpoint)
        assert endpoint.success is not None
        assert endpoint.answers[0] is endpoint.success
        statuses = [answer.status for answer in endpoint.answers]
        assert statuses == sorted(statuses)
        assert ("unauthorized" in found) == (not endpoint.is_public)
        assert ("unsupported-media-type" in found) == bool(endpoint.request) == ("body-too-large" in found)
        assert ("precondition-required" in found) == endpoint.needs_if_match
        assert ("rate-limited" in found) == (endpoint.limit is not None)
        assert ("idempotency-key-reused" in found) == (endpoint.idempotency is not None)
        for answer in endpoint.answers:
            assert ("Retry-After" in answer.headers) >= (answer.status in (429, 503))
            assert answer.example is None or answer.status < 400 or answer.example["status"] == answer.status


@LAW
@given(blueprints())
def test_the_same_blueprint_gives_the_same_interface(blueprint: Blueprint) -> None:
    first, second = plan(blueprint), plan(blueprint)
    assert first.endpoints == second.endpoints
    assert first.shapes == second.shapes


@LAW
@given(blueprints())
def test_every_member_that_is_answered_is_kept_in_a_column(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    for resource in blueprint.resources:
        table, shape = design.table_of(resource.name), design.shape(resource.name)
        assert table is not None
        assert shape is not None
        parts = {name_of(field) for field in resource.fields if field.kind is FieldKind.VALUE}
        scalar = {name for name, value in shape.example.items() if not isinstance(value, list) and name not in parts}
        listed = {column.name for column in table.columns}
        assert scalar <= listed, scalar - listed
