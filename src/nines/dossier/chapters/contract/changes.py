"""What the next version changes for those who call by the released one."""

from __future__ import annotations

from nines.checkers.contracts import compare
from nines.dossier import yaml
from nines.dossier.chapters.contract import openapi
from nines.dossier.markdown import code, heading, page, table
from nines.model.change import ContractChange, Impact
from nines.model.design import Design

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


def text(found: tuple[ContractChange, ...]) -> str:
    blocks = [heading(1, "Changes since the released contract"), verdict(found)]
    for impact in Impact:
        mine = [each for each in found if each.impact is impact]
        if mine:
            blocks += [heading(2, _TITLES[impact]), _SAYS[impact], _table(mine)]
    return page(*blocks)


def _table(changes: list[ContractChange]) -> str:
    """Nobody is hurt by what is compatible, so there is no column for it."""
    rows = [
        (
            code(each.operation),
            f"{each.where} {each.says}".strip(),
            *((each.whom,) if each.whom else ()),
            code(each.rule),
        )
        for each in changes
    ]
    hurts = ("whom it hurts",) if changes[0].whom else ()
    return table(("operation", "what", *hurts, "rule"), rows)


def verdict(found: tuple[ContractChange, ...]) -> str:
    """What the changes mean for the release, with the ways out."""
    breaking = sum(1 for each in found if each.is_breaking)
    if not found:
        return "There is none: callers of the released contract meet the same."
    if not breaking:
        many = f"{len(found):,} changes, none of which breaks" if len(found) > 1 else "One change, which does not break"
        return f"{many} a caller: the major version stays."
    return (
        f"{breaking:,} breaking change{'s' if breaking > 1 else ''}. Either release the next major version beside this "
        "one and announce the end of the old one with Deprecation (RFC 9745) and Sunset (RFC 8594); or add what is new "
        "beside what is there, and remove the old when nobody uses it any more; or take the change back."
    )
