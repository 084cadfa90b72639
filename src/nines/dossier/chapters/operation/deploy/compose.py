"""A trial on one machine: the service, its stores, and a place for each secret."""

from __future__ import annotations

from typing import Any

from nines.dossier import yaml
from nines.dossier.chapters.operation import timing
from nines.dossier.chapters.operation.deploy.image import USER, package
from nines.dossier.chapters.operation.settings import GRPC_PORT, PORT, address, for_migration, held, settings
from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Deployable, Design, Secret

_IMAGES = {
    DependencyKind.POSTGRES: "postgres:18",
    DependencyKind.REDIS: "redis:8",
    DependencyKind.NATS: "nats:2.12",
    DependencyKind.RABBITMQ: "rabbitmq:4.2",
    DependencyKind.KAFKA: "apache/kafka:4.1.0",
}
_HEALTH = {
    DependencyKind.POSTGRES: ["CMD", "pg_isready", "--quiet"],
    DependencyKind.REDIS: ["CMD", "redis-cli", "ping"],
    DependencyKind.RABBITMQ: ["CMD", "rabbitmq-diagnostics", "--quiet", "ping"],
}
_COMMANDS = {DependencyKind.NATS: ["-js", "-sd", "/var/lib/nats"]}
"""With JetStream, which keeps what it is told."""
_HEAD = """# A trial on one machine, and no more: one copy of everything, and tags where production has digests.
# Each secret is a file below ./secrets that is not in the repository; what is run by others is reached at the
# addresses in .env.
"""


def text(design: Design) -> str:
    stores = [each for each in design.dependencies if each.kind in _IMAGES and not each.is_external]
    secrets = _held(design, stores)
    services: dict[str, Any] = {each.name: _service(design, each, stores) for each in design.running.deployables}
    services["migrate"] = _migration(design, stores)
    services |= {each.name: _store(design, each) for each in stores}
    document: dict[str, Any] = {"name": design.name, "services": services}
    if secrets:
        document["secrets"] = {_file(each): {"file": f"./secrets/{_file(each)}"} for each in secrets}
    if stores:
        document["volumes"] = {f"{each.name}-data": {} for each in stores}
    return _HEAD + yaml.manifest(document)


def _service(design: Design, deployable: Deployable, stores: list[Dependency]) -> dict[str, Any]:
    deploy = design.deploy
    return {
        "build": {"context": "../..", "dockerfile": "operation/deploy/Dockerfile"},
        "image": f"{deployable.name}:trial",
        **({"command": _command(design, deployable)} if deployable.module else {}),
        "user": f"{USER}:{USER}",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "tmpfs": ["/tmp"],  # noqa: S108 -- the path within the container.
        "environment": {
            **({"GRPC_HOST": "0.0.0.0"} if design.protocol is not None else {}),  # noqa: S104 -- within the container.
            **_environment(design, stores, _held(design, stores, deployable), deployable),
        },
        "secrets": [_file(each) for each in _held(design, stores, deployable)],
        "ports": [f"127.0.0.1::{PORT}"],
        **({"expose": [str(GRPC_PORT)]} if design.protocol is not None else {}),
        "depends_on": {
            "migrate": {"condition": "service_completed_successfully"},
            **{each.name: {"condition": _condition(each)} for each in stores},
        },
        "stop_grace_period": f"{timing.grace_s(design):.0f}s",
        "mem_limit": deploy.memory_bytes,
        "cpus": deploy.cpu,
        "restart": "unless-stopped",
    }


def _command(design: Design, deployable: Deployable) -> list[str]:
    where = ["--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104 -- within the container.
    return ["python", "-m", package(design), "--module", deployable.module, *where]


def _migration(design: Design, stores: list[Dependency]) -> dict[str, Any]:
    # The store of a trial has one role, so that the migration's password is that of the service.
    passwords = {each.name: owner for each in for_migration(design) if (owner := _password(design, each.dependency))}
    return {
        "build": {"context": "../..", "dockerfile": "operation/deploy/Dockerfile"},
        "command": ["python", "-m", f"{package(design)}.migrate"],
        "environment": {
            name: value
            for name, value in _environment(design, stores, ()).items()
            if value in _addresses(design, stores)
        }
        | {f"{name}_FILE": f"/run/secrets/{_file(owner)}" for name, owner in passwords.items()},
        "secrets": [_file(owner) for owner in passwords.values()],
        "depends_on": {
            each.name: {"condition": _condition(each)} for each in stores if each.kind is DependencyKind.POSTGRES
        },
        "restart": "no",
    }


def _password(design: Design, dependency: str) -> Secret | None:
    """By which the service itself comes in."""
    return next((each for each in held(design) if each.dependency == dependency), None)


def _store(design: Design, dependency: Dependency) -> dict[str, Any]:
    found: dict[str, Any] = {
        "image": _IMAGES[dependency.kind],
        "volumes": [f"{dependency.name}-data:/var/lib/{dependency.kind.value}"],
    }
    if dependency.kind is DependencyKind.POSTGRES:
        passwords = [each for each in design.secrets if each.dependency == dependency.name]
        found["environment"] = {"POSTGRES_USER": design.name, "POSTGRES_DB": design.name}
        if passwords:
            found["environment"]["POSTGRES_PASSWORD_FILE"] = f"/run/secrets/{_file(passwords[0])}"
            found["secrets"] = [_file(passwords[0])]
        found["volumes"] = [f"{dependency.name}-data:/var/lib/postgresql"]
    if dependency.kind is DependencyKind.KAFKA:
        found["environment"] = _alone(dependency.name)
    if dependency.kind in _COMMANDS:
        found["command"] = _COMMANDS[dependency.kind]
    if dependency.kind in _HEALTH:
        test = _HEALTH[dependency.kind]
        if dependency.kind is DependencyKind.POSTGRES:
            test = [*test, "--username", design.name]
        found["healthcheck"] = {"test": test, "interval": "2s", "timeout": "2s", "retries": 30}
    return found


def _held(design: Design, stores: list[Dependency], deployable: Deployable | None = None) -> tuple[Secret, ...]:
    """Without those of brokers that are near: there they ask nobody who they are."""
    open_ = {each.name for each in stores if each.kind in (DependencyKind.NATS, DependencyKind.KAFKA)}
    return tuple(each for each in held(design, deployable) if each.dependency not in open_)


def _alone(name: str) -> dict[str, str]:
    """Kafka as one node that is all of it: topics are made when they are first told."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{name}:9092",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
    }


def _environment(
    design: Design, stores: list[Dependency], secrets: tuple[Secret, ...], deployable: Deployable | None = None
) -> dict[str, str]:
    near = {address(design, each) for each in stores}
    told = {
        each.name: each.example if each.example in near else f"${{{each.name}:?}}"
        for each in settings(design, deployable)
    }
    return {**told, **{f"{each.name}_FILE": f"/run/secrets/{_file(each)}" for each in secrets}}


def _addresses(design: Design, stores: list[Dependency]) -> set[str]:
    return {address(design, each) for each in stores if each.kind is DependencyKind.POSTGRES}


def _condition(dependency: Dependency) -> str:
    return "service_healthy" if dependency.kind in _HEALTH else "service_started"


def _file(secret: Secret) -> str:
    return secret.name.lower()
