"""The doors of a service: `python -m <package>`, and its migrations."""

from __future__ import annotations

from nines.building.names import package
from nines.building.project import settings
from nines.building.python import call, laid
from nines.model.design import Design


def init(design: Design) -> str:
    purpose = " ".join((design.card.purpose or "").split())
    return f'"""{purpose if 0 < len(purpose) < 110 else f"The service {design.name}."}"""\n'


_MODULE = """    parser.add_argument(
        "--module", choices=tuple(OPERATIONS), default="", help="serves this part alone; everything if unset"
    )
"""


def main(design: Design) -> str:
    name = package(design)
    migrate = (
        """        if environment.get("ENVIRONMENT") == "local":
            MIGRATIONS.apply(environment, is_all=True)
"""
        if settings.database(design)
        else ""
    )
    imported = f"from {name}.migrate import MIGRATIONS\n" if migrate else ""
    apart, functools, part = "", "", ""
    run = "run(lambda: application(settings), host=arguments.host, port=arguments.port, workers=arguments.workers)"
    told = "read_settings(Settings, environment)"
    if any(each.module for each in design.running.deployables):
        apart, functools = (
            f"from {name}._generated.apart import ABSENT, OPERATIONS\n",
            "from functools import partial\n",
        )
        part = _MODULE
        made = "partial(application, settings, module=arguments.module)"
        run = f"""run(
            {made},
            host=arguments.host,
            port=arguments.port,
            workers=arguments.workers,
        )"""
        told = "read_settings(Settings, {**ABSENT.get(arguments.module, {}), **environment})"
    return f'''"""Starts the service: python -m {name} --host 127.0.0.1 --port 8000."""

from __future__ import annotations

import argparse
import sys
{functools}
from nines_runtime import read_settings, run

{apart}from {name}._generated.settings import surroundings
from {name}.app import application
{imported}from {name}.settings import Settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="{name}")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port")
{part}    arguments = parser.parse_args()
    with surroundings() as environment:
{migrate}        settings = {told}
        return {run}


if __name__ == "__main__":
    sys.exit(main())
'''


def migrate(design: Design) -> str:
    """Reads only what leads to the database, because the job that migrates is given nothing else."""
    name = package(design)
    url = settings.database(design)
    own = url.removesuffix("_URL")
    owner = f'owner=("{own}_MIGRATION_USER", "{own}_MIGRATION_PASSWORD")'
    made = "\n".join(laid(call("Migrations", "FOLDER", f'url="{url}"', owner), before="MIGRATIONS = "))
    return f'''"""Brings the database to what this version needs: python -m {name}.migrate.

Before a release it expands: old processes go on. With --contract it tidies up what only they needed, when the last of
them is gone. A database that has nothing yet gets everything at once."""

from __future__ import annotations

import sys
from pathlib import Path

from nines_runtime import Migrations

from {name}._generated.settings import surroundings

FOLDER = Path(__file__).parents[2] / "migrations"
{made}

if __name__ == "__main__":
    sys.exit(MIGRATIONS.main(surroundings, prog="{name}.migrate"))
'''
