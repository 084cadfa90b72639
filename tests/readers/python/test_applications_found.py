"""Application objects are found by reading, and the likeliest comes first."""

from __future__ import annotations

import textwrap
from pathlib import Path

from nines.model.service import Application
from nines.readers.python import applications, read


def _found(root: Path, files: dict[str, str]) -> list[Application]:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content))
    return list(applications(read(root)))


def _shown(found: list[Application]) -> list[tuple[str, str, str, str]]:
    return [(a.directory, a.module, a.name, a.interface) for a in found]


def test_the_main_application_comes_before_mounted_ones_and_examples(tmp_path: Path) -> None:
    found = _found(
        tmp_path,
        {
            "examples/app.py": "from fastapi import FastAPI\napp = FastAPI()\n",
            "backend/app/__init__.py": "",
            "backend/app/admin.py": "import fastapi\napp = fastapi.FastAPI()\n",
            "backend/app/main.py": """
                from fastapi import FastAPI
                from app.admin import app as admin
                app = FastAPI()
                app.mount("/admin", admin)
                @app.get("/")
                def root(): ...
            """,
        },
    )
    assert _shown(found) == [
        ("backend", "app.main", "app", "asgi"),
        ("backend", "app.admin", "app", "asgi"),
        ("examples", "app", "app", "asgi"),
    ]


def test_factories_and_subclasses_are_followed_across_files(tmp_path: Path) -> None:
    found = _found(
        tmp_path,
        {
            "shop/__init__.py": "from .factory import create_app\n",
            "shop/factory.py": """
                from flask import Flask
                class Shop(Flask): ...
                def create_app(config=None):
                    app = Shop(__name__)
                    app.register_blueprint(bp)
                    return app
                def build(config):
                    return Shop(config)
            """,
            "wsgi.py": "from shop import create_app\napplication = create_app()\n",
        },
    )
    assert _shown(found) == [(".", "wsgi", "application", "wsgi"), (".", "shop.factory", "create_app", "wsgi")]
    assert [a.is_factory for a in found] == [False, True]


def test_django_names_its_settings(tmp_path: Path) -> None:
    found = _found(
        tmp_path,
        {
            "site/manage.py": """
                import os
                def main():
                    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
            """,
            "site/project/__init__.py": "",
            "site/project/settings.py": "DEBUG = False\n",
            "site/project/wsgi.py": """
                from django.core.wsgi import get_wsgi_application
                application = get_wsgi_application()
            """,
            "site/project/asgi.py": """
                import os
                from django.core.asgi import get_asgi_application
                os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.production")
                application = get_asgi_application()
            """,
        },
    )
    assert _shown(found) == [
        ("site", "project.wsgi", "application", "wsgi"),
        ("site", "project.asgi", "application", "asgi"),
    ]
    assert [a.settings_module for a in found] == ["project.settings", "project.production"]


def test_two_services_of_one_repository_keep_to_their_own_modules(tmp_path: Path) -> None:
    files = {
        "main.py": "from app.factory import create_app\napp = create_app()\n",
        "app/__init__.py": "",
        "app/other.py": "",
    }
    found = _found(
        tmp_path,
        {f"services/{service}/{name}": content for service in ("a", "b") for name, content in files.items()}
        | {
            "services/a/app/factory.py": "from flask import Flask\ndef create_app(): return Flask('a')\n",
            "services/b/app/factory.py": "from fastapi import FastAPI\ndef create_app(): return FastAPI()\n",
        },
    )
    assert {(a.directory, a.module, a.name, a.framework) for a in found} == {
        ("services/a", "main", "app", "flask"),
        ("services/a", "app.factory", "create_app", "flask"),
        ("services/b", "main", "app", "fastapi"),
        ("services/b", "app.factory", "create_app", "fastapi"),
    }


def test_what_only_looks_like_one_is_none(tmp_path: Path) -> None:
    found = _found(
        tmp_path,
        {
            "a.py": "from other import FastAPI\napp = FastAPI()\n",
            "b.py": "from fastapi import FastAPI\nif __name__ == '__main__':\n    app = FastAPI()\n",
            "c.py": "from fastapi import APIRouter\napp = APIRouter()\n",
        },
    )
    assert found == []
