"""Looking things up in an OpenAPI document that may be incomplete or odd; what is not there is empty."""

from __future__ import annotations

import functools
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
HOPS_MAX = 32
"""References that lead to references."""

Json = dict[str, Any]


def mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class Document:
    """A document whose local references can be followed."""

    def __init__(self, root: Any) -> None:
        self.root = mapping(root)

    def resolve(self, value: Any) -> Any:
        """What a reference stands for; {} for one that leads nowhere or round in a ring."""
        for _ in range(HOPS_MAX):
            target = mapping(value).get("$ref")
            if not isinstance(target, str):
                return value
            beside = {key: each for key, each in value.items() if key not in ("$ref", "description", "summary")}
            value = self._at(target)
            if beside and isinstance(value, dict):
                value = value | beside
        return {}

    def _at(self, pointer: str) -> Any:
        if not pointer.startswith("#/"):
            return {}
        found: Any = self.root
        for part in pointer[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            found = mapping(found).get(name, {})
        return found

    @functools.cached_property
    def operations(self) -> dict[tuple[str, str], Json]:
        """By path and upper-case method; the parameters of the path are among those of each operation."""
        found: dict[tuple[str, str], Json] = {}
        for path, item in mapping(self.root.get("paths")).items():
            item = mapping(self.resolve(item))  # noqa: PLW2901 -- a path may be a reference.
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    shared = sequence(item.get("parameters"))
                    own = item[method]
                    found[str(path), method.upper()] = own | {"parameters": [*shared, *sequence(own.get("parameters"))]}
        return found

    def parameters(self, operation: Json) -> dict[tuple[str, str], Json]:
        """By place and name; an operation's own replaces the path's, and a header's name has no case."""
        found: dict[tuple[str, str], Json] = {}
        for each in sequence(operation.get("parameters")):
            parameter = mapping(self.resolve(each))
            place, name = str(parameter.get("in", "")), str(parameter.get("name", ""))
            found[place, name.lower() if place == "header" else name] = parameter
        return found

    def content(self, holder: Any) -> dict[str, Json]:
        """The media types of a body or an answer, without their parameters."""
        said = mapping(mapping(self.resolve(holder)).get("content"))
        return {str(name).partition(";")[0].strip().lower(): mapping(body) for name, body in said.items()}

    def is_open(self, operation: Json) -> bool:
        """Whether it may be called without showing who one is."""
        security = operation.get("security", self.root.get("security"))
        return not sequence(security) or any(each == {} for each in sequence(security))

    def schemes(self, operation: Json) -> set[frozenset[str]]:
        security = operation.get("security", self.root.get("security"))
        return {frozenset(map(str, each)) for each in sequence(security) if isinstance(each, dict)}
