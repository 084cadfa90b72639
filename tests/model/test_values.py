"""Small laws of the nouns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.model import settings
from nines.model.contract import path_shape
from nines.model.effect import Condition, Effect, EffectKind
from nines.model.verdict import Verdict


@given(st.lists(st.sampled_from(list(Verdict))))
def test_verdicts_merge_broken_before_unknown_before_holds(verdicts: list[Verdict]) -> None:
    merged = Verdict.merge(verdicts)
    if Verdict.BROKEN in verdicts:
        assert merged is Verdict.BROKEN
    elif not verdicts or Verdict.UNKNOWN in verdicts:
        assert merged is Verdict.UNKNOWN
    else:
        assert merged is Verdict.HOLDS


@pytest.mark.parametrize(("text", "value"), [("200ms", 0.2), ("2s", 2), ("5m", 300), ("1h", 3600), ("5min", 300)])
def test_durations(text: str, value: float) -> None:
    assert settings.seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "5", "-1s", "0s", "fast", "nan s", "inf s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError):
        settings.seconds(text)


@pytest.mark.parametrize(("text", "value"), [("99.9%", 0.999), ("0.1 %", 0.001), ("0.5", 0.5)])
def test_shares(text: str, value: float) -> None:
    assert settings.share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["101%", "-0.1", "much"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(ValueError):
        settings.share(text)


def test_path_shapes_ignore_names_of_parameters() -> None:
    shapes = {path_shape(p) for p in ("/items/{id}/x", "items/<int:pk>/x/", "/items/{item_id}/x", "/items/:id/x")}
    assert shapes == {"items/{}/x"}


def test_effects_on_different_arms_exclude_each_other() -> None:
    def on(arm: int, branch: int = 1) -> Effect:
        return Effect(kind=EffectKind.DATABASE_READ, conditions=(Condition(branch=branch, arm=arm),))

    assert on(0).excludes(on(1))
    assert not on(0).excludes(on(0))
    assert not on(0).excludes(on(1, branch=2))
