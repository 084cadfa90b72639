"""Who may call what, and on which objects: one row for each operation, one column for each kind of caller."""

from __future__ import annotations

from nines.dossier.markdown import code, table
from nines.model.design import Design, PlannedEndpoint
from nines.model.design.access import ANONYMOUS, Reach, callers, reach

_SIGNED_IN = "signed in, no role"


def text(design: Design) -> str:
    """The matrix; there is a column for callers without a role where an operation asks for none."""
    roles = columns(design)
    titles = [f"{name}, 2nd factor" if _needs_factor(design, name) else name for name in roles]
    cells = [(_without(each), *(_cell(each, role) for role in roles)) for each in design.endpoints]
    called = [(code(each.id), code(f"{each.method} {each.path}")) for each in design.endpoints]
    if design.is_recovered:
        rows = [(as_called, *found) for (_, as_called), found in zip(called, cells, strict=True)]
        return table(("operation", "without a credential", *titles), rows)
    rows = [(*names, *found) for names, found in zip(called, cells, strict=True)]
    return table(("operation", "called as", "without a credential", *titles), rows)


def columns(design: Design) -> tuple[str, ...]:
    names = tuple(role.name for role in design.roles)
    unnamed = any(not each.is_public and not each.roles for each in design.endpoints)
    return (*([_SIGNED_IN] if unnamed or not names else []), *names)


def unreachable(design: Design) -> tuple[PlannedEndpoint, ...]:
    """Operations that no role can carry out, because none that may call them satisfies the rule of the object."""
    roles = columns(design)
    return tuple(each for each in design.endpoints if each.guards_known and not callers(each, roles))


def _needs_factor(design: Design, name: str) -> bool:
    return any(role.name == name and role.needs_second_factor for role in design.roles)


def _without(endpoint: PlannedEndpoint) -> str:
    if not endpoint.guards_known:
        return "?"
    return "yes" if reach(endpoint, ANONYMOUS) else "401"


def _cell(endpoint: PlannedEndpoint, role: str) -> str:
    """On whose objects; a refusal as the status that it gets."""
    if not endpoint.guards_known:
        return "?"
    if endpoint.is_public:
        return "yes"
    if endpoint.roles and role not in endpoint.roles:
        return "403"
    found = reach(endpoint, role)
    if not found:
        return "none"
    if found == (Reach.ANY,):
        return "any" if endpoint.grants else "yes"
    return " or ".join(found)
