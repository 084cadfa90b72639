"""The command that brings a database to what a version needs; a job of its own, given nothing but the way there.

MIGRATIONS = Migrations(FOLDER, url="DB_URL", owner=("DB_MIGRATION_USER", "DB_MIGRATION_PASSWORD"))
sys.exit(MIGRATIONS.main(surroundings, prog="shop.migrate"))"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from nines_runtime.data.migrations import MigrationError, migrate
from nines_runtime.running.settings import Hidden, Url, read_settings

Surroundings = Callable[[], AbstractContextManager[Mapping[str, str]]]
"""Opens the environment in which a command runs: of a laptop with a database of its own."""


class Migrations(msgspec.Struct, frozen=True):
    """Files of SQL, and the variables that lead to the database. `owner` names those of the role that owns the tables
    (and lets the one in `url` use them) and of its password; where they are unset, that one owns the tables."""

    folder: Path
    url: str
    owner: tuple[str, str] | None = None

    def apply(self, environment: Mapping[str, str], *, is_all: bool = False) -> None:
        """What the database has not seen; `is_all` also what old processes would not survive. Raises MigrationError and
        SettingsError."""
        user, password = (name.lower() for name in self.owner or ("", ""))
        fields: list[tuple[str, Any] | tuple[str, Any, None]] = [(self.url.lower(), Url)]
        if self.owner is not None:
            fields += [(user, str | None, None), (password, Hidden | None, None)]
        settings = read_settings(msgspec.defstruct("MigrationSettings", fields, kw_only=True), environment)
        hidden = getattr(settings, password, None)
        asyncio.run(
            migrate(
                str(getattr(settings, self.url.lower())),
                self.folder,
                user=getattr(settings, user, None),
                password=hidden.reveal() if hidden else None,
                through="contract" if is_all else "migrate",
                tell=lambda text: print(text, file=sys.stderr),
            )
        )

    def main(self, surroundings: Surroundings, *, prog: str, words: Sequence[str] | None = None) -> int:
        """The command line; 1 where it was stopped."""
        parser = argparse.ArgumentParser(prog=prog)
        parser.add_argument("--contract", action="store_true", help="also what old processes would not survive")
        asked = parser.parse_args(words)
        with surroundings() as environment:
            try:
                self.apply(environment, is_all=asked.contract)
            except MigrationError as error:
                print(error, file=sys.stderr)
                return 1
        return 0
