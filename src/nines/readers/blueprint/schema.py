"""The published JSON Schema of a blueprint, so that editors complete and check it while it is written."""

from __future__ import annotations

from typing import Any

from nines.readers.blueprint.shapes import Definitions
from nines.readers.blueprint.vocabulary.blueprint import BLUEPRINT, NEWEST


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12; whatever the reader accepts is valid under it."""
    definitions: Definitions = {}
    root = BLUEPRINT.schema(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"nines blueprint, version {NEWEST}",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }
