"""What the next version changes for those who call by the released one."""

from __future__ import annotations

from collections.abc import Iterable

from nines.checkers.contracts import compare, compare_events
from nines.dossier import yaml
from nines.dossier.chapters.contract import asyncapi, openapi
from nines.dossier.markdown import code, heading, page, table
from nines.model.change import ContractChange, Impact
from nines.model.design import Design

_NAMED_MAX = 4
_TITLES = {
    Impact.BREAKING: "Breaks callers",
    Impact.RISKY: "May break callers",
    Impact.COMPATIBLE: "Breaks nobody",
}
_SAYS = {
    Impact.BREAKING: "These callers fail without having changed anything.",
    Impact.RISKY: "Only callers that relied on more than was promised, or it could not be told from the schemas.",
    Impact.COMPATIBLE: "",
}


def changes(design: Design) -> tuple[ContractChange, ...]:
    """From the released contract to the one of this design; none where nothing was released."""
    if not design.released:
        return ()
    return compare(yaml.load(design.released, "contract/released.yaml"), openapi.document(design))


def told(design: Design, standing: str) -> tuple[ContractChange, ...]:
    """The same for the events, from the AsyncAPI document that stands; none where there is none."""
    if not standing:
        return ()
    return compare_events(yaml.load(standing, "asyncapi.yaml"), asyncapi.document(design))


def text(found: tuple[ContractChange, ...]) -> str:
    blocks = [heading(1, "Changes since the released contract"), verdict(found)]
    for impact in Impact:
        mine = _grouped(each for each in found if each.impact is impact)
        if mine:
            blocks += [heading(2, _TITLES[impact]), _SAYS[impact], _table(mine)]
    return page(*blocks)


def _grouped(changes: Iterable[ContractChange]) -> list[list[ContractChange]]:
    """One change of a shape shows in every operation that uses it, and is told once."""
    groups: dict[tuple[str, str, str, str], list[ContractChange]] = {}
    for each in changes:
        groups.setdefault((each.rule, _what(each), each.says, each.whom), []).append(each)
    return list(groups.values())


def _what(change: ContractChange) -> str:
    """What has changed, wherever it is: "200 /items/*/status" is the member `status` of an answer."""
    place, _, pointer = change.where.partition(" /")
    member = pointer.removeprefix("items/*/").removesuffix("*").rstrip("/")
    if not member:
        return place if not place.isdigit() else f"status {place}"
    return f"{code(member)} of the {'answer' if place.isdigit() else place}"


def _table(groups: list[list[ContractChange]]) -> str:
    """Nobody is hurt by what is compatible, so there is no column for it."""
    rows = [
        (
            f"{_what(group[0])} {group[0].says}".strip(),
            _where(group),
            *((group[0].whom,) if group[0].whom else ()),
            code(group[0].rule),
        )
        for group in groups
    ]
    hurts = ("whom it hurts",) if groups[0][0].whom else ()
    return table(("what", "operation", *hurts, "rule"), rows)


def _where(group: list[ContractChange]) -> str:
    operations = list(dict.fromkeys(each.operation for each in group))
    named = ", ".join(code(each) for each in operations[:_NAMED_MAX])
    rest = len(operations) - _NAMED_MAX
    return f"{named} and {rest} more" if rest > 0 else named


def verdict(found: tuple[ContractChange, ...]) -> str:
    """What the changes mean for the release, with the ways out."""
    if not found:
        return "There is none: callers of the released contract meet the same."
    breaking = [each for each in found if each.is_breaking]
    if not breaking:
        number = len(found)
        many = f"{number:,} changes, none of which breaks" if number > 1 else "One change, which does not break"
        return f"{many} a caller: the major version stays."
    kinds = len(_grouped(breaking))
    of = f" of {kinds:,} kind{'s' if kinds > 1 else ''}" if kinds < len(breaking) else ""
    return (
        f"{len(breaking):,} breaking change{'s' if len(breaking) > 1 else ''}{of}. Either release the next major "
        "version beside this one and announce the end of the old one with Deprecation (RFC 9745) and Sunset "
        "(RFC 8594); or add what is new beside what is there, and remove the old when nobody uses it any more; or take "
        "the change back."
    )
