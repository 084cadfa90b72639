"""What stands around the code of a service: how it is installed, started, tried and told.

Of the package itself it writes the entries, `__init__.py`, `__main__.py`, `migrate.py`, `tokens.py`, `app.py` and
`settings.py`; what `app.py` and `settings.py` build upon (`_generated/application.py`, `_generated/settings.py`) comes
from the part `resources`."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.building.project import overlays, readme, tooling
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    """Everything outside `_generated/`, `operations/` and `gateways/` that follows from the design alone."""
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
