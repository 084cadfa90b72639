"""Reads a small project from texts and analyses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nines import effects
from nines.model.service import Service
from nines.model.trace import Trace
from nines.readers import python, sql


def service(folder: Path, files: dict[str, str], signatures: dict[str, Any] | None = None) -> Service:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return effects.analyse(python.read(folder, jobs=1), read_statement=sql.read, signatures=signatures)


def trace(service: Service, endpoint: str) -> Trace:
    found = service.trace(endpoint)
    assert found is not None, [each.id for each in service.endpoints]
    return found
