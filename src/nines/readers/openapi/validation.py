"""What the specification's validator objects to, asked in a way that cannot be turned against us.

The validator follows references to other files and hosts, and tries examples against patterns; a hostile document could
make it read our files, call our network, or think for ever. So it is given a copy without either."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

PROBLEMS_MAX = 20
VALIDATED_NODES_MAX = 60_000
"""A larger document is read but not validated, for the validator takes minutes over it."""
_IDENTIFIERS = frozenset(
    {"$id", "$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "jsonSchemaDialect", "$schema"}
)
"""These move the base that references start from."""
_VALUES = frozenset({"default", "example", "examples", "const"})
_NAME_MAPS = frozenset(
    {"properties", "patternProperties", "$defs", "responses", "schemas", "parameters", "definitions"}
)
"""Below these a key is a name that the author chose, whatever it looks like."""


def problems_of(document: dict[str, Any]) -> Iterator[str]:
    """Short sentences, at most PROBLEMS_MAX of them."""
    copying = _Copying()
    copy = copying.copied(document, "")
    if copying.nodes > VALIDATED_NODES_MAX:
        yield f"it was not validated, for it has more than {VALIDATED_NODES_MAX:,} values"
        return
    if copying.leads_out:
        yield f"it was not validated, for `{copying.leads_out}` leads out of the document"
        return
    try:
        for error in islice(_validator(copy).iter_errors(), PROBLEMS_MAX):
            yield _sentence(error)
    except Exception as error:
        # The validator stumbles over documents that are wrong in ways it does not expect.
        yield f"it could not be validated: {type(error).__name__}"


def _validator(document: dict[str, Any]) -> Any:
    # Importing the validator takes longer than reading most documents.
    import openapi_spec_validator as validators  # noqa: PLC0415

    version = str(document.get("openapi", document.get("swagger", "")))
    if version.startswith("2"):
        return validators.OpenAPIV2SpecValidator(document)
    if version.startswith("3.0"):
        return validators.OpenAPIV30SpecValidator(document)
    newest = getattr(validators, "OpenAPIV32SpecValidator", None) if version.startswith("3.2") else None
    return (newest or validators.OpenAPIV31SpecValidator)(document)


class _Copying:
    """Copies a document without the values that the validator would try against patterns."""

    def __init__(self) -> None:
        self.nodes = 0
        self.leads_out = ""

    def copied(self, value: Any, under: str) -> Any:
        self.nodes += 1
        if self.nodes > VALIDATED_NODES_MAX:
            return None
        if isinstance(value, list):
            return [self.copied(item, "") for item in value]
        if not isinstance(value, dict):
            return value
        if under in _NAME_MAPS:
            return {str(key): self.copied(item, "") for key, item in value.items()}
        if under == "variables":
            # The default of a server's variable is a part of its address, and compulsory.
            return {str(key): {**item} if isinstance(item, dict) else item for key, item in value.items()}
        reference = value.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            self.leads_out = reference[:100]
        return {
            str(key): self.copied(item, str(key))
            for key, item in value.items()
            if key not in _VALUES and key not in _IDENTIFIERS
        }


def _sentence(error: Any) -> str:
    place = "/".join(str(part) for part in getattr(error, "absolute_path", ()))
    message = str(getattr(error, "message", "") or error).partition("\n")[0]
    return f"{place}: {message}" if place else message
