"""Of what words names consist, and what the Python package of a service is called."""

from __future__ import annotations

import keyword
import re
import sys

WORD = re.compile(r"[A-Z]+[0-9]*(?=[A-Z][a-z])|[A-Z]?[a-z][a-z0-9]*|[A-Z]+[0-9]*|[0-9]+")
"""The words of a name in any case; a number belongs to what it stands behind: sha256, address2, S3Object."""
_TAKEN = sys.stdlib_module_names | {
    *("aiohttp", "aiokafka", "argon2", "asyncpg", "click", "cryptography", "fastapi", "google", "graphql", "grpc"),
    *("h11", "httptools", "idna", "msgspec", "multidict", "mypy", "nats", "nines", "pip", "pydantic", "pytest"),
    *("redis", "ruff", "src", "starlette", "test", "tests", "uvicorn", "uvloop", "yarl"),
}
"""Whoever is called so would be taken for somebody else when it is imported."""


def package_name(service: str) -> str:
    """The import name of a service: `s3-proxy` becomes `s3_proxy`, and `calendar` `calendar_service`."""
    words = "_".join(WORD.findall(service.lower())) or "service"
    if words[0].isdigit():
        return f"service_{words}"
    return f"{words}_service" if words in _TAKEN or keyword.iskeyword(words) else words
