"""The tools of other fields tell right from wrong; otherwise a clean result would mean nothing."""

from __future__ import annotations

from pathlib import Path

from tests import tools


def test_diagrams_are_drawn_and_broken_ones_are_told(tmp_path: Path) -> None:
    drawn = tools.draw({"good": "flowchart LR\n  a[One] --> b", "bad": "flowchart LR\n  a[One --> b"}, tmp_path)
    assert drawn["good"].error == ""
    assert "<svg" in drawn["good"].svg
    assert "Parse error" in drawn["bad"].error


def test_openapi_linter_finds_a_missing_description() -> None:
    document = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}
    assert "info-description" in {each["rule"] for each in tools.lint_openapi(document)}


def test_asyncapi_parser_finds_a_missing_channel() -> None:
    text = "asyncapi: 3.0.0\ninfo: {title: x, version: '1'}\noperations: {a: {action: send}}\n"
    assert any("channel" in each["says"] for each in tools.parse_asyncapi(text))


def test_promtool_tells_a_broken_expression(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("groups: [{name: a, rules: [{alert: B, expr: 'rate(x['}]}]\n")
    assert tools.promtool("check", "rules", str(rules)).returncode != 0
