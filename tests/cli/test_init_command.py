"""`nines init`: a configuration that can be used at once, without anybody's secrets, and never over another file."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nines.cli.main import run
from nines.readers.settings import load
from nines.verbs.lab_environment import LAB_PASSWORD, LAB_SECRET
from tests.cli.projects import MAIN, backend, write

Captured = pytest.CaptureFixture[str]
DJANGO = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.dev')\n",
    "shop/__init__.py": "",
    "shop/settings/__init__.py": "",
    "shop/settings/base.py": "ROOT_URLCONF = 'shop.urls'\nINSTALLED_APPS = []\n",
    "shop/settings/dev.py": "from shop.settings.base import *\nDEBUG = True\n",
    "shop/urls.py": "from django.urls import path\nurlpatterns = []\n",
    "shop/wsgi.py": (
        "import os\nfrom django.core.wsgi import get_wsgi_application\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.dev')\napplication = get_wsgi_application()\n"
    ),
}
FLASK = {
    "shop/__init__.py": (
        "from flask import Flask\n\ndef create_app():\n    app = Flask(__name__)\n\n"
        "    @app.get('/healthz')\n    def healthz():\n        return 'ok'\n\n    return app\n"
    ),
    "migrations/alembic.ini": "[alembic]\n",
}
REAL = """\
# what an owner keeps
DATABASE_URL=postgresql+asyncpg://shop:hunter2@db.internal:5432/shop
REDIS_URL=redis://:hunter2@cache.internal:6379/0
STRIPE_API_KEY=sk_live_51Habcdefghijklmnop
JWT_SECRET="hunter2 hunter2"
ACCESS_TOKEN_EXPIRE_MINUTES=30
SENTRY_DSN=https://0123456789abcdef@o1.ingest.sentry.io/42
PAYMENTS_URL=https://user:hunter2@pay.example.com/v2/
AMQP=amqp://guest:hunter2@broker.internal/
SOMETHING=Zk3kd93jdk20dkeow9fkwpq01kd
SMTP_HOST=smtp.example.com
SMTP_PASSWORD=
ADMIN_EMAIL=admin@example.com
ADMIN_PASSWORD=hunter2
LOG_LEVEL=info
FRONTEND_URL=https://shop.example.com
"""


def made(folder: Path, *flags: str) -> dict[str, object]:
    assert run(["init", str(folder), "--yes", *flags]) == 0
    load(folder)
    return tomllib.loads((folder / "nines.toml").read_text())


def test_credentials_stay_where_they_are(tmp_path: Path, capsys: Captured) -> None:
    write(backend(tmp_path), {".env": REAL})
    document = made(tmp_path)
    text = (tmp_path / "nines.toml").read_text() + "".join(capsys.readouterr())
    for secret in ("hunter2", "sk_live", "0123456789abcdef@", "Zk3kd93", "db.internal", "cache.internal"):
        assert secret not in text
    env = load(tmp_path).service.env
    assert env["DATABASE_URL"].startswith("postgresql+asyncpg://{database.user}")
    assert env["REDIS_URL"] == "{redis.url}"
    assert env["STRIPE_API_KEY"] == env["JWT_SECRET"] == env["SOMETHING"] == LAB_SECRET
    assert env["ACCESS_TOKEN_EXPIRE_MINUTES"] == "30"
    assert env["SENTRY_DSN"] == ""
    assert env["SMTP_HOST"] == "{mail.host}"
    assert env["LOG_LEVEL"] == "info"
    assert env["FRONTEND_URL"] == "https://shop.example.com"
    assert "SMTP_PASSWORD" not in env
    upstream = load(tmp_path).upstreams["payments"]
    assert (upstream.env, upstream.path) == ("PAYMENTS_URL", "/v2")
    admin = next(identity for identity in load(tmp_path).identities if identity.is_admin)
    assert (admin.username, admin.password, admin.register) == ("admin@example.com", LAB_PASSWORD, False)
    assert document["service"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--app", "a b"), "names no application"),
        (("--python", "/bin/cat"), "does not answer"),
        (("--python", "/no/such"), "is not a Python interpreter"),
    ],
)
def test_flags_that_cannot_be_right(tmp_path: Path, capsys: Captured, flags: tuple[str, ...], said: str) -> None:
    assert run(["init", str(backend(tmp_path)), "--yes", *flags]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "nines.toml").exists()


def test_fastapi_with_alembic(tmp_path: Path) -> None:
    write(backend(tmp_path), {"alembic.ini": ""})
    made(tmp_path)
    service = load(tmp_path).service
    assert (service.app, service.setup, service.ready) == ("app.main:app", ("alembic upgrade head",), "/health")


def test_django_with_settings_in_several_files(tmp_path: Path) -> None:
    write(tmp_path, DJANGO)
    made(tmp_path)
    service = load(tmp_path).service
    assert service.app == "shop.wsgi:application"
    assert service.setup == ("python manage.py migrate --noinput",)


def test_flask_with_a_factory(tmp_path: Path) -> None:
    write(tmp_path, FLASK)
    made(tmp_path)
    service = load(tmp_path).service
    assert service.app == "shop:create_app()"
    assert service.setup == ("flask --app shop:create_app db upgrade",)
    assert service.ready == "/healthz"


def test_a_backend_in_a_folder_of_a_monorepo(tmp_path: Path) -> None:
    write(tmp_path, {"frontend/package.json": "{}", "backend/alembic.ini": "", ".env.example": "COLOUR=red\n"})
    write(tmp_path, {"backend/.env.example": "POSTGRES_HOST=db\n"})
    backend(tmp_path / "backend")
    made(tmp_path)
    service = load(tmp_path).service
    assert (service.app, service.directory, service.setup) == ("app.main:app", "backend", ("alembic upgrade head",))
    assert service.env == {"POSTGRES_HOST": "{database.host}"}


def test_nothing_is_ever_overwritten(tmp_path: Path, capsys: Captured) -> None:
    write(backend(tmp_path), {"nines.toml": "# mine\n"})
    assert run(["init", str(tmp_path), "--yes"]) == 2
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "nines.toml").read_text() == "# mine\n"
    assert run(["init", str(tmp_path), "--print", "--yes"]) == 0
    assert "[service]" in capsys.readouterr().out
    assert run(["init", str(tmp_path), "--yes", "--force"]) == 0
    assert "[service]" in (tmp_path / "nines.toml").read_text()


def test_a_link_that_leads_out_is_not_written_through(tmp_path: Path) -> None:
    target = tmp_path / "target"
    project = backend(tmp_path / "project")
    (project / "nines.toml").symlink_to(target)
    assert run(["init", str(project), "--yes"]) == 2
    assert not target.exists()
    assert run(["init", str(project), "--yes", "--force"]) == 0
    assert not target.exists()


def test_one_place_for_the_configuration(tmp_path: Path, capsys: Captured) -> None:
    write(backend(tmp_path), {"pyproject.toml": '[tool.nines]\nname = "shop"\n'})
    assert run(["init", str(tmp_path), "--yes"]) == 2
    assert "[tool.nines] configures nines already" in capsys.readouterr().err
    assert not (tmp_path / "nines.toml").exists()


def test_a_broken_file_can_be_replaced_by_force_only(tmp_path: Path) -> None:
    write(backend(tmp_path), {"nines.toml": "name = "})
    assert run(["init", str(tmp_path), "--yes"]) == 2
    assert run(["init", str(tmp_path), "--yes", "--force"]) == 0
    assert load(tmp_path).service.app == "app.main:app"


@pytest.mark.lab
def test_a_terminal_is_asked_and_a_wrong_answer_is_asked_for_again(tmp_path: Path) -> None:
    main = MAIN.replace("app = FastAPI()", "app = FastAPI()\nclass AppSettings(BaseSettings):\n    region: str\n")
    backend(tmp_path, main)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "nines", "init", str(tmp_path)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        os.write(ours, b"eu\nowner=a@example.com:one peer=b@example.com:two\nstandard\nfast\n-1\n80\n")
        out, err = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, err
    assert "'fast' is not a number" in err
    assert "nines check" in out
    assert err.count("found: fastapi application") == 1
    settings = load(tmp_path)
    assert settings.load.rate_hz == 80
    assert settings.budgets.availability == "99.5%"
    assert [identity.name for identity in settings.identities] == ["owner", "peer"]
    assert settings.service.env["REGION"] == "eu"
