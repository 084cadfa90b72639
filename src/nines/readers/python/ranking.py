"""Which of several applications is the one that its owner means."""

from __future__ import annotations

from nines.model.record import Record
from nines.model.service import Application

MINOR_FOLDERS = frozenset(
    {"benchmark", "benchmarks", "demo", "demos", "doc", "docs", "docs_src", "example", "examples", "samples", "scripts"}
    | {"test", "testing", "tests", "tools", "tutorial", "tutorials"}
)
"""Applications below these come last."""
MAIN_MODULES = ("main", "app", "application", "asgi", "wsgi", "server", "api", "web", "run")
MAIN_NAMES = (
    "app",
    "application",
    "api",
    "server",
    "create_app",
    "make_app",
    "get_app",
    "get_application",
    "build_app",
)


class Candidate(Record):
    """An application, and what speaks for it."""

    application: Application
    routes: int = 0
    is_mounted: bool = False


def rank(candidate: Candidate, *, prefers_asgi: bool) -> tuple[bool | int | str, ...]:
    """The smaller, the likelier."""
    application = candidate.application
    folders = application.place.file.split("/")[:-1]
    last = application.module.rpartition(".")[2]
    is_asgi = application.interface == "asgi"
    return (
        not MINOR_FOLDERS.isdisjoint(folders),
        candidate.is_mounted,
        application.framework == "django" and is_asgi != prefers_asgi,
        application.is_factory and application.name.startswith("_"),
        MAIN_MODULES.index(last) if last in MAIN_MODULES else len(MAIN_MODULES),
        application.is_factory,
        MAIN_NAMES.index(application.name) if application.name in MAIN_NAMES else len(MAIN_NAMES),
        candidate.routes == 0 and application.framework != "django",
        len(folders),
        -candidate.routes,
        application.place.file,
        application.place.line,
    )
