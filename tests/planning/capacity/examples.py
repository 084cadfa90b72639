"""Designs to reckon with: the example blueprints, and one small enough to reckon by hand."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from nines.model.blueprint import Blueprint
from nines.model.design import CapacityPlan, Design
from nines.planning import plan
from nines.readers import blueprint as reader

ROOT = Path(__file__).parents[3] / "examples" / "blueprints"
NAMES = ("login", "payments", "notifications", "shop")

NOTES = """
nines: 1
service: {name: notes, tier: internal, purpose: Keeps notes.}
budgets: {availability: 99.5%, p95: 200ms, rpo: 0s}
load: {steady: 20/s, peak: 100/s, growth: 1x/y, payload: 1KiB}
auth: {scheme: oidc, issuer: "${ISSUER}", audience: notes, algs: [EdDSA]}
resources:
  Note:
    fields:
      title: {type: string, max: 80}
    access: {read: owner, list: owner, write: owner}
    retention: forever
operations:
  getNote: {on: Note, do: read, share: 100%}
dependencies:
  db: {type: postgres, need: hard, replication: synchronous, pool: 5, connections: 100}
limits: {default: 100/m per subject}
deploy: {platform: kubernetes, regions: 1, zones: 3, replicas: {min: 2, max: 4}, cpu: 1, memory: 512MiB}
"""


@cache
def example(name: str) -> Blueprint:
    return reader.read(ROOT / f"{name}.yaml")


@cache
def simulated(name: str) -> Design:
    return plan(example(name), chance=random.Random(1).random, seed=1)


@cache
def designed(name: str) -> Design:
    return plan(example(name))


def notes(*changes: tuple[str, str]) -> Design:
    """The small design, with parts of its text replaced."""
    text = NOTES
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return plan(reader.parse(text))


def loaded(blueprint: Blueprint, factor: float) -> Design:
    """The design for a multiple of the load."""
    load = blueprint.load
    return plan(
        replace(blueprint, load=replace(load, steady_hz=load.steady_hz * factor, peak_hz=load.peak_hz * factor))
    )


def capacity_of(design: Design) -> CapacityPlan:
    assert design.capacity is not None
    return design.capacity
