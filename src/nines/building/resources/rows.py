"""Classes of rows as the owner's functions see them, and of what others tell about them."""

from __future__ import annotations

from nines.building import python
from nines.building.resources import values
from nines.building.resources.facts import Thing
from nines.model import words as wording
from nines.model.blueprint import OF_ACCOUNTS, Action
from nines.model.design import PlannedColumn


def are_seen(thing: Thing) -> bool:
    """Whether the owner's functions get to see its rows."""
    name = thing.resource.name
    operations = [each for each in thing.blueprint.operations if each.on == name and each.do not in OF_ACCOUNTS]
    jobs = [each for each in thing.blueprint.jobs if each.on == name]
    taking = [each.receives for each in thing.design.jobs if each.resource == name and each.receives]
    consumers = [each for each in thing.blueprint.consumers if each.on == name]
    return (
        any(each.hook or each.calls or each.posts or each.do is Action.CUSTOM for each in operations)
        or any(each.hook or each.calls for each in jobs)
        or any(each.sets for each in taking)
        or any(each.hook or each.do is Action.CREATE for each in consumers)
    )


def kept(thing: Thing, imports: python.Imports) -> list[str]:
    imports.add("collections.abc", "Mapping")
    imports.add("typing", "Any")
    lines = [f"class {thing.kept}(msgspec.Struct, kw_only=True):"]
    said = f"{article(thing.spoken)} as the table keeps it; functions of operations/ may change it."
    lines += [*python.docstring(said[:1].upper() + said[1:], depth=1), ""]
    for column in columns(thing):
        lines.append(f"    {values.attribute(column.name)}: {values.python_type(thing, column, imports)}")
    sealed = [column for column in columns(thing) if column.is_encrypted]
    cipher = ", cipher: Cipher" if sealed else ""
    lines += ["", "    @classmethod", f"    def of(cls, row: Mapping[str, Any]{cipher}) -> {thing.kept}:"]
    is_renamed = any(values.attribute(column.name) != column.name for column in columns(thing))
    if not sealed and not is_renamed:
        return [*lines, "        return cls(**{name: row[name] for name in cls.__struct_fields__})"]
    given = [
        python.named(values.attribute(column.name), _kept_value(thing, column, imports)) for column in columns(thing)
    ]
    return [*lines, *python.laid(python.call("cls", *given), before="return ", depth=2)]


def _kept_value(thing: Thing, column: PlannedColumn, imports: python.Imports) -> python.Part:
    if column.is_encrypted:
        return values.shown(thing, column, "row", imports)
    return f"row[{python.quoted(column.name)}]"


def columns(thing: Thing) -> tuple[PlannedColumn, ...]:
    """What readers of the table get: not what the service keeps for its own work."""
    work = {"pending_operation", "pending_id", "pending_until", "pending_request", "next_attempt_at", "last_error"}
    if thing.table.column("next_attempt_at"):
        work.add("attempts")
    own = {column.name for field in thing.resource.fields for column in thing.columns_of(field)}
    return tuple(
        column
        for column in thing.table.columns
        if (column.name in own or column.name not in work) and not values.is_digest(thing, column)
    )


def article(noun: str) -> str:
    return wording.an(noun)


def told(thing: Thing, imports: python.Imports) -> list[str]:
    lines = [f"class {thing.told}(msgspec.Struct, frozen=True, kw_only=True):"]
    said = f"What others tell of {article(thing.spoken)}; None: nothing, and what is known stays."
    lines += [*python.docstring(said, depth=1), ""]
    for column in thing.told_columns:
        lines.append(f"    {values.attribute(column.name)}: {values.python_type(thing, column, imports)} = None")
    return lines
