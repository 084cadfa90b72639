"""The manifests of one deployable after the other; secrets and settings by reference only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nines.dossier import yaml
from nines.dossier.chapters.operation import timing
from nines.dossier.chapters.operation.deploy import egress
from nines.dossier.chapters.operation.deploy.image import UNPINNED, USER, package
from nines.dossier.chapters.operation.settings import GRPC_PORT, PORT, for_migration, held, settings
from nines.model.blueprint import DependencyKind
from nines.model.design import Deployable, Design

_MIB = 1024**2
_DEPLOYMENT = """# The image's digest is a placeholder that nothing has; a release writes its own. Memory has a limit
# equal to what is asked for; processors have none, because throttling shows first in the p95.
"""
_INTERNAL = """# For other services alone, over gRPC. Without an address of its own, so that they find every copy and
# balance by call; the policy lets in pods of this namespace with the label `asks-{name}: "true"`, and no ingress.
"""
_AUTOSCALER = """# Adds replicas when their processors are busier than this: {reason}
"""
_MIGRATION = """# Runs before the new version does, with a role of its own that may change the schema; only expanding
# steps (see ../../rollout.md). A job's name carries the release, because a job cannot be changed. That role owns the
# tables and lets the role in {url} use them; both are made once, and {user} in the settings names it.
# When no process of the release before is left, the same job with `--contract` at the end of its args tidies up.
{shared}"""


_SHARED = """# The parts of this service have one database: whichever of their jobs comes first does the work of all.
"""


def texts(design: Design) -> Iterator[tuple[str, str]]:
    """Name and text of each file."""
    many = len(design.running.deployables) > 1
    for deployable in design.running.deployables:
        prefix = f"{deployable.name}/" if many else ""
        yield f"{prefix}deployment", _DEPLOYMENT + yaml.manifest(_deployment(design, deployable))
        yield f"{prefix}service", yaml.manifest(_service(design, deployable))
        if design.protocol is not None:
            yield (
                f"{prefix}service-internal",
                _INTERNAL.format(name=design.name) + yaml.manifest(_internal(design, deployable)),
            )
        yield f"{prefix}service-account", yaml.manifest(_account(design, deployable))
        yield f"{prefix}disruption-budget", yaml.manifest(_disruptions(design, deployable))
        yield f"{prefix}network-policy", egress.HEAD + yaml.manifest(egress.policy(design, deployable))
        if deployable.is_scaled:
            reason = design.capacity.scale_reason.partition(". ")[0] if design.capacity else ""
            yield (
                f"{prefix}autoscaler",
                _AUTOSCALER.format(reason=reason) + yaml.manifest(_autoscaler(design, deployable)),
            )
        if any(each.kind is DependencyKind.POSTGRES for each in design.dependencies):
            shared = _SHARED if deployable.module else ""
            head = _MIGRATION.format(url=" and ".join(_urls(design)), user=" and ".join(_owners(design)), shared=shared)
            yield f"{prefix}migration", head + yaml.manifest(_migration(design, deployable))
            yield f"{prefix}migration-network-policy", yaml.manifest(egress.for_migration(design, deployable))


def _metadata(design: Design, name: str, *, of: str = "") -> dict[str, Any]:
    labels = {
        "app.kubernetes.io/name": of or name,
        "app.kubernetes.io/part-of": design.name,
        "app.kubernetes.io/managed-by": "nines",
    }
    return {"name": name, "labels": labels}


def _selector(name: str) -> dict[str, Any]:
    return {"matchLabels": {"app.kubernetes.io/name": name}}


def _deployment(design: Design, deployable: Deployable) -> dict[str, Any]:
    name = deployable.name
    spec: dict[str, Any] = {
        "selector": _selector(name),
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": f"{timing.SURGE:.0%}"},
        },
        "revisionHistoryLimit": 5,
        "progressDeadlineSeconds": 600,
        "template": {"metadata": {"labels": _metadata(design, name)["labels"]}, "spec": _pod(design, deployable)},
    }
    if not deployable.is_scaled:
        # Where an autoscaler decides, a number here would take its decision back at every release.
        spec = {"replicas": deployable.replicas_min, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(design, name), "spec": spec}


def _pod(design: Design, deployable: Deployable) -> dict[str, Any]:
    name = deployable.name
    spread = [("topology.kubernetes.io/zone", "DoNotSchedule" if design.deploy.zones > 1 else "ScheduleAnyway")]
    spread.append(("kubernetes.io/hostname", "ScheduleAnyway"))
    return {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": int(timing.grace_s(design)),
        "securityContext": _pod_security(),
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": otherwise,
                "labelSelector": _selector(name),
                "matchLabelKeys": ["pod-template-hash"],
                # A zone whose nodes are out of order does not count, so that the others take over its share.
                "nodeTaintsPolicy": "Honor",
            }
            for key, otherwise in spread
        ],
        "containers": [_container(design, deployable)],
        "volumes": [{"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}],
    }


def _container(design: Design, deployable: Deployable) -> dict[str, Any]:
    deploy = design.deploy
    memory = f"{deploy.memory_bytes // _MIB}Mi"
    return {
        "name": deployable.name,
        "image": _image(design),
        "imagePullPolicy": "IfNotPresent",
        "args": _arguments(design, deployable),
        "ports": [
            {"name": "http", "containerPort": PORT, "protocol": "TCP"},
            *([{"name": "grpc", "containerPort": GRPC_PORT, "protocol": "TCP"}] if design.protocol else []),
        ],
        "env": [
            {"name": "DRAIN_S", "value": f"{timing.DRAIN_S:.0f}"},
            *([{"name": "GRPC_HOST", "value": "0.0.0.0"}] if design.protocol else []),  # noqa: S104
            *([{"name": "EGRESS_PROXY", "value": egress.PROXY}] if egress.is_far(design, deployable) else []),
            *_settings(design, deployable),
            *_secrets(deployable.name, [each.name for each in held(design, deployable)]),
        ],
        # SIGTERM comes when no balancer sends anything any more.
        "lifecycle": {
            "preStop": {"exec": {"command": ["python", "-c", f"import time; time.sleep({timing.LEAVE_S:.0f})"]}}
        },
        "startupProbe": _probe("startup", period=1, timeout=2, failures=int(timing.STARTUP_S)),
        "readinessProbe": _probe("ready", period=int(timing.READY_EVERY_S), timeout=2, failures=2),
        "livenessProbe": _probe("live", period=int(timing.LIVE_EVERY_S), timeout=5, failures=timing.LIVE_FAILURES),
        "resources": {
            "requests": {"cpu": f"{deploy.cpu * 1_000:.0f}m", "memory": memory},
            "limits": {"memory": memory},
        },
        "securityContext": _container_security(),
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108 -- within the container.
    }


def _arguments(design: Design, deployable: Deployable) -> list[str]:
    return ["python", "-m", package(design), *_module(deployable), "--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104


def _module(deployable: Deployable) -> list[str]:
    return ["--module", deployable.module] if deployable.module else []


def _probe(path: str, *, period: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": f"/health/{path}", "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _image(design: Design) -> str:
    return f"registry.invalid/{design.name}@sha256:{UNPINNED}"


def _settings(design: Design, deployable: Deployable) -> list[dict[str, Any]]:
    return [_setting(f"{deployable.name}-settings", each.name) for each in settings(design, deployable)]


def _setting(of: str, name: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": of, "key": name}}}


def _secrets(of: str, names: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "valueFrom": {"secretKeyRef": {"name": f"{of}-secrets", "key": name}}} for name in names]


def _pod_security() -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container_security() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _service(design: Design, deployable: Deployable) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(design, deployable.name),
        "spec": {
            "type": "ClusterIP",
            "selector": _selector(deployable.name)["matchLabels"],
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def _internal(design: Design, deployable: Deployable) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(design, f"{deployable.name}-internal", of=deployable.name),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "selector": _selector(deployable.name)["matchLabels"],
            "ports": [
                {
                    "name": "grpc",
                    "port": GRPC_PORT,
                    "targetPort": "grpc",
                    "protocol": "TCP",
                    "appProtocol": "kubernetes.io/h2c",
                }
            ],
        },
    }


def _account(design: Design, deployable: Deployable) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(design, deployable.name),
        "automountServiceAccountToken": False,
    }


def _disruptions(design: Design, deployable: Deployable) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(design, deployable.name),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": _selector(deployable.name),
        },
    }


def _autoscaler(design: Design, deployable: Deployable) -> dict[str, Any]:
    busy = round(design.capacity.scale_at * 100) if design.capacity else 0
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(design, deployable.name),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployable.name},
            "minReplicas": deployable.replicas_min,
            "maxReplicas": deployable.replicas_max,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": busy}},
                }
            ],
            "behavior": {
                "scaleUp": {
                    "stabilizationWindowSeconds": 0,
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 60}],
                },
                "scaleDown": {
                    "stabilizationWindowSeconds": 600,
                    "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
                },
            },
        },
    }


def _migration(design: Design, deployable: Deployable) -> dict[str, Any]:
    name = f"{deployable.name}-migration"
    kept = f"{deployable.name}-settings"
    container = {
        "name": "migrate",
        "image": _image(design),
        "args": ["python", "-m", f"{package(design)}.migrate"],
        "env": [
            *(_setting(kept, each) for each in (*_urls(design), *_owners(design))),
            *_secrets(name, [each.name for each in for_migration(design)]),
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": _container_security(),
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": _pod_security(),
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**_metadata(design, f"{name}-0001", of=name)},
        "spec": {
            "backoffLimit": 2,
            "activeDeadlineSeconds": 3_600,
            "ttlSecondsAfterFinished": 86_400,
            "template": {"metadata": {"labels": _metadata(design, name)["labels"]}, "spec": pod},
        },
    }


def _urls(design: Design) -> tuple[str, ...]:
    """The settings that lead to its databases."""
    names = {f"where {each.name} is" for each in design.dependencies if each.kind is DependencyKind.POSTGRES}
    return tuple(each.name for each in settings(design) if each.says in names)


def _owners(design: Design) -> tuple[str, ...]:
    """The settings that name the role that migrates; nobody else has them."""
    return tuple(f"{each.removesuffix('_URL')}_MIGRATION_USER" for each in _urls(design))
