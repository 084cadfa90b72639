"""Reading a project: from its files to the service with its predicted traces."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

from msgspec.structs import replace

from nines import effects
from nines.model.code import Program
from nines.model.contract import Contract
from nines.model.errors import NinesError
from nines.model.record import Record
from nines.model.report import Reading, Unexamined
from nines.model.schema import Table
from nines.model.service import Application, Service
from nines.model.statement import Statement
from nines.readers import openapi, python
from nines.readers.python.applications import applications
from nines.readers.sql_files import schema_files
from nines.verbs.project import STATE_DIRECTORY, Project, keep_out_of_version_control
from nines.verbs.remembered import Remembered
from nines.verbs.sharing import shared

CONTRACT_BYTES_MAX = 32 * 1024 * 1024
_PROBLEMS_MAX = 3
"""Faults of a contract that a report names."""
_BLIND_LIMIT = 12
"""How many kinds of blind spot a report names; the rest is counted."""


class Read(Record):
    """Everything that reading found out."""

    program: Program
    service: Service
    reading: Reading
    unexamined: tuple[Unexamined, ...]

    @property
    def applications(self) -> tuple[Application, ...]:
        """What a server can run; looked for when it is asked for, since a review needs none."""
        return applications(self.program)


def read(project: Project, *, root: Path | None = None) -> Read:
    """Reads the project, or the same project as it stands in another folder (an earlier revision)."""
    keep_out_of_version_control(project)
    started = time.monotonic()
    where = root or project.root
    paths = project.settings.paths
    if root is not None:
        # What the settings name today may not have existed then.
        paths = tuple(path for path in paths if (where / path).exists())
    program = python.read(where, paths=paths, exclude=project.settings.exclude, cache=project.cache)
    remembered = Remembered(project) if root is None else None
    service, failure = _analysed(project, program, remembered.memo if remembered is not None else None)
    if remembered is not None and not failure:
        remembered.keep()
    contract, complaint = _contract(project, where)
    service = replace(service, contract=contract, tables=_with_sql(service.tables, where))
    unexamined = (*_uncached(project), *_unread(program), *failure, *complaint, *_blind(service))
    if not service.endpoints and not failure:
        unexamined = (*unexamined, _no_entry_point(program))
    return Read(
        program=program,
        service=service,
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


def _analysed(
    project: Project, program: Program, memo: effects.Memo | None = None
) -> tuple[Service, tuple[Unexamined, ...]]:
    """The analysis meets code that nobody has foreseen; should it break down, all the rest is done without it."""
    try:
        service = effects.analyse(
            program,
            share=shared,
            read_statement=_read_statement,
            signatures=project.settings.signatures,
            name=project.name,
            memo=memo,
        )
    except NinesError:
        raise
    except Exception as error:
        if is_debugging():
            raise
        what, reason = "every trace", f"the analysis of the code broke down: {type(error).__name__}: {error}"
        hint = "This is a defect of nines. Set NINES_DEBUG=1, run it again, and report what it prints, please."
        return Service(name=project.name, root=program.root), (Unexamined(what=what, reason=reason, hint=hint),)
    return service, ()


def _read_statement(text: str) -> Statement:
    """Reads a SQL text; its reader is loaded by the first one, for a run that remembers everything meets none."""
    from nines.readers import sql  # noqa: PLC0415

    return sql.read(text)


def is_debugging() -> bool:
    """Whether the person who runs nines wants to see where it breaks."""
    return os.environ.get("NINES_DEBUG", "") not in ("", "0")


def _uncached(project: Project) -> tuple[Unexamined, ...]:
    if not project.has_strange_state:
        return ()
    reason = "it is no folder of nines' own, so nothing is written there and every run reads everything anew"
    return (Unexamined(what=f"{STATE_DIRECTORY}/", reason=reason, hint="Remove it; nines makes its own."),)


def _with_sql(declared: tuple[Table, ...], root: Path) -> tuple[Table, ...]:
    """The tables of the code, and those that only files of SQL declare."""
    files = schema_files(root)
    if not files:
        return declared
    # Its parser is slow to load, and most projects have no such file.
    from nines.readers.sql import schema  # noqa: PLC0415

    known = {table.name for table in declared}
    return (*declared, *(table for table in schema.tables(files) if table.name not in known))


def _contract(project: Project, root: Path) -> tuple[Contract | None, tuple[Unexamined, ...]]:
    """The contract in the repository, if there is one; one that cannot be read is said and left out."""
    named = project.settings.contract
    if not named or named.startswith("/"):
        path = openapi.find(root)
    elif (root / named).is_file():
        path = root / named
    else:
        hint = "Correct the setting `contract`: a file of the project, or a path on the service such as /openapi.json."
        return None, (Unexamined(what=f"the contract {named}", reason="there is no such file", hint=hint),)
    if path is None:
        return None, ()
    where = os.path.relpath(path, root)
    try:
        with path.open("rb") as stream:
            document = stream.read(CONTRACT_BYTES_MAX + 1)
        contract = openapi.read(document, where)
    except NinesError as error:
        return None, (Unexamined(what=f"the contract {where}", reason=error.what, hint=error.hint),)
    except OSError as error:
        reason = f"it cannot be read: {error.strerror}"
        return None, (Unexamined(what=f"the contract {where}", reason=reason, hint="Make it readable."),)
    invalid = tuple(
        Unexamined(what=f"the contract {where}", reason=f"it is invalid: {problem}", hint="Correct the document.")
        for problem in contract.problems[:_PROBLEMS_MAX]
    )
    rest = len(contract.problems) - len(invalid)
    if rest > 0:
        invalid += (Unexamined(what=f"the contract {where}", reason="it is invalid in further ways", count=rest),)
    return contract, invalid


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
    known = "nines knows FastAPI, Starlette, Flask, Django, DRF and Celery"
    if program.modules:
        reason, hint = "no entry point was found", f"{known}; is this the folder of the backend?"
    elif program.unread:
        reason, hint = "no Python file could be read", "What was in the way is listed above."
    else:
        reason = "no Python file was found"
        hint = (
            f"Name the folder of the backend; {known}. `nines prove` works for any language, once nines.toml says how."
        )
    return Unexamined(what="every endpoint", reason=reason, hint=hint)
