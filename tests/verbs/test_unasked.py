"""What runs and is not tried is told, and nothing is told of what is not there."""

from __future__ import annotations

from pathlib import Path

from nines.verbs.prove import unasked


def test_a_graph_that_nobody_asks_is_told_of(tmp_path: Path) -> None:
    assert not list(unasked(tmp_path))
    (tmp_path / "schema.graphql").write_text("type Query { a: Int }")
    (found,) = unasked(tmp_path)
    assert "GraphQL" in found.what
    assert "own tests" not in found.reason
    (tmp_path / "tests/contract").mkdir(parents=True)
    (tmp_path / "tests/contract/test_graph.py").write_text("")
    (found,) = unasked(tmp_path)
    assert "the service's own tests" in found.reason
