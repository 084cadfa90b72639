"""The report as JSON: a stable interface, with its schema in docs/schemas/report-1.json."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from nines.model.report import REPORT_FORMAT, Report

SUFFIX = ".json"


def render(report: Report, *, width: int, is_coloured: bool) -> str:  # noqa: ARG001
    """Every field is written, defaults included, so that a reader never guesses; fingerprints are added."""
    document = complete(report)
    for finding, written in zip(report.findings, document["findings"], strict=True):
        written["fingerprint"] = finding.fingerprint
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def complete(value: Any) -> Any:
    """A record as plain values with its defaults, which the records' own encoding leaves out."""
    if isinstance(value, msgspec.Struct):
        return {field: complete(getattr(value, field)) for field in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [complete(item) for item in value]
    if isinstance(value, dict):
        return {key: complete(item) for key, item in value.items()}
    return value


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what `render` writes; tests keep the published file equal to it."""
    document = msgspec.json.schema(Report)
    definitions = document["$defs"]
    for definition in definitions.values():
        if "description" in definition:
            # Python 3.13 removes the indentation of docstrings, earlier versions keep it.
            definition["description"] = inspect.cleandoc(definition["description"])
        if definition.get("type") == "object" and "properties" in definition:
            definition["required"] = sorted(definition["properties"])
    finding = definitions["Finding"]
    finding["properties"]["fingerprint"] = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
    finding["required"] = sorted(finding["properties"])
    definitions["Report"]["properties"]["format"] = {"const": REPORT_FORMAT}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A report of nines, format {REPORT_FORMAT}",
        **document,
    }
