"""The module that prepares a fresh database."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.readers import python
from nines.verbs.preparing import preparation, prepared_by

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


FLASK = (
    "from flask import Flask\nfrom shop.db import db\n\n\ndef create_app():\n    app = Flask(__name__)\n"
    "    db.init_app(app)\n    return app\n"
)
HOLDER = "from flask_sqlalchemy import SQLAlchemy\n\ndb = SQLAlchemy()\n"
TABLES = (
    'python -c "from shop.app import create_app; from shop.db import db; create_app().app_context().push(); '
    'db.create_all()"'
)


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({"alembic.ini": "", "app/initial_data.py": GUARDED}, ("alembic upgrade head", "python -m app.initial_data")),
        ({"alembic.ini": "", "app/initial_data.py": IDLE}, ("alembic upgrade head",)),
        ({"app/seed.py": GUARDED}, ()),
        ({"db/alembic.ini": "[alembic]\nscript_location = db/scripts\n", "db/scripts/env.py": ""},
         ("alembic -c db/alembic.ini upgrade head",)),
        ({"db/alembic.ini": "[alembic]\nscript_location = scripts\n", "db/scripts/env.py": ""}, ()),
        ({"db/alembic.ini": "no configuration"}, ()),
        ({"manage.py": ""}, ("python manage.py migrate --noinput",)),
        ({"shop/manage.py": "", "shop/__init__.py": ""}, ("python -m shop.manage migrate --noinput",)),
        ({"src/manage.py": ""}, ("python src/manage.py migrate --noinput",)),
        ({"a/manage.py": "", "b/manage.py": ""}, ()),
        ({".venv/manage.py": "", "tests/manage.py": ""}, ()),
        ({"manage.py": "", "shop/fixtures/initial_data.json": "[]"},
         ("python manage.py migrate --noinput", "python manage.py loaddata initial_data")),
        ({"shop/app.py": FLASK, "shop/db.py": HOLDER, "shop/__init__.py": ""}, (TABLES,)),
        ({"shop/app.py": FLASK + "\n\ndef tables():\n    db.create_all()\n", "shop/db.py": HOLDER}, ()),
    ],
)  # fmt: skip
def test_what_prepares_a_fresh_database(tmp_path: Path, files: dict[str, str], commands: tuple[str, ...]) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    program = python.read(tmp_path)
    application = next(iter(python.applications(program)), None)
    assert preparation(tmp_path, program, ".", application).commands == commands
