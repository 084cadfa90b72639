"""Which files run before a release, and which only when no process of the release before is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nines_runtime.data.migrations import MigrationError, migrate


def _write(folder: Path, *files: tuple[str, str, str]) -> Path:
    for name, phase, statement in files:
        (folder / f"{name}.sql").write_text(f"-- {phase}: for a test\n{statement}\n")
    return folder


FIRST = ("0001_first", "expand", "CREATE TABLE pets (id int PRIMARY KEY, name text, kind text);")
ADD = ("0002_add", "expand", "ALTER TABLE pets ADD COLUMN title text;")
DROP = ("0003_drop", "contract", "ALTER TABLE pets DROP COLUMN name;")
LATER = ("0004_later", "expand", "ALTER TABLE pets ADD COLUMN age int;")


def _migrated(url: str, folder: Path, through: str) -> list[str]:
    return [each.name for each in asyncio.run(migrate(url, folder, through=through))]


def test_a_database_that_has_seen_nothing_gets_everything(url: str, tmp_path: Path) -> None:
    assert _migrated(url, _write(tmp_path, FIRST, ADD, DROP), "migrate") == ["0001_first", "0002_add", "0003_drop"]
    assert _migrated(url, tmp_path, "migrate") == []


def test_what_old_processes_do_not_survive_waits_until_it_is_asked_for(url: str, tmp_path: Path) -> None:
    assert _migrated(url, _write(tmp_path, FIRST), "migrate") == ["0001_first"]
    _write(tmp_path, ADD, DROP)
    assert _migrated(url, tmp_path, "migrate") == ["0002_add"]
    assert _migrated(url, tmp_path, "migrate") == []
    assert _migrated(url, tmp_path, "contract") == ["0003_drop"]


def test_a_release_that_was_never_tidied_up_stops_the_next_one_with_the_way_out(url: str, tmp_path: Path) -> None:
    _migrated(url, _write(tmp_path, FIRST), "migrate")
    _write(tmp_path, ADD, DROP, LATER)
    with pytest.raises(MigrationError, match="0004_later has to wait for 0003_drop"):
        _migrated(url, tmp_path, "migrate")
    assert _migrated(url, tmp_path, "contract") == ["0003_drop", "0004_later"], "what came before stands"
