"""Where the owner says what differs: beside the generated files, in the way that each tool has for it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.model.blueprint import DependencyKind
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    yield _owned("deploy/compose.override.yaml", "# Yours: docker compose lays it over compose.yaml.\nservices: {}\n")
    yield _owned("ops/alerts/own.yaml", "# Yours: alerts beside the generated rules.yaml.\ngroups: []\n")
    yield _owned(
        "ops/runbooks/own.md",
        f"# What {design.name} taught you\n\nYours: what the generated runbooks do not know, such as whom to call.\n",
    )
    if design.deploy.platform == "kubernetes":
        yield File(path="deploy/kubernetes/kustomization.yaml", text=_base(design))
        yield _owned("deploy/production/kustomization.yaml", _overlay(design))


def _base(design: Design) -> str:
    """Everything but the job of migrations, which a release applies on its own and before."""
    names = [each.name for each in design.running.deployables]
    folders = [f"{name}/" for name in names] if len(names) > 1 else [""]
    scaled = {each.name for each in design.running.deployables if each.is_scaled}
    lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "resources:"]
    for name, folder in zip(names, folders, strict=True):
        files = ["service-account", "deployment", "service", "disruption-budget", "network-policy"]
        files += ["service-internal"] if design.protocol is not None else []
        files += ["autoscaler"] if name in scaled else []
        files += ["migration-network-policy"] if _has_database(design) else []
        lines += [f"  - {folder}{each}.yaml" for each in files]
    return "\n".join(lines) + "\n"


def _overlay(design: Design) -> str:
    return f"""# Yours: image, settings and secrets of production, and whatever differs from the generated manifests.
#   kubectl apply -k deploy/production
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../kubernetes
images:
  - name: registry.invalid/{design.name}
    # newName: registry.example.com/{design.name}
    # digest: sha256:...
patches: []
"""


def _has_database(design: Design) -> bool:
    return any(each.kind is DependencyKind.POSTGRES for each in design.dependencies)


def _owned(path: str, text: str) -> File:
    return File(path=path, text=text, is_owned=True)
