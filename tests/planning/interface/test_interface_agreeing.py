from __future__ import annotations

from typing import Any

import pytest

from nines.model.blueprint import Blueprint
from nines.planning.interface.shapes import of_create
from nines.readers.blueprint import parse

SOUND = """
nines: 1
service: {{name: slots}}
auth: {{scheme: oidc, issuer: "${{ISSUER}}"}}
types: {{Span: {{least: int32, most: int32}}}}
resources:
  Room: {{fields: {{name: "string <= 20"}}, access: {{read: authenticated}}}}
  Slot:
    fields:
      starts_at: timestamp
      ends_at: timestamp
      from_room: {{ref: Room}}
      to_room: {{ref: Room}}
      price: {{type: decimal, min: 0}}
      deposit: {{type: decimal, min: 0}}
      seats: {{type: int32, min: 1, max: 12}}
      taken: {{type: int32, default: 0, read_only: true}}
      span: Span
      first_day: date
      last_day: date
    invariants: [{invariant}]
    access: {{read: authenticated, write: authenticated}}
operations: {{createSlot: {{on: Slot, do: create}}}}
dependencies: {{db: {{type: postgres}}}}
"""


def _example(invariant: str) -> dict[str, Any]:
    blueprint: Blueprint = parse(SOUND.format(invariant=invariant), "slots.yaml")
    resource = blueprint.resource("Slot")
    assert resource is not None
    return dict(of_create(resource, blueprint).example)


@pytest.mark.parametrize(
    ("invariant", "smaller", "larger"),
    [
        ('"starts_at < ends_at"', "starts_at", "ends_at"),
        ('"ends_at > starts_at and seats >= taken"', "starts_at", "ends_at"),
        ('"first_day < last_day"', "first_day", "last_day"),
        ('"last_day < first_day"', "last_day", "first_day"),
    ],
)
def test_an_example_keeps_its_order_in_time(invariant: str, smaller: str, larger: str) -> None:
    example = _example(invariant)
    assert example[smaller] < example[larger]


def test_an_example_keeps_figures_within_their_bounds() -> None:
    example = _example('"price > deposit", "seats < 5", "span.least < span.most"')
    assert float(example["price"]) > float(example["deposit"])
    assert 1 <= example["seats"] < 5
    assert example["span"]["least"] < example["span"]["most"]


def test_two_that_must_differ_are_two() -> None:
    example = _example('"from_room != to_room"')
    assert example["from_room_id"] != example["to_room_id"]


def test_what_is_no_plain_comparison_leaves_the_example_alone() -> None:
    assert _example('"seats + taken < 100"') == _example('"taken <= seats"')
