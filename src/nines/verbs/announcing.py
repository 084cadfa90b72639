"""What a new contract means for those who call by the one that stands, and how they are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from nines.checkers.contracts.graphs import changes_of as changes_of_graph
from nines.checkers.contracts.numbers import changes_of, numbered, numbers_of
from nines.dossier import yaml
from nines.dossier.chapters.contract import graphql
from nines.dossier.chapters.contract.changes import changes, told
from nines.model.change import ContractChange, Impact
from nines.model.design import Design
from nines.model.design.graph import has_graph
from nines.model.design.protocol import Numbers, PlannedProtocol
from nines.model.errors import SourceError, UsageError

PATH = "CHANGES.md"
NUMBERS = "proto.lock"
EVENTS = "asyncapi.yaml"
REMOVED = "operation-removed"
_HEAD = "# Changes of the contract\n\nWhat callers meet; `nines build` writes it, the newest first.\n"
_LISTED_MAX = 50
_SHOWN_MAX = 10
_TITLES = {Impact.BREAKING: "breaks callers", Impact.RISKY: "may break callers", Impact.COMPATIBLE: "breaks nobody"}


def numbers(text: str, where: Path) -> Numbers:
    """Those that callers were given; raises SourceError where the file is there and cannot be read."""
    if not text:
        return Numbers()
    try:
        return msgspec.json.decode(text, type=Numbers)
    except msgspec.DecodeError as error:
        hint = "Bring it back from version control; without it callers would misread what they are sent."
        raise SourceError(f"it cannot be read: {error}", where=str(where), hint=hint) from None


def renumbered(design: Design, known: Numbers) -> Design:
    """With the numbers that callers were given before."""
    if design.protocol is None:
        return replace(design, numbers=known)
    return replace(design, protocol=numbered(design.protocol, known), numbers=known)


def typed(design: Design) -> tuple[ContractChange, ...]:
    """What changes for those who ask over gRPC; where it is no longer offered at all, every method is gone."""
    nothing = PlannedProtocol(package="", service="")
    after = numbers_of(design.protocol or nothing, design.numbers, design.endpoints)
    return tuple(changes_of(design.numbers, after))


def compare(design: Design, standing: str) -> tuple[ContractChange, ...]:
    """From the contract that stands to that of the design; none where there is none."""
    return changes(replace(design, released=standing)) if standing else ()


def events(design: Design, standing: str) -> tuple[ContractChange, ...]:
    """What changes for those who are told of events, from the document that stands."""
    return told(design, standing)


def graphed(design: Design, standing: str) -> tuple[ContractChange, ...]:
    """What changes for those who ask for a graph, from the schema that stands."""
    after = graphql.text(design) if has_graph(design) else ""
    return tuple(changes_of_graph(standing, after, [each.id for each in design.endpoints]))


def unannounced(found: Iterable[ContractChange], standing: str, today: date) -> tuple[ContractChange, ...]:
    """What breaks callers without their having been told before: all but operations past their sunset."""
    document = yaml.load(standing, "openapi.yaml") if standing else {}
    return tuple(each for each in found if each.is_breaking and not _is_over(each, document, today))


def _is_over(change: ContractChange, document: Any, today: date) -> bool:
    """Whether it is the end, told by Sunset (RFC 8594), of an operation that was deprecated (RFC 9745)."""
    if change.rule != REMOVED:
        return False
    method, _, path = change.operation.partition(" ")
    operation = document.get("paths", {}).get(path, {}).get(method.lower(), {})
    sunset = str(operation.get("x-sunset", ""))
    return bool(operation.get("deprecated")) and bool(sunset) and sunset <= today.isoformat()


def refusal(breaking: Sequence[ContractChange], where: str) -> UsageError:
    """Names what would break, and the ways out."""
    lines = [f"  {_line(each)}" for each in breaking[:_SHOWN_MAX]]
    if len(breaking) > _SHOWN_MAX:
        lines.append(f"  ... and {len(breaking) - _SHOWN_MAX} more")
    return UsageError(
        f"callers of the contract that stands here would break by {len(breaking)} "
        f"change{'s' if len(breaking) > 1 else ''}",
        where=where,
        detail="\n".join(lines),
        hint="1. Keep what is there and add the new beside it. 2. Announce the end of an operation first: `deprecated: "
        "{since: DAY, sunset: DAY}` in the blueprint sends Deprecation and Sunset with every answer, and past that day "
        f"it may go. 3. Break them knowingly with --accept-breaking; it is written into {PATH}. Nothing was written.",
    )


def entry(standing: str, found: Sequence[ContractChange], today: date) -> str:
    """The file of changes with what is new at its top; as it stands where nothing is."""
    if not found:
        return standing
    head, marker, rest = standing.partition("\n## ")
    worst = next(impact for impact in Impact if any(each.impact is impact for each in found))
    lines = [f"## {today.isoformat()}: {_TITLES[worst]}", "", *_listed(found)]
    return f"{(head.rstrip() or _HEAD.rstrip())}\n\n" + "\n".join(lines) + "\n" + (f"{marker}{rest}" if marker else "")


def _listed(found: Sequence[ContractChange]) -> Iterator[str]:
    ordered = [each for impact in Impact for each in found if each.impact is impact]
    for each in ordered[:_LISTED_MAX]:
        mark = f"**{_TITLES[each.impact]}** " if each.impact is not Impact.COMPATIBLE else ""
        yield f"- {mark}{_line(each)}"
    if len(ordered) > _LISTED_MAX:
        yield f"- and {len(ordered) - _LISTED_MAX} more"


def _line(change: ContractChange) -> str:
    where = " ".join(part for part in (change.operation, change.where) if part)
    return f"{where}: {change.says}" if where else change.says
