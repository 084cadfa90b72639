"""Settings are read strictly, and what is written is read back the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nines.model.errors import SettingsError
from nines.model.settings import (
    BudgetSettings,
    Identity,
    LoadSettings,
    LoginSettings,
    ServiceSettings,
    Settings,
    StubAnswer,
    UpstreamSettings,
)
from nines.model.tier import Tier
from nines.readers.settings import dump, load


def _own(folder: Path, text: str) -> Path:
    (folder / "nines.toml").write_text(text)
    return folder


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load(tmp_path) == Settings()


def test_both_places_are_read_but_not_at_once(tmp_path: Path) -> None:
    shared = tmp_path / "pyproject.toml"
    shared.write_text("[tool.nines]\nname = 'shared'\nfail_on = 'security'\n")
    assert load(tmp_path) == Settings(name="shared", fail_on=Tier.SECURITY)
    assert load(tmp_path / "elsewhere", shared).name == "shared"
    _own(tmp_path, "")
    assert load(tmp_path).name == "shared"
    _own(tmp_path, "name = 'own'")
    with pytest.raises(SettingsError, match="both"):
        load(tmp_path)
    assert load(tmp_path, tmp_path / "nines.toml").name == "own"
    shared.write_text("broken")
    assert load(tmp_path).name == "own"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[service]\ncomand = 'x'", ["service.comand", "Did you mean `command`?"]),
        ("[[identities]]\nname = 'a'\npasword = 'x'", ["identities[0].pasword", "`password`"]),
        ("[upstreams.pay]\nanswers = [{statu = 3}]", ["answers[0].statu", "`status`"]),
        ("[load]\nrate_hz = 'fast'", ["load.rate_hz", "float", "str"]),
        ("load = 3", ["`load`", "a table"]),
        ("fail_on = 'sometimes'", ["fail_on", "reliability, security"]),
        ("[budgets]\np95 = 'soon'", ["budgets.p95", "'soon'", "200ms"]),
        ("[budgets]\np95 = 'nan s'", ["budgets.p95"]),
        ("[budgets]\nerrors = '120%'", ["budgets.errors", "0.1%"]),
        ("[load]\nrate_hz = 0", ["load.rate_hz", "more than 0"]),
        ("[load]\nduration_s = -1.0", ["load.duration_s", "0 or more"]),
        ("[[identities]]\nname = 'a'\n[[identities]]\nname = 'a'", ["two identities"]),
        ("name =", ["not valid TOML"]),
        ("name = '\x00'", ["not valid TOML"]),
    ],
)
def test_what_is_wrong_says_where_and_what_else(tmp_path: Path, text: str, says: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(_own(tmp_path, text))
    message = str(caught.value)
    assert str(tmp_path / "nines.toml") in message
    assert [part for part in says if part not in message] == []


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path, tmp_path / "missing.toml")


def test_what_is_written_explains_itself_and_leaves_out_defaults() -> None:
    text = dump(Settings(name="shop", load=LoadSettings(rate_hz=80.0)))
    assert 'name = "shop"' in text
    assert "[load]\nrate_hz = 80.0\n" in text
    assert "duration_s_max" not in text
    assert all(line.startswith("#") for line in dump(Settings()).splitlines() if line)


_TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
_NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
_ANY: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), _TEXT, st.dates()),
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(_NAMES, children, max_size=3)),
    max_leaves=6,
)
_ANSWERS = st.builds(StubAnswer, method=_TEXT, body=_TEXT, status=st.integers(100, 599), delay_s=st.floats(0, 10))
_SETTINGS = st.builds(
    Settings,
    name=_TEXT,
    fail_on=st.sampled_from(Tier),
    exclude=st.lists(_TEXT, max_size=3).map(tuple),
    budgets=st.builds(BudgetSettings, p95=st.sampled_from(["1s", "250ms"]), availability=st.just("99%")),
    load=st.builds(
        LoadSettings, rate_hz=st.floats(0.1, 1e20), operations=st.dictionaries(_NAMES, st.floats(0, 9), max_size=2)
    ),
    service=st.builds(ServiceSettings, command=_TEXT, env=st.dictionaries(_NAMES, _TEXT, max_size=3)),
    upstreams=st.dictionaries(
        _NAMES, st.builds(UpstreamSettings, env=_TEXT, answers=st.lists(_ANSWERS, max_size=2).map(tuple)), max_size=2
    ),
    identities=st.lists(
        st.builds(Identity, name=_NAMES, headers=st.dictionaries(_NAMES, _TEXT, max_size=2)),
        max_size=2,
        unique_by=lambda i: i.name,
    ).map(tuple),
    login=st.builds(LoginSettings, json=st.dictionaries(_NAMES, _ANY, max_size=2)),
    values=st.dictionaries(_NAMES, _ANY, max_size=3),
)


@given(_SETTINGS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back_the_same(tmp_path: Path, expected: Settings) -> None:
    (tmp_path / "nines.toml").write_text(dump(expected), encoding="utf-8", newline="")
    assert load(tmp_path) == expected
