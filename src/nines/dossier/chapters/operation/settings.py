"""What the service is told at its start: settings by name, and secrets by reference."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Deployable, Design, Secret
from nines.model.record import Record

PORT = 8000
GRPC_PORT = 50_051
"""For other services alone."""
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MIGRATION = "_MIGRATION_"
_PORTS = {
    DependencyKind.POSTGRES: 5432,
    DependencyKind.REDIS: 6379,
    DependencyKind.HTTP: 443,
    DependencyKind.GRPC: GRPC_PORT,
    DependencyKind.KAFKA: 9092,
    DependencyKind.NATS: 4222,
    DependencyKind.RABBITMQ: 5671,
    DependencyKind.SMTP: 587,
    DependencyKind.OBJECTS: 443,
}
_SCHEMES = {
    DependencyKind.POSTGRES: "postgresql",
    DependencyKind.REDIS: "redis",
    DependencyKind.GRPC: "grpc",
    DependencyKind.KAFKA: "kafka",
    DependencyKind.NATS: "nats",
    DependencyKind.RABBITMQ: "amqps",
    DependencyKind.SMTP: "smtp",
}


class Setting(Record):
    name: str
    says: str
    example: str = ""


def settings(design: Design, deployable: Deployable | None = None) -> tuple[Setting, ...]:
    """By name, each once; those of one deployable, or all."""
    found = {each.name: each for each in _settings(design, deployable)}
    return tuple(found.values())


def _settings(design: Design, deployable: Deployable | None) -> Iterator[Setting]:
    for dependency in design.dependencies:
        if deployable and dependency.name not in deployable.dependencies:
            continue
        names = _VARIABLE.findall(dependency.url) or [f"{variable(dependency.name)}_URL"]
        for name in names:
            yield Setting(name=name, says=f"where {dependency.name} is", example=address(design, dependency))
    for name in _VARIABLE.findall(design.auth.issuer) if design.auth else ():
        yield Setting(name=name, says="who issues the tokens", example="https://issuer.invalid")
    if design.auth and design.auth.scheme == "oidc":
        yield Setting(name="OIDC_CLIENT_ID", says="what the provider calls this service; empty: no browser signs in")
        yield Setting(name="PUBLIC_URL", says="where browsers find this service", example="https://service.example")
    if design.auth and design.auth.scheme == "mtls":
        says = "who may call: names of certificates with their roles, as JSON"
        yield Setting(name="CLIENTS", says=says, example='{"spiffe://example/caller": {}}')
        yield Setting(name="BALANCERS", says="networks of the balancers whose word counts", example="10.0.0.0/8")


def address(design: Design, dependency: Dependency) -> str:
    """Where it is on a developer's machine, without a credential."""
    scheme = _SCHEMES.get(dependency.kind, "http")
    user = f"{design.name}@" if dependency.kind is DependencyKind.POSTGRES else ""
    path = f"/{design.name}" if dependency.kind is DependencyKind.POSTGRES else ""
    return f"{scheme}://{user}{dependency.name}:{port(dependency)}{path}"


def port(dependency: Dependency) -> int:
    """The one in its address, else the usual one of its kind."""
    found = re.search(r":(\d{1,5})(?:/|$)", dependency.url)
    return int(found[1]) if found and 0 < int(found[1]) < 65_536 else _PORTS[dependency.kind]


def variable(name: str) -> str:
    """The name as environment variables are written."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def held(design: Design, deployable: Deployable | None = None) -> tuple[Secret, ...]:
    """The secrets that a process which answers requests is given; of one deployable only what it asks with."""
    found = (each for each in design.secrets if not is_for_migration(each) and not _is_elsewhere(each))
    asked = ("", *deployable.dependencies) if deployable else None
    return tuple(each for each in found if asked is None or each.dependency in asked)


def for_migration(design: Design) -> tuple[Secret, ...]:
    return tuple(each for each in design.secrets if is_for_migration(each))


def is_for_migration(secret: Secret) -> bool:
    return _MIGRATION in f"_{secret.name}_"


def _is_elsewhere(secret: Secret) -> bool:
    """Held by what stands before the service."""
    return "never in the service" in secret.held_in
