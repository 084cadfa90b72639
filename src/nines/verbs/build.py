"""`nines build`: from a blueprint to a service, and from its next version to the same service, changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from nines import __version__, building, dossier
from nines.building.names import package, source
from nines.dossier import yaml
from nines.model.blueprint import DependencyKind
from nines.model.change import ContractChange
from nines.model.design import Design, Migration
from nines.model.errors import SourceError, UsageError
from nines.model.progress import Progress, Silent
from nines.model.record import Record
from nines.verbs import announcing, growing, placing
from nines.verbs.design import Planned, from_blueprint
from nines.verbs.eject import SETTINGS, SOURCE, excluding
from nines.verbs.handover import SERVICE, Comparison, Handover, Item, Lock, read_lock
from nines.verbs.runtime import FOLDER, Runtime, requirements, runtime

BLUEPRINT = "blueprint.yaml"
CONTRACT = "openapi.yaml"
SCHEMA = "schema.graphql"
_CONTRACT_BYTES_MAX = 20_000_000
_PACKAGE = re.compile(r"src/([^/]+)/_generated/")
_ONLY_FOR: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "aiokafka": frozenset({DependencyKind.KAFKA}),
        "graphql-core": frozenset({"graphql"}),
        "grpcio": frozenset({DependencyKind.GRPC, "grpc"}),
        "nats-py": frozenset({DependencyKind.NATS}),
        "protobuf": frozenset({DependencyKind.GRPC, "grpc"}),
        "redis": frozenset({DependencyKind.REDIS}),
    }
)
"""Packages of the runtime's extras, each with the kinds of dependencies and the interfaces that need it."""


class Built(Record):
    """What was written, or why nothing was."""

    planned: Planned
    comparison: Comparison | None = None
    """How the folder stood before; None: the blueprint was refused."""
    changes: tuple[ContractChange, ...] = ()
    """From the contract that stood there."""
    migrations: tuple[Migration, ...] = ()
    """Those that are new."""
    is_first: bool = True
    is_ejected: bool = False


class Wish(Record):
    """How a build is meant, beside its blueprint."""

    force: bool = False
    check: bool = False
    accept_breaking: bool = False
    renames: dict[str, str] = {}
    fills: dict[str, str] = {}


def build(
    blueprint: Path,
    folder: Path,
    wish: Wish,
    *,
    today: date,
    released: Path | None = None,
    progress: Progress | None = None,
) -> Built:
    """Writes the service, or only compares; raises UsageError, with nothing written, where something would be lost.

    `released` is the contract that callers rely on; without it the one that stands in the folder."""
    progress = progress or Silent()
    planned = from_blueprint(blueprint, released=released, progress=progress)
    if planned.design is None:
        return Built(planned=planned)
    target = folder / BLUEPRINT
    # Where it stands there already, the owner has it as it shall be.
    is_same = target.exists() and blueprint.samefile(target)
    own = Item(path=BLUEPRINT, content=blueprint.read_bytes(), is_continued=is_same)
    return deliver(planned, planned.design, own, folder, wish, today=today, progress=progress)


def deliver(
    planned: Planned, found: Design, own: Item, folder: Path, wish: Wish, *, today: date, progress: Progress
) -> Built:
    """The same for a design that was found; `own` is the blueprint as it shall stand in the folder."""
    lock = _standing(folder, package(found))
    known = announcing.numbers(_text(folder / announcing.NUMBERS), folder / announcing.NUMBERS)
    design = announcing.renumbered(_at_home(found), known)
    standing = _text(folder / CONTRACT)
    relied_on = design.released or standing
    # What is written down is what this build changes; what is refused is what callers would notice.
    others = (
        *announcing.typed(design),
        *announcing.events(design, _text(folder / announcing.EVENTS)),
        *announcing.graphed(design, _text(folder / SCHEMA)),
    )
    changes = (*announcing.compare(design, standing), *others)
    breaking = announcing.unannounced((*announcing.compare(design, relied_on), *others), relied_on, today)
    if breaking and not wish.accept_breaking and not wish.check:
        raise announcing.refusal(breaking, str(folder))
    progress.stage("writing the service")
    grown = growing.grow(design, folder, growing.told(folder, renames=wish.renames, fills=wish.fills))
    items = (
        own,
        *grown.items,
        *_changes(folder, changes, today),
        *_generated(design, is_ejected=lock.is_ejected),
        *_runtime(design, runtime(), is_ejected=lock.is_ejected),
    )
    head = replace(lock, version=1, source=BLUEPRINT, files={}, owned=(), generator=f"nines {__version__}")
    files = Handover(folder, items, head, kind=SERVICE)
    comparison = files.compare()
    if lock.is_ejected and lock.runtime not in ("", runtime().version) and not comparison.is_current:
        raise _outgrown(lock, folder)
    if not wish.check:
        files.write(comparison, force=wish.force)
    return Built(
        planned=planned,
        comparison=comparison,
        changes=changes,
        migrations=grown.added,
        is_first=grown.is_first,
        is_ejected=lock.is_ejected,
    )


def _standing(folder: Path, package: str) -> Lock:
    """What the last build left; raises UsageError where it was a service of another name."""
    lock = read_lock(folder, SERVICE)
    before = {found[1] for path in lock.files if (found := _PACKAGE.match(path))}
    if before and package not in before:
        was = f"src/{min(before)}"
        raise UsageError(
            f"the service that stands here is {was}, and by the blueprint it would be src/{package}",
            where=str(folder),
            hint="Its name is the package that your files import, so that it is not changed in place. Keep the name; "
            f"or build into another folder, and move there what you wrote below {was}. Nothing was written.",
        )
    # Whoever takes the source away again goes back to the wheel.
    return lock if not lock.is_ejected or (folder / SOURCE).is_dir() else replace(lock, is_ejected=False, runtime="")


def _outgrown(lock: Lock, folder: Path) -> UsageError:
    return UsageError(
        f"this service has the source of nines-runtime {lock.runtime}, and what would be written needs "
        f"{runtime().version}",
        where=str(folder / SOURCE),
        hint=f"Build it with the nines that it was ejected by; or move {SOURCE} away and build: its wheel then stands "
        f"beside the service again (the Dockerfile copies it with `COPY {FOLDER} {FOLDER}`), and can be ejected as "
        "before. Nothing was written.",
    )


def _at_home(design: Design) -> Design:
    """Whatever the blueprint was called before, it is called the same in the service."""
    warnings = tuple(
        replace(each, where=each.where.replace(design.where, BLUEPRINT, 1)) if design.where else each
        for each in design.warnings
    )
    return replace(design, where=BLUEPRINT, warnings=warnings)


def _generated(design: Design, *, is_ejected: bool) -> Iterator[Item]:
    """What follows from the design alone."""
    owned = {"Dockerfile"}
    for document in placing.place(dossier.write(design)):
        # Migrations are append-only, so that those of the dossier, which begin anew each time, are not among them.
        if not document.path.startswith(f"{growing.FOLDER}/"):
            text = excluding(document.text) if is_ejected and document.path == SETTINGS else document.text
            yield Item(path=document.path, content=text.encode(), is_owned=document.path in owned)
        if document.path.endswith(".proto"):
            yield Item(path=source(design, f"_generated/{document.path}"), content=document.text.encode())
        if document.path == CONTRACT:
            served = json.dumps(yaml.load(document.text, CONTRACT), ensure_ascii=False, separators=(",", ":"))
            yield Item(path=source(design, "_generated/openapi.json"), content=f"{served}\n".encode())
        if document.path == SCHEMA:
            yield Item(path=source(design, f"_generated/{SCHEMA}"), content=document.text.encode())
    for file in building.write(design):
        yield Item(path=file.path, content=file.text.encode(), is_owned=file.is_owned)


def _runtime(design: Design, found: Runtime, *, is_ejected: bool) -> Iterator[Item]:
    """The wheel, and the pins of everything that is installed beside it."""
    named = {each.kind for each in design.dependencies} | set(design.card.interfaces)
    left_out = tuple(sorted(name for name, wanted in _ONLY_FOR.items() if not named & wanted))
    for path, pins, without in (
        ("requirements.lock", found.needed, left_out),
        ("requirements-dev.lock", found.tools, left_out),
    ):
        text = requirements(found, pins=pins, without=without, is_ejected=is_ejected)
        yield Item(path=path, content=text.encode())
    if not is_ejected:
        yield Item(path=f"{FOLDER}/{found.wheel.name}", content=found.wheel.content)


def _changes(folder: Path, changes: tuple[ContractChange, ...], today: date) -> Iterator[Item]:
    text = announcing.entry(_text(folder / announcing.PATH), changes, today)
    if text:
        yield Item(path=announcing.PATH, content=text.encode(), is_continued=True)


def _text(path: Path) -> str:
    """What stands there; "" where nothing does."""
    if not path.exists():
        return ""
    try:
        with path.open("rb") as stream:
            return stream.read(_CONTRACT_BYTES_MAX).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"it cannot be read: {error}", where=str(path)) from None
