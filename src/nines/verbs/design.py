"""`nines design`: from a blueprint to the whole dossier, or to the reasons why it cannot hold."""

from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec

from nines import dossier, planning
from nines.dossier.chapters.contract.changes import changes
from nines.model.blueprint import Promises
from nines.model.change import ContractChange
from nines.model.design import Design, Objection, ServiceTime
from nines.model.errors import SourceError
from nines.model.progress import Progress, Silent
from nines.model.record import Record
from nines.model.report import Report
from nines.model.settings import budgets_of
from nines.planning.capacity import measured
from nines.planning.objections import object_to
from nines.readers import blueprint as blueprint_reader
from nines.readers.openapi import text as openapi_text
from nines.verbs import announcing, handover
from nines.verbs.handover import Comparison, Handover, Lock
from nines.verbs.project import Project
from nines.verbs.reading import read

SEED = 1
"""Of the simulation: the same for all, so that a second run over the same blueprint changes nothing."""
_REPORT_BYTES_MAX = 200_000_000


class Planned(Record):
    """A design, or what speaks against it."""

    name: str
    objections: tuple[Objection, ...] = ()
    design: Design | None = None
    """None: refused."""
    changes: tuple[ContractChange, ...] = ()
    """From the released contract to that of the design."""

    @property
    def reasons(self) -> tuple[Objection, ...]:
        """Why it was refused."""
        return tuple(objection for objection in self.objections if objection.is_fatal)

    @property
    def breaking(self) -> tuple[ContractChange, ...]:
        """What breaks those who call by the released contract."""
        return tuple(change for change in self.changes if change.is_breaking)

    @property
    def warnings(self) -> tuple[Objection, ...]:
        return tuple(objection for objection in self.objections if not objection.is_fatal)


def from_blueprint(
    path: Path, *, released: Path | None = None, report: Path | None = None, progress: Progress | None = None
) -> Planned:
    """Reads and judges the blueprint, and plans the service where it holds; raises BlueprintError.

    `released` is the OpenAPI document that callers rely on today, `report` the JSON of `nines prove` or of
    `nines check`."""
    progress = progress or Silent()
    progress.stage(f"reading {path.name}")
    blueprint = blueprint_reader.read(path)
    objections = object_to(blueprint)
    if any(objection.is_fatal for objection in objections):
        return Planned(name=blueprint.service.name, objections=objections)
    progress.stage(f"planning {blueprint.service.name}")
    relied_on = _contract(released) if released is not None else ""
    times = _times(report) if report is not None else ()
    found = planning.plan(blueprint, chance=random.Random(SEED).random, times=times, seed=SEED)  # noqa: S311 -- no secret
    design = msgspec.structs.replace(found, warnings=objections, released=relied_on)
    return Planned(name=design.name, objections=objections, design=design, changes=changes(design))


def _contract(path: Path) -> str:
    """Raises SourceError for what is no document."""
    hint = "Give the OpenAPI document as it was released: --released openapi.yaml"
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # noqa: PTH123 -- of a descriptor
            content = stream.read(openapi_text.BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"it cannot be read: {said.lower()}", where=str(path), hint=hint) from None
    found = openapi_text.load(content, str(path))
    if "openapi" not in found or not isinstance(found.get("paths"), dict):
        raise SourceError("this is no OpenAPI 3 document with paths", where=str(path), hint=hint)
    return content.decode("utf-8-sig", "replace")


def _times(path: Path) -> tuple[ServiceTime, ...]:
    """What a report measured; raises SourceError for what is none, or tells nothing."""
    hint = "Give the report of a steady load: nines prove --only load/steady --format json --output report.json"
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # noqa: PTH123 -- of a descriptor
            content = stream.read(_REPORT_BYTES_MAX + 1)
        found = measured(msgspec.json.decode(content, type=Report))
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise SourceError(f"it cannot be read: {said}", where=str(path), hint=hint) from None
    except (ValueError, msgspec.DecodeError) as error:
        raise SourceError(f"this is no report of nines: {error}", where=str(path), hint=hint) from None
    if not found:
        raise SourceError("this report holds no steady load that was measured", where=str(path), hint=hint)
    return found


def from_code(project: Project, progress: Progress | None = None) -> Planned:
    """Reads a service that exists and tells the design that it has, with what reading could not know."""
    progress = progress or Silent()
    progress.stage(f"reading {project.name}")
    service = read(project).service
    progress.stage(f"recovering the design of {project.name}")
    asked = budgets_of(project.settings.budgets)
    promises = Promises(
        availability=asked.availability,
        error_rate=asked.error_rate,
        latency_p95_s=asked.latency_p95_ms / 1_000,
        recovery_s=asked.recovery_s,
    )
    design = planning.recover(service, budgets=promises, where=project.root.name)
    return Planned(name=design.name, design=design)


def hand_over(
    design: Design, folder: Path, *, force: bool = False, check: bool = False, progress: Progress | None = None
) -> Comparison:
    """Writes the dossier into the folder, or only compares; the answer tells how the folder stood before.

    Raises UsageError, with nothing written, where somebody's edits would be lost and `force` is not given."""
    progress = progress or Silent()
    progress.stage("writing the chapters")
    head = Lock(version=1, source=design.where, files={})
    lock = folder / "contract" / announcing.NUMBERS
    known = announcing.numbers(lock.read_text("utf-8") if lock.is_file() else "", lock)
    files = Handover(folder, handover.items(dossier.write(announcing.renumbered(design, known))), head)
    comparison = files.compare()
    if not check:
        files.write(comparison, force=force)
    return comparison
