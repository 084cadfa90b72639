"""The module that prepares a fresh database."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.readers import python
from nines.verbs.preparing import prepared_by

GUARDED = 'from app.db import Base\n\nif __name__ == "__main__":\n    Base.metadata.create_all()\n'
IDLE = "def migrate():\n    pass\n"


@pytest.mark.parametrize(
    ("files", "directory", "command"),
    [
        ({"app/migrate.py": GUARDED}, ".", ("python -m app.migrate",)),
        ({"src/app/init_db.py": "create()\n"}, "src", ("python -m app.init_db",)),
        ({"app/migrate/__main__.py": IDLE}, ".", ("python -m app.migrate",)),
        ({"app/migrate.py": IDLE}, ".", ()),
        ({"a/migrate.py": GUARDED, "b/migrate.py": GUARDED}, ".", ()),
        ({"app/migrate.py": GUARDED, "app/prestart.py": GUARDED}, ".", ("python -m app.migrate",)),
        ({"other/migrate.py": GUARDED}, "backend", ()),
        ({"app/migrations/0001_x.py": GUARDED}, ".", ()),
    ],
)
def test_a_module_that_does_something_when_it_runs(
    tmp_path: Path, files: dict[str, str], directory: str, command: tuple[str, ...]
) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert prepared_by(python.read(tmp_path), directory) == command
