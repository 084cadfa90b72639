"""Reads an OpenAPI document into a contract."""

from __future__ import annotations

from nines.model.contract import Contract
from nines.readers.openapi.operations import Operations, security_schemes
from nines.readers.openapi.schemas import Resolver
from nines.readers.openapi.swagger import as_openapi
from nines.readers.openapi.text import load
from nines.readers.openapi.validation import PROBLEMS_MAX, problems_of

PROBLEM_TEXT_MAX = 200


def read(document: bytes, source: str) -> Contract:
    """Every operation that can be read, and what is invalid besides; raises SourceError if it is no OpenAPI at all."""
    loaded = load(document, source)
    problems = list(problems_of(loaded))
    is_swagger = "openapi" not in loaded
    described = as_openapi(loaded) if is_swagger else loaded
    resolver = Resolver(described)
    operations = Operations(described, resolver).read()
    schemes = tuple(security_schemes(described, resolver))
    problems += [f"the reference {reference} leads nowhere" for reference in resolver.unresolved]
    if not operations:
        problems.append("it describes no operation")
    info = loaded.get("info")
    info = info if isinstance(info, dict) else {}
    return Contract(
        title=str(info.get("title", "")),
        version=str(info.get("version", "")),
        openapi=str(loaded.get("openapi", loaded.get("swagger", ""))),
        source=source,
        operations=operations,
        security_schemes=schemes,
        problems=tuple(dict.fromkeys(problem[:PROBLEM_TEXT_MAX] for problem in problems))[:PROBLEMS_MAX],
    )
