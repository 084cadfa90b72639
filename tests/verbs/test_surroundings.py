"""The interpreter that `nines init` finds, and the drivers in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nines.model.errors import SettingsError
from nines.verbs.surroundings import look_around


def test_an_interpreter_with_the_framework_is_asked_itself(tmp_path: Path) -> None:
    around = look_around(tmp_path, tmp_path, sys.executable, "asyncpg")
    assert around.has_framework
    assert "asyncpg" not in around.drivers
    assert "asyncpg" in look_around(tmp_path, tmp_path, sys.executable, "").drivers


def test_without_one_the_declarations_speak(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("fastapi\npsycopg2-binary==2.9\nSQLAlchemy\n")
    around = look_around(tmp_path, tmp_path, sys.executable, "no_such_framework")
    assert not around.has_framework
    assert around.drivers == {"psycopg2", "sqlalchemy"}


def test_no_interpreter_at_all(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a Python interpreter"):
        look_around(tmp_path, tmp_path, "no/such/python", "")
