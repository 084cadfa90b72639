"""Puts together the design of a service that exists."""

from __future__ import annotations

import re

from nines.model.blueprint import Authentication, Card, Promises
from nines.model.contract import Contract
from nines.model.design import Design, Source
from nines.model.service import EndpointKind, Service
from nines.planning.recovering import dependencies, endpoints, gaps, jobs, tables

_VERSION = re.compile(r"^v\d+$")
_SCHEMES = {"openIdConnect": "oidc", "apiKey": "api-key", "mutualTLS": "mtls", "oauth2": "oauth2-jwt"}


def recover(service: Service, *, budgets: Promises, where: str) -> Design:
    """The design that a service has, as far as its code says; nothing is invented where it says nothing.

    `budgets` are those of the project's configuration; they are promises that somebody made, not measurements."""
    http = [endpoint for endpoint in service.endpoints if endpoint.kind is EndpointKind.HTTP]
    documented = [(each, endpoints.operation_of(each, service.contract)) for each in http]
    planned = tuple(endpoints.endpoint(each, operation, service.trace(each.id)) for each, operation in documented)
    design = Design(
        card=Card(
            name=service.name,
            api=_version([endpoint.path for endpoint in planned]),
            purpose=service.contract.title if service.contract else "",
        ),
        source=Source.CODE,
        where=where,
        budgets=budgets,
        auth=_authentication(service.contract),
        dependencies=dependencies.dependencies(service),
        endpoints=planned,
        shapes=endpoints.shapes(documented),
        jobs=jobs.jobs(service),
        tables=tables.tables(service),
    )
    return gaps.with_gaps(design, service)


def _version(paths: list[str]) -> str:
    """The major version that most paths carry, "" where most carry none."""
    versions = [next((part for part in path.split("/") if _VERSION.match(part)), "") for path in paths]
    return max(sorted(set(versions)), key=versions.count, default="")


def _authentication(contract: Contract | None) -> Authentication | None:
    """What the contract says of it; the code's guards tell that somebody is asked, not how."""
    for scheme in contract.security_schemes if contract else ():
        kind = _SCHEMES.get(scheme.kind, "")
        if scheme.kind == "apiKey" and scheme.location == "cookie":
            kind = "session"
        if scheme.kind == "http":
            kind = "oauth2-jwt" if scheme.scheme.lower() == "bearer" else ""
        if kind:
            return Authentication(scheme=kind, algorithms=())
    return None
