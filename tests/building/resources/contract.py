"""What was answered, against what the contract promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tests.building.resources.running import Reply


class Contract:
    def __init__(self, file: Path) -> None:
        self._document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.seen: set[tuple[str, int]] = set()
        """Operations with the statuses that they answered."""

    def check(self, method: str, path: str, reply: Reply) -> None:
        """Status, media type, headers and body are as promised."""
        operation = self._operation(method, path)
        promised = operation["responses"].get(str(reply.status))
        assert promised is not None, f"{method} {path} answered {reply.status}: {reply.body!r}"
        self.seen.add((operation["operationId"], reply.status))
        content = promised.get("content", {})
        media_type = reply.headers.get("content-type", "").partition(";")[0]
        assert (media_type in content) if content else not reply.body
        for name in promised.get("headers", {}):
            if name not in ("Idempotency-Replayed", "Retry-After", "WWW-Authenticate", "Cache-Control"):
                assert name.lower() in reply.headers, f"{method} {path} {reply.status} has no {name}"
        if content:
            schema = content[media_type]["schema"] | {"components": self._document["components"]}
            Draft202012Validator(schema).validate(reply.json)

    def operations(self) -> set[str]:
        methods = ("get", "post", "put", "patch", "delete")
        paths = self._document["paths"].values()
        return {path[method]["operationId"] for path in paths for method in methods if method in path}

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        plain = path.partition("?")[0]
        for template, found in self._document["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, plain) and method.lower() in found:
                operation: dict[str, Any] = found[method.lower()]
                return operation
        raise AssertionError(f"the contract has no {method} {path}")
