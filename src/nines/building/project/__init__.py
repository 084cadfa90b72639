"""What stands around the code of a service: how it is installed, started and told.

Of the package itself it writes the entries: `__init__.py`, `__main__.py`, `migrate.py`, `tokens.py` and `settings.py`,
with `_generated/settings.py` and, for tokens of an issuer elsewhere, `_generated/authentication.py`, whose
`authenticator(settings)` is an async context manager. `app.py` with `application(settings) -> Application` is written
by the part `resources`, beside `_generated/application.py`. The contract stands beside these as
`_generated/openapi.json`, which build writes."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.building.names import SIGNING, source
from nines.building.project import authentication, browsers, entries, keys, overlays, readme, settings, tooling
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    """Everything around the operations that follows from the design alone."""
    yield from _package(design)
    yield File(path="Makefile", text=tooling.makefile(design))
    yield File(path=".gitattributes", text=tooling.attributes(design))
    for path, text in (
        ("README.md", readme.text(design)),
        ("pyproject.toml", tooling.pyproject(design)),
        ("requirements.txt", tooling.own_requirements()),
        (".gitignore", tooling.ignored()),
        (".github/workflows/check.yaml", tooling.workflow(design)),
    ):
        yield File(path=path, text=text, is_owned=True)
    yield from overlays.write(design)


def _package(design: Design) -> Iterator[File]:
    yield File(path=source(design, "_generated/settings.py"), text=settings.text(design))
    if design.auth is not None and (settings.is_issued_elsewhere(design) or settings.has_keys(design)):
        yield File(path=source(design, "_generated/authentication.py"), text=authentication.text(design, design.auth))
    if settings.has_keys(design):
        yield File(path=source(design, "keys.py"), text=keys.text(design), is_owned=True)
    if settings.has_sign_ins(design):
        yield File(path=source(design, f"_generated/{SIGNING}.py"), text=browsers.signing(design))
    if settings.is_issued_elsewhere(design):
        yield File(path=source(design, "tokens.py"), text=authentication.tokens(design), is_owned=True)
    own = {
        "__init__.py": entries.init(design),
        "__main__.py": entries.main(design),
        "settings.py": settings.own(design),
    }
    if settings.database(design):
        own["migrate.py"] = entries.migrate(design)
    for path, text in own.items():
        yield File(path=source(design, path), text=text, is_owned=True)
