from __future__ import annotations

from pathlib import Path

from nines import rules
from nines.model.finding import Finding
from nines.model.settings import SecuritySettings
from nines.verbs import meant

RULE = "security/broken-object-authorization"


def _finding(*endpoints: str, rule: str = RULE) -> Finding:
    return Finding(rule=rule, message="a row of another", place=None, endpoint=endpoints[0], endpoints=endpoints)


def _kept(finding: Finding, *shared: str) -> int:
    found = meant.apply([finding], rules.discover(), SecuritySettings(shared=shared))
    assert len(found.findings) + found.count == 1
    return len(found.findings)


def test_what_is_declared_to_be_everybodys_is_no_finding() -> None:
    assert _kept(_finding("GET /items/{item_id}"), "GET /items/{item_id}") == 0
    assert _kept(_finding("GET /items/{item_id}"), "/items/*") == 0


def test_only_what_every_entry_point_declares_is_left_out() -> None:
    assert _kept(_finding("GET /items/{item_id}", "PATCH /items/{item_id}"), "GET /items/{item_id}") == 1
    assert _kept(_finding("GET /items/{item_id}")) == 1


def test_a_declaration_speaks_of_its_own_rule_alone() -> None:
    assert _kept(_finding("GET /items/{item_id}", rule="security/missing-authentication"), "/items/*") == 1


def test_the_rule_is_the_one_that_the_experiment_decides() -> None:
    assert Path(rules.__file__).parent.joinpath("security", "broken_object_authorization.py").exists()
    assert any(each.id == RULE and "security/object-authorization" in each.info.decided_by for each in rules.discover())
