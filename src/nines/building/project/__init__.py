"""What stands around the code of a service: how it is installed, started, tried and told.

Of the package itself it writes the entries, `__init__.py`, `__main__.py`, `migrate.py`, `tokens.py`, `app.py` and
`settings.py`; what `app.py` and `settings.py` build upon (`_generated/application.py`, `_generated/settings.py`) comes
from the part `resources`."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    """Everything outside `_generated/`, `operations/` and `gateways/` that follows from the design alone."""
    yield from ()
