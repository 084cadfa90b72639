"""The graph of a service, where its blueprint asks for one: `_generated/graph.py` with what objects lead to, and its
tests. The schema beside it is the dossier's, which build places as `_generated/schema.graphql`."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.building.graph import loading, trying
from nines.building.names import source
from nines.model.design import Design
from nines.model.design.graph import has_graph


def write(design: Design) -> Iterator[File]:
    if has_graph(design):
        yield File(path=source(design, "_generated/graph.py"), text=loading.text(design))
        yield File(path="tests/contract/test_graph.py", text=trying.text(design))
