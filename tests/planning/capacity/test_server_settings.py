"""Settings of the database's server follow from what is written and from how soon it must be back."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from nines.model.design import ServerSetting
from nines.planning.capacity.server import server_settings
from tests.planning.capacity.examples import NAMES, capacity_of, designed


def setting(found: tuple[ServerSetting, ...], name: str) -> int:
    value = next(each.value for each in found if each.name == name)
    matched = re.fullmatch(r"([0-9]+)(GB|MB|min)", value)
    assert matched is not None
    return int(matched[1])


@pytest.mark.parametrize("name", NAMES)
def test_a_crash_is_replayed_within_half_of_the_recovery(name: str) -> None:
    design = designed(name)
    assert design.blueprint is not None
    found = capacity_of(design).server
    log_gb = setting(found, "max_wal_size")
    assert log_gb == 1 or (log_gb - 1) * 1e9 / 100e6 <= 0.5 * design.blueprint.budgets.recovery_s


def test_more_writing_needs_more_and_a_sooner_recovery_allows_less() -> None:
    design = designed("notifications")
    uses = capacity_of(design).resources
    writes = next(use for use in uses if use.name == "rows written")
    assert design.blueprint is not None
    logs, evened = [], []
    for factor in (0.001, 0.01, 0.1, 1.0):
        found = server_settings(design.blueprint, design.tables, [replace(writes, at_peak=factor * writes.at_peak)])
        logs.append(setting(found, "max_wal_size"))
        evened.append(any(each.name == "backend_flush_after" for each in found))
    assert logs == sorted(logs)
    assert logs[0] < logs[-1]
    assert evened == [False, False, True, True]
    hurried = replace(design.blueprint, budgets=replace(design.blueprint.budgets, recovery_s=20.0))
    assert setting(server_settings(hurried, design.tables, uses), "max_wal_size") == 1


def test_where_nothing_is_written_nothing_is_said() -> None:
    design = designed("notifications")
    assert server_settings(design.blueprint, design.tables, []) == ()
    assert server_settings(None, design.tables, capacity_of(design).resources) == ()
