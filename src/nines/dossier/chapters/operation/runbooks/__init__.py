"""A runbook for every alert: what it means, how to see it, what to do first, how to end it, when to call others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nines.dossier.chapters.operation.runbooks import burning, others, processes, stores, tasks
from nines.dossier.chapters.operation.runbooks.runbook import Runbook, text
from nines.model.design import Alert, Design, Document

Writer = Callable[[Design, Alert], Runbook]

_WRITERS: dict[str, Writer] = {
    "burn": burning.burn,
    "down": processes.down,
    "replicas": processes.replicas,
    "autoscaler": processes.autoscaler,
    "sign-in": processes.sign_ins,
    "pool": stores.pool,
    "standby": stores.standby,
    "lag": stores.lag,
    "archive": stores.archive,
    "disk": stores.disk,
    "breaker": others.breaker,
    "credential": others.credential,
    "stale": tasks.stale,
    "dead": tasks.dead,
    "overdue": tasks.overdue,
}


def documents(design: Design) -> Iterator[Document]:
    for alert in design.running.alerts:
        book = _WRITERS[alert.kind](design, alert)
        yield Document(path=alert.runbook, text=text(design, alert, book), title="")
