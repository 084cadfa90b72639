"""Operation: how the service is watched, rolled out, restored and answered for."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import yaml
from nines.dossier.chapter import Chapter
from nines.dossier.chapters.operation import (
    dashboard,
    deploy,
    incidents,
    openslo,
    readiness,
    readme,
    recovery,
    rollout,
    rules,
    runbooks,
    telemetry,
)
from nines.model.design import Design, Document

CHAPTER = Chapter(
    number=8,
    folder="operation",
    title="Operation",
    says="What is promised and how it is watched, a runbook for every alert, how it is rolled out, restored and "
    "answered for.",
)


def write(design: Design) -> Iterator[Document]:
    """The page, the pages beside it, and the documents for tools."""
    artefacts = list(_artefacts(design))
    page = readme.text(design, artefacts)
    yield Document(path=f"{CHAPTER.folder}/README.md", text=page, title=CHAPTER.title)
    yield from artefacts


def _artefacts(design: Design) -> Iterator[Document]:
    folder = CHAPTER.folder
    if design.running.objectives:
        yield Document(path=f"{folder}/slo.yaml", text=openslo.text(design), title="Objectives (OpenSLO v1)")
    if design.running.alerts:
        found = (
            (rules.rules(design), "rules", "Alerts (Prometheus)"),
            (rules.tests(design), "rules_test", "Their tests"),
        )
        for document, name, title in found:
            yield Document(path=f"{folder}/alerts/{name}.yaml", text=yaml.dump(document), title=title)
        board = f"{folder}/dashboards/{design.name}.json"
        yield Document(path=board, text=dashboard.text(design), title="Dashboard (Grafana)")
    yield Document(path=f"{folder}/telemetry.md", text=telemetry.text(design), title="Logs and traces")
    if not design.is_recovered:
        yield Document(path=f"{folder}/rollout.md", text=rollout.text(design), title="Rollout and rollback")
        yield Document(path=f"{folder}/recovery.md", text=recovery.text(design), title="Backup and recovery")
    yield Document(path=f"{folder}/incidents.md", text=incidents.text(design), title="Incidents")
    yield Document(path=f"{folder}/readiness.md", text=readiness.text(design), title="Production readiness review")
    yield from deploy.documents(design, folder)
    yield from runbooks.documents(design)
