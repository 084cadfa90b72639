"""`nines trace` and `nines explain`: what a person reads, at any width."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.cli.main import run
from nines.model.effect import Condition, Effect, EffectKind
from nines.model.place import Place, Step
from nines.model.service import Endpoint, EndpointKind, Guard, GuardKind
from nines.model.trace import Trace, Witness
from nines.reports import tree
from tests.cli.projects import MAIN, backend

Captured = pytest.CaptureFixture[str]
PLACE = Place(file="src/shop/deep/down/in/a/folder/module.py", line=120)


def condition(branch: int, text: str, arm: int = 0) -> Condition:
    return Condition(branch=branch, arm=arm, place=PLACE, text=text)


def effect(target: str, *conditions: Condition, depth: int = 1) -> Effect:
    path = tuple(Step(function=f"shop.deep.module{i}.Service.call{i}", place=PLACE) for i in range(depth))
    return Effect(
        kind=EffectKind.DATABASE_READ, action="SELECT", target=target, place=PLACE, path=path, conditions=conditions
    )


def endpoint(path: str = "/x") -> Endpoint:
    guards = tuple(
        Guard(kind=kind, name="shop.auth.signed_in", place=PLACE)
        for kind in (GuardKind.AUTHENTICATION, GuardKind.AUTHORISATION)
    )
    return Endpoint(
        id=f"GET {path}",
        kind=EndpointKind.HTTP,
        function="shop.api.read",
        place=PLACE,
        method="GET",
        path=path,
        guards=guards,
    )


def shown(*effects: Effect, width: int = 140) -> str:
    trace = Trace(endpoint="GET /x", witness=Witness.PREDICTED, effects=effects)
    return tree.traces([(endpoint(), trace)], width=width, is_coloured=False)


def test_a_condition_is_told_where_it_begins_only() -> None:
    first, second = condition(1, "user is None", arm=1), condition(2, "not paid", arm=1)
    text = shown(effect("a", first), effect("b", first, second), effect("c", first, second), effect("d", first))
    assert text.count("unless user is None") == 1
    assert text.count("if paid") == 1


def test_the_other_arm_is_told_again() -> None:
    text = shown(effect("a", condition(1, "x > 3")), effect("b", condition(1, "x > 3", arm=1)))
    assert "[if x > 3]" in text
    assert "[unless x > 3]" in text


def test_many_conditions_are_folded_and_long_ones_cut() -> None:
    many = [condition(i, f"flag_{i} and " + "z" * 200) for i in range(9)]
    text = shown(effect("a", *many))
    assert "[6 conditions]" in text
    assert "flag_8" in text
    assert "z" * 100 not in text


def test_one_guard_is_one_line() -> None:
    assert shown().count("signed_in") == 1
    assert "authentication and authorisation: signed_in" in shown()


@pytest.mark.parametrize("width", [80, 140])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    conditions = [condition(i, f"some.quite.long.condition_{i} == other.value[{i}]") for i in range(5)]
    text = shown(*(effect(f"table_{i}", *conditions[:i], depth=8) for i in range(5)), width=width)
    pairs = [(endpoint("/v1/organisations/{organisation_id}/members/{member_id}/roles"), None)] * 300
    text += "\n" + tree.listing(pairs, width=width, is_coloured=False)
    assert max(map(len, text.splitlines())) <= width


def test_a_listing_ends_with_its_sum() -> None:
    trace = Trace(endpoint="GET /x", witness=Witness.PREDICTED, effects=(effect("a"),))
    text = tree.listing([(endpoint(), trace)] * 200, width=80, is_coloured=False)
    assert text.splitlines()[-1] == "200 entry points with 200 effects"


def test_many_matches_are_listed_after_the_first(tmp_path: Path, capsys: Captured) -> None:
    routes = "".join(f'\n\n@app.get("/item{i}/x")\ndef item{i}():\n    return {i}\n' for i in range(40))
    assert run(["trace", str(backend(tmp_path, MAIN + routes)), "item"]) == 0
    out = capsys.readouterr().out
    assert out.count("no effect was found") == 20
    assert "20 more contain 'item'" in out


def test_an_endpoint_of_the_folder_that_one_stands_in(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(backend(tmp_path))
    for wanted in ("GET /rates", "/rates"):
        assert run(["trace", wanted]) == 0
        assert "remote call" in capsys.readouterr().out


def test_explains_by_name_lists_by_words(capsys: Captured) -> None:
    for name in ("call-without-deadline", "deadlines/call-without-deadline", "Call_Without_Deadline"):
        assert run(["explain", name]) == 0
        assert "## Options" in capsys.readouterr().out
    assert run(["explain", "waits for ever"]) == 0
    heard = capsys.readouterr()
    assert "these pages speak of it" in heard.err
    assert "deadlines/call-without-deadline" in heard.out
    assert run(["explain"]) == 0
    listed = capsys.readouterr().out
    assert {"rules", "experiments"} <= set(listed.splitlines())
