"""Who may talk to the service, and whom it may talk to: everything else is refused (OWASP API7:2023)."""

from __future__ import annotations

from typing import Any

from nines.dossier.chapters.operation.settings import GRPC_PORT, PORT, port
from nines.model.blueprint import DependencyKind
from nines.model.design import Deployable, Design

PROXY_PORT = 3128
PROXY = f"http://egress-proxy.egress.svc:{PROXY_PORT}"
"""A host beyond the namespace is asked by it, and by nothing else."""
_NAMESPACE = "kubernetes.io/metadata.name"
_NAME = "app.kubernetes.io/name"
HEAD = """# A policy knows addresses and no host names: what others run is reached through a proxy in the namespace
# `egress`, whose list of hosts is the allow-list. `ingress`, `monitoring` and `egress` are names to replace.
"""


def policy(design: Design, deployable: Deployable) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": deployable.name,
            "labels": {_NAME: deployable.name, "app.kubernetes.io/part-of": design.name},
        },
        "spec": {
            "podSelector": {"matchLabels": {_NAME: deployable.name}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": _callers(design, deployable), "ports": _tcp(PORT)}, *_services(design)],
            "egress": [_names(), *_near(design, deployable), *_far(design, deployable)],
        },
    }


def for_migration(design: Design, deployable: Deployable) -> dict[str, Any]:
    """It reaches the database and nothing else."""
    name = f"{deployable.name}-migration"
    stores = [each for each in design.dependencies if each.kind is DependencyKind.POSTGRES]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": {_NAME: name, "app.kubernetes.io/part-of": design.name}},
        "spec": {
            "podSelector": {"matchLabels": {_NAME: name}},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [
                _names(),
                *({"to": [_pods(f"{design.name}-{each.name}")], "ports": _tcp(port(each))} for each in stores),
            ],
        },
    }


def _callers(design: Design, deployable: Deployable) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [_space("ingress"), _space("monitoring")]
    found += [_pods(each.name) for each in design.running.deployables if each != deployable]
    return found


def _services(design: Design) -> list[dict[str, Any]]:
    """Over gRPC asks only who is known to: a pod of the same namespace with this label, and never the ingress."""
    if design.protocol is None:
        return []
    known = {"podSelector": {"matchLabels": {f"asks-{design.name}": "true"}}}
    return [{"from": [known], "ports": _tcp(GRPC_PORT)}]


def _names() -> dict[str, Any]:
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return {"to": [{**_space("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}], "ports": ports}


def _near(design: Design, deployable: Deployable) -> list[dict[str, Any]]:
    stores = [
        {"to": [_pods(f"{design.name}-{each.name}")], "ports": _tcp(port(each))}
        for each in design.dependencies
        if not each.is_external and each.name in deployable.dependencies
    ]
    others = [_pods(each.name) for each in design.running.deployables if each != deployable]
    return [*stores, {"to": others, "ports": _tcp(PORT)}] if others else stores


def is_far(design: Design, deployable: Deployable) -> bool:
    """Whether it asks anybody outside: the issuer's keys are fetched, and events are delivered to subscribers."""
    issuer = design.auth is not None and "://" in design.auth.issuer.replace("${", "://")
    is_told = bool(design.events) and not (design.blueprint and design.blueprint.events.broker)
    is_asked = any(each.is_external and each.name in deployable.dependencies for each in design.dependencies)
    return is_asked or issuer or is_told


def _far(design: Design, deployable: Deployable) -> list[dict[str, Any]]:
    if not is_far(design, deployable):
        return []
    proxy = {**_space("egress"), "podSelector": {"matchLabels": {_NAME: "egress-proxy"}}}
    return [{"to": [proxy], "ports": _tcp(PROXY_PORT)}]


def _pods(name: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {_NAME: name}}}


def _space(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE: name}}}


def _tcp(number: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": number}]
