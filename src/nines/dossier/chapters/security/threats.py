"""The threats, element by element; what is the same for several elements stands once."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.dossier.chapters.security.boundaries import short
from nines.dossier.markdown import bullets, code, heading, table
from nines.model.design import Choice, Design, Element, ElementKind, Threat

_TITLES = (
    (ElementKind.PERSON, "People"),
    (ElementKind.PROCESS, "Processes"),
    (ElementKind.STORE, "Stores"),
    (ElementKind.EXTERNAL, "Other services"),
    (ElementKind.FLOW, "Flows over a boundary"),
)
_COLUMNS = ("threat", "kind", "what somebody tries", "what stands in the way", "where", "tried by")


def by_element(design: Design) -> Iterator[str]:
    for kind, title in _TITLES:
        elements = [each for each in design.elements if each.kind is kind]
        groups = _groups(design, elements)
        if groups:
            yield heading(3, title)
        for names, threats in groups:
            yield f"**{' · '.join(names)}**"
            yield table(_COLUMNS, [_row(each) for each in threats])


def open_ones(design: Design) -> str:
    """What stays open, with the ways to close it; what is said of several elements stands once."""
    groups: dict[tuple[str, str], list[Threat]] = {}
    unread: dict[str, list[Threat]] = {}
    for each in design.threats:
        if each.is_open and design.is_recovered and each.mitigation.startswith(_UNREAD):
            unread.setdefault(each.mitigation, []).append(each)
        elif each.is_open:
            groups.setdefault((each.says, each.mitigation), []).append(each)
    lines = []
    for (says, mitigation), same in groups.items():
        options = "; ".join(f"{o.name} ({o.gains}; costs: {o.costs}{_when(o)})" for o in same[0].options)
        ways = f" Options: {options}." if options else ""
        lines.append(f"**{', '.join(each.id for each in same)}** {says} {mitigation}{ways}")
    lines += [f"{', '.join(each.id for each in same)}: {mitigation}" for mitigation, same in unread.items()]
    return bullets(lines)


def _when(option: Choice) -> str:
    return f"; right when {option.when}" if option.when else ""


_UNREAD = "Not known."
"""How a threat begins of which the code tells nothing; such ones are listed by the reason, below the others."""


def _groups(design: Design, elements: list[Element]) -> list[tuple[list[str], list[Threat]]]:
    """Threats that are told alike of several elements stand in one table under all their names."""
    names = {each.id: short(each) for each in elements}
    same: dict[tuple[str, str, str], list[Threat]] = {}
    for each in design.threats:
        if each.element in names:
            same.setdefault((each.stride.value, each.says, each.mitigation), []).append(each)
    tables: dict[tuple[str, ...], list[Threat]] = {}
    for found in same.values():
        merged = tuple(dict.fromkeys(each.element for each in found))
        first = found[0]
        tables.setdefault(merged, []).append(first if len(found) == 1 else _merged(found))
    order = {each.id: number for number, each in enumerate(elements)}
    keys = sorted(tables, key=lambda key: [order[each] for each in key])
    return [([names[each] for each in key], tables[key]) for key in keys]


def _merged(found: list[Threat]) -> Threat:
    return replace(found[0], id=", ".join(each.id for each in found))


def _row(threat: Threat) -> tuple[str, ...]:
    kind = f"{threat.stride.value}{f', {threat.owasp}' if threat.owasp else ''}"
    says = f"{threat.mitigation}{' **Open.**' if threat.is_open else ''}"
    tried = ", ".join(code(each) for each in threat.trials) or "nothing yet"
    return threat.id, kind, threat.says, says, threat.implemented_in, tried
