"""`nines design`: from a blueprint to the whole dossier, or to the reasons why it cannot hold."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nines import dossier, planning
from nines.model.design import Design, Objection
from nines.model.progress import Progress, Silent
from nines.model.record import Record
from nines.planning.objections import object_to
from nines.readers import blueprint as blueprint_reader
from nines.verbs import handover
from nines.verbs.handover import Comparison


class Planned(Record):
    """A design, or what speaks against it."""

    name: str
    objections: tuple[Objection, ...] = ()
    design: Design | None = None
    """None: refused."""

    @property
    def reasons(self) -> tuple[Objection, ...]:
        """Why it was refused."""
        return tuple(objection for objection in self.objections if objection.is_fatal)

    @property
    def warnings(self) -> tuple[Objection, ...]:
        return tuple(objection for objection in self.objections if not objection.is_fatal)


def from_blueprint(path: Path, progress: Progress | None = None) -> Planned:
    """Reads and judges the blueprint, and plans the service where it holds; raises BlueprintError."""
    progress = progress or Silent()
    progress.stage(f"reading {path.name}")
    blueprint = blueprint_reader.read(path)
    objections = object_to(blueprint)
    if any(objection.is_fatal for objection in objections):
        return Planned(name=blueprint.service.name, objections=objections)
    progress.stage(f"planning {blueprint.service.name}")
    design = msgspec.structs.replace(planning.plan(blueprint), warnings=objections)
    return Planned(name=design.name, objections=objections, design=design)


def hand_over(
    design: Design, folder: Path, *, force: bool = False, check: bool = False, progress: Progress | None = None
) -> Comparison:
    """Writes the dossier into the folder, or only compares; the answer tells how the folder stood before.

    Raises UsageError, with nothing written, where somebody's edits would be lost and `force` is not given."""
    progress = progress or Silent()
    progress.stage("writing the chapters")
    documents = dossier.write(design)
    comparison = handover.compare(folder, documents, design.where)
    if not check:
        handover.write(folder, documents, design.where, comparison, force=force)
    return comparison
