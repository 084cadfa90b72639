"""Reading a project: from its files to the service with its predicted traces."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from nines import effects
from nines.model.code import Program
from nines.model.contract import Contract
from nines.model.errors import SourceError
from nines.model.record import Record
from nines.model.report import Reading, Unexamined
from nines.model.service import Application, Service
from nines.readers import openapi, python, sql
from nines.readers.python.applications import applications
from nines.verbs.project import Project, keep_out_of_version_control

_BLIND_LIMIT = 12
"""How many kinds of blind spot a report names; the rest is counted."""


class Read(Record):
    """Everything that reading found out."""

    program: Program
    service: Service
    applications: tuple[Application, ...]
    reading: Reading
    unexamined: tuple[Unexamined, ...]


def read(project: Project, *, root: Path | None = None) -> Read:
    """Reads the project, or the same project as it stands in another folder (an earlier revision)."""
    keep_out_of_version_control(project)
    started = time.monotonic()
    where = root or project.root
    program = python.read(where, paths=project.settings.paths, exclude=project.settings.exclude, cache=project.cache)
    service = effects.analyse(
        program, read_statement=sql.read, signatures=project.settings.signatures, name=project.name
    )
    contract, complaint = _contract(project, where)
    service = _with_contract(service, contract)
    unexamined = (*_unread(program), *complaint, *_blind(service))
    if not service.endpoints:
        unexamined = (*unexamined, _no_entry_point(program))
    return Read(
        program=program,
        service=service,
        applications=applications(program),
        reading=Reading(
            files=len(program.modules) + len(program.unread),
            lines=program.lines,
            parsed=program.parsed,
            endpoints=len(service.endpoints),
            effects=sum(len(trace.effects) for trace in service.traces),
            duration_s=time.monotonic() - started,
        ),
        unexamined=unexamined,
    )


def _with_contract(service: Service, contract: Contract | None) -> Service:
    return Service(
        name=service.name,
        root=service.root,
        endpoints=service.endpoints,
        traces=service.traces,
        tables=service.tables,
        contract=contract,
        blind=service.blind,
    )


def _contract(project: Project, root: Path) -> tuple[Contract | None, tuple[Unexamined, ...]]:
    """The contract in the repository, if there is one; one that cannot be read is said and left out."""
    named = project.settings.contract
    path = root / named if named and not named.startswith("/") else None
    if path is None or not path.is_file():
        path = openapi.find(root)
    if path is None:
        return None, ()
    try:
        contract = openapi.read(path.read_bytes(), path.relative_to(root).as_posix())
    except (SourceError, OSError) as error:
        what = f"the contract {path.name}"
        return None, (
            Unexamined(what=what, reason=str(error), hint="Mend the document, or name another: contract = ..."),
        )
    return contract, ()


def _unread(program: Program) -> tuple[Unexamined, ...]:
    return tuple(
        Unexamined(what=f"{u.file}:{u.line}" if u.line else u.file, reason=u.reason, hint=u.hint)
        for u in program.unread
    )


def _blind(service: Service) -> tuple[Unexamined, ...]:
    """What the analysis did not understand, grouped by reason, the most frequent first."""
    reasons: Counter[str] = Counter()
    samples: dict[str, str] = {}
    for blind in (*service.blind, *(b for trace in service.traces for b in trace.blind)):
        reasons[blind.reason] += 1
        samples.setdefault(blind.reason, f"{blind.text} at {blind.place}" if blind.place else blind.text)
    found = [
        Unexamined(what=samples[reason], reason=reason, count=count)
        for reason, count in reasons.most_common(_BLIND_LIMIT)
    ]
    rest = sum(reasons.values()) - sum(u.count for u in found)
    if rest > 0:
        found.append(Unexamined(what="other places", reason="further reasons", count=rest))
    return tuple(found)


def _no_entry_point(program: Program) -> Unexamined:
    reason = "no entry point was found" if program.modules else "no Python file was found"
    return Unexamined(
        what="every endpoint",
        reason=reason,
        hint="nines knows FastAPI, Starlette, Flask, Django, DRF and Celery; is this the folder of the backend?",
    )
