"""Everything that a blueprint can hold can be written, and everything that is written is kept."""

from __future__ import annotations

import msgspec
import pytest

from nines.model import blueprint as nouns
from nines.model.record import Record
from nines.readers.blueprint.records import Keys, Table
from nines.readers.blueprint.shapes import Shape
from nines.readers.blueprint.vocabulary.blueprint import BLUEPRINT

# The record that each section of the vocabulary becomes, and the fields that come from elsewhere than its keys.
BECOMES: dict[str, tuple[type[Record], set[str]]] = {
    "blueprint": (nouns.Blueprint, {"source", "places"}),
    "service": (nouns.Card, set()),
    "budgets": (nouns.Promises, set()),
    "load": (nouns.Demand, set()),
    "auth": (nouns.Authentication, set()),
    "role": (nouns.Role, {"name"}),
    "tenancy": (nouns.Tenancy, set()),
    "field": (nouns.Field, {"name", "place", "length_max", "maximum", "is_minimum_exclusive", "kind"}),
    "resource": (nouns.Resource, {"name", "place"}),
    "id": (nouns.Identifier, set()),
    "access": (nouns.Access, set()),
    "operation": (nouns.Operation, {"name", "place", "do", "to_state"}),
    "idempotency": (nouns.Idempotency, set()),
    "page": (nouns.Page, set()),
    "deprecated": (nouns.Deprecation, set()),
    "saga-step": (nouns.SagaStep, {"place"}),
    "job": (nouns.Job, {"name", "place"}),
    "dependency": (nouns.Dependency, {"name", "place"}),
    "retry": (nouns.RetryPolicy, set()),
    "breaker": (nouns.Breaker, set()),
    "event": (nouns.Event, {"name", "place"}),
    "events": (nouns.Events, set()),
    "consumer": (nouns.Consumer, {"name", "place", "do", "to_state"}),
    "module": (nouns.Module, {"name", "place"}),
    "deploy": (nouns.Deployment, {"replicas_min", "replicas_max"}),
    "open-question": (nouns.OpenQuestion, set()),
}
# Keys that are taken apart on the way: {type: "int64 > 0", max: 5}, {do: "-> paid"}, {replicas: {min: 2}}.
TAKEN_APART = {"field": {"type", "max"}, "operation": {"action"}, "consumer": {"action"}, "deploy": {"replicas"}}


def _sections(shape: Shape, found: dict[str, Keys]) -> dict[str, Keys]:
    if isinstance(shape, Keys):
        if shape.title in found:
            return found
        found[shape.title] = shape
    for part in shape.parts():
        _sections(part, found)
    return found


SECTIONS = _sections(BLUEPRINT, {})


@pytest.mark.parametrize("title", sorted(BECOMES))
def test_every_field_of_the_noun_has_a_key_and_every_key_a_field(title: str) -> None:
    noun, elsewhere = BECOMES[title]
    section = SECTIONS[title]
    written = {key.target for key in section.keys} - TAKEN_APART.get(title, set())
    written |= {section.rest.to} if section.rest is not None else set()
    assert written == {field.name for field in msgspec.structs.fields(noun)} - elsewhere


def test_every_section_becomes_something() -> None:
    assert set(SECTIONS) - set(BECOMES) == {"replicas"}


def test_every_key_says_what_it_means_in_a_sentence() -> None:
    for section in SECTIONS.values():
        for key in section.keys:
            assert key.says.endswith((".", "?")), f"{section.title}.{key.name}"
            assert key.says[0].isupper() or key.says.startswith("["), f"{section.title}.{key.name}"
        assert len({key.name for key in section.keys}) == len(section.keys)


def test_names_are_declared_where_they_can_be_referred_to() -> None:
    declared = set()

    def visit(shape: Shape, seen: set[int]) -> None:
        if id(shape) in seen:
            return
        seen.add(id(shape))
        if isinstance(shape, Table):
            declared.add(shape.declares)
        for part in shape.parts():
            visit(part, seen)

    visit(BLUEPRINT, set())
    assert declared >= {
        "role",
        "type",
        "field",
        "resource",
        "state",
        "operation",
        "job",
        "dependency",
        "event",
        "consumer",
        "module",
    }
