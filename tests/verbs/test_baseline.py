"""A baseline is a multiset: each entry covers as many findings as it counts, and a stale entry is named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.model.errors import SettingsError
from nines.model.finding import Finding
from nines.model.place import Place
from nines.verbs import baseline


def finding(subject: str) -> Finding:
    return Finding(rule="a/b", message="m", subject=subject, place=Place(file="f.py", line=1))


subjects = st.lists(st.sampled_from("abcd"), max_size=12)


@given(subjects, subjects)
def test_compare_is_multiset_subtraction(accepted: list[str], found: list[str]) -> None:
    compared = baseline.compare([finding(s) for s in found], baseline.of([finding(s) for s in accepted]))
    assert Counter(f.subject for f in compared.findings) == Counter(found) - Counter(accepted)
    assert compared.covered == (Counter(found) & Counter(accepted)).total()
    stale = {finding(s).fingerprint for s in Counter(accepted) - Counter(found)}
    assert {entry.fingerprint for entry in compared.stale} == stale


@given(subjects)
def test_a_saved_baseline_covers_exactly_what_it_was_made_of(found: list[str]) -> None:
    findings = [finding(s) for s in found]
    compared = baseline.compare(findings, baseline.of(findings))
    assert not compared.findings
    assert not compared.stale


def test_moved_lines_keep_their_fingerprint() -> None:
    moved = Finding(rule="a/b", message="m", subject="x", place=Place(file="f.py", line=99))
    assert moved.fingerprint == finding("x").fingerprint


def test_saves_and_loads(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    made = baseline.of([finding("a"), finding("a"), finding("b")])
    path.write_text(baseline.dump(made), encoding="utf-8")
    assert baseline.load(path) == made


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 9}', '{"entries": 3}'])
def test_a_file_that_is_no_baseline_is_one_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="baseline"):
        baseline.load(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        baseline.load(tmp_path / "absent.json")
