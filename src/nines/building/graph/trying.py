"""`tests/contract/test_graph.py`: what the schema promises, tried on the service as it runs."""

from __future__ import annotations

from nines.building.names import package
from nines.model.design import Design


def text(design: Design) -> str:
    return f'''"""What schema.graphql promises: the same operations behind the same guards, and bounded documents."""

from __future__ import annotations

from pathlib import Path

from nines_runtime.trials.graph import Graph, GraphPromises

ROOT = Path(__file__).parents[2]


class TestGraph(Graph):
    """Its tests are those of every graph."""

    promises = GraphPromises(ROOT / "src/{package(design)}/_generated/schema.graphql", ROOT / "openapi.yaml")
'''
