"""`_generated/shapes.py`: what callers send, strictly, and what they are answered; rows as the owner's functions see
them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import rows, spreading, values
from nines.building.resources.annotations import annotation, constant
from nines.building.resources.facts import Thing, operation_of, thing_of, things
from nines.model.blueprint import Action, Field, FieldKind
from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.contract import Schema
from nines.model.design import Design, PlannedColumn, PlannedEndpoint, Shape

_REFERENCE = "#/components/schemas/"
_SENT = [
    "class _Sent(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):",
    '    """What callers send: what is not known is refused."""',
]
_ANSWERED = [
    "class _Answered(msgspec.Struct, kw_only=True):",
    '    """What callers are answered."""',
]


_TAKEN = [
    "class _Taken(msgspec.Struct, kw_only=True):",
    '    """What of an event is looked at; what else it tells is passed over."""',
]


_GROUPED = [
    "def grouped(rows: Iterable[Mapping[str, Any]], parent: str) -> dict[Any, list[Mapping[str, Any]]]:",
    '    """Members of lists by the object that they belong to."""',
    "    found: dict[Any, list[Mapping[str, Any]]] = {}",
    "    for row in rows:",
    "        found.setdefault(row[parent], []).append(row)",
    "    return found",
]


def write(design: Design) -> Iterator[File]:
    imports = python.Imports(names.package(design))
    imports.add("msgspec")
    updates = {each.request for each in design.endpoints if each.action is Action.UPDATE}
    received = {each.receives.shape for each in design.jobs if each.receives}
    blocks: list[list[str]] = [_TAKEN] if received - {""} else []
    for shape in used(design):
        if shape.name in received:
            blocks.append(sent(shape, imports, base="_Taken"))
        elif is_sent(shape):
            blocks.append(sent(shape, imports, is_update=shape.name in updates))
        else:
            blocks.append(_answered(design, shape, imports))
    blocks += [_query(endpoint, imports) for endpoint in design.endpoints if endpoint.action is Action.LIST]
    for thing in things(design):
        if rows.are_seen(thing):
            blocks.append(rows.kept(thing, imports))
        if thing.told:
            blocks.append(rows.told(thing, imports))
    if any(thing.lists() for thing in things(design)):
        imports.add("collections.abc", "Iterable", "Mapping")
        imports.add("typing", "Any")
        blocks.append(_GROUPED)
    lines: list[str] = []
    for block in (_SENT, _ANSWERED, *blocks):
        lines += ["", *spreading.spread(block), ""]
    text = python.module(
        "What callers send and are answered; the contract says the same in JSON Schema.", imports, lines
    )
    yield File(path=names.source(design, "_generated/shapes.py"), text=text)


def used(design: Design) -> tuple[Shape, ...]:
    """The shapes that the operations of resources send and answer with, and what those consist of."""
    wanted: dict[str, None] = {}
    for endpoint in design.endpoints:
        if endpoint.action in OF_ACCOUNTS:
            continue
        success = endpoint.success
        answered = [endpoint.resource] if success and success.shape and endpoint.resource else []
        if success and operation_gives(design, endpoint):
            answered = [success.shape]
        _collect(design, [endpoint.request, *answered], wanted)
    _collect(design, [each.receives.shape for each in design.jobs if each.receives], wanted)
    found = (design.shape(name) for name in wanted)
    return tuple(
        sorted((shape for shape in found if shape), key=lambda each: (is_sent(each), design.shapes.index(each)))
    )


def operation_gives(design: Design, endpoint: PlannedEndpoint) -> bool:
    operation = operation_of(design, endpoint)
    return operation is not None and bool(operation.gives)


def _collect(design: Design, named: list[str], wanted: dict[str, None]) -> None:
    for name in named:
        shape = design.shape(name)
        if shape is not None and name not in wanted:
            wanted[name] = None
            _collect(design, list(_referred(shape.schema)), wanted)


def _referred(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(_REFERENCE)
        for each in schema.values():
            yield from _referred(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _referred(each)


def is_sent(shape: Shape) -> bool:
    return shape.schema.get("additionalProperties") is False


def sent(
    shape: Shape,
    imports: python.Imports,
    *,
    is_update: bool = False,
    base: str = "_Sent",
    refuses_null: bool = False,
) -> list[str]:
    """A Struct for a body that callers send; of a change every member may be left out."""
    required = shape.schema.get("required", [])
    members: dict[str, Schema] = shape.schema.get("properties", {})
    lines = [f"class {names.class_of(shape.name)}({base}, kw_only=True):"]
    if is_update:
        lines += python.docstring("A merge patch: what is left out stays, and null takes a value away.", depth=1)
        lines.append("") if members else None
    for name, schema in members.items():
        type = annotation(schema, imports, is_request=True)
        if is_update:
            imports.add("msgspec", "UNSET", "UnsetType")
            wider = f"{type.removesuffix(' | None')} | UnsetType{' | None' if type.endswith(' | None') else ''}"
            lines.append(f"    {_member(name, wider, 'UNSET', imports)}")
        elif name in required:
            lines.append(f"    {_member(name, type, '', imports)}")
        elif refuses_null and "default" not in schema and schema.get("type") == "string":
            imports.add("msgspec", "UNSET", "UnsetType")
            lines.append(f"    {_member(name, f'{type} | UnsetType', 'UNSET', imports)}")
        else:
            lines.append(f"    {_member(name, *_optional(schema, type, imports), imports)}")
    if not members and not is_update:
        lines += python.docstring("Nothing is sent.", depth=1)
    return lines


def _optional(schema: Schema, type: str, imports: python.Imports) -> tuple[str, str]:
    """The type and the default of a member that may be left out."""
    if "default" in schema:
        return type, constant(schema["default"], schema.get("format", ""), imports)
    if schema.get("type") == "array":
        return type, "[]"
    return (type if type.endswith("| None") else f"{type} | None"), "None"


def _member(name: str, type: str, default: str, imports: python.Imports) -> str:
    attribute = values.attribute(name)
    if attribute != name:
        imports.add("msgspec")
        given = f", default={default}" if default else ""
        return f"{attribute}: {type} = msgspec.field(name={python.quoted(name)}{given})"
    return f"{attribute}: {type} = {default}" if default else f"{attribute}: {type}"


def _answered(design: Design, shape: Shape, imports: python.Imports) -> list[str]:
    lines = [f"class {names.class_of(shape.name)}(_Answered, kw_only=True):"]
    thing = thing_of(design, shape.resource) if shape.resource == shape.name else None
    if thing is not None and thing.resource.says:
        lines += [*python.docstring(thing.resource.says, depth=1), ""]
    for name, schema in shape.schema.get("properties", {}).items():
        lines.append(f"    {_member(name, annotation(schema, imports, is_request=False), '', imports)}")
    if thing is not None:
        lines += ["", *_of(thing, shape, imports)]
    return lines


def _of(thing: Thing, shape: Shape, imports: python.Imports) -> Iterator[str]:
    """The function that makes the answer of a row."""
    imports.add("collections.abc", "Mapping")
    imports.add("typing", "Any")
    cipher = ("cipher: Cipher",) if values.is_sealed(thing) else ()
    lists = [f"{values.attribute(member(field))}: Iterable[Mapping[str, Any]]" for field in thing.lists()]
    if lists:
        imports.add("collections.abc", "Iterable")
        lists.insert(0, "*")
    given = ("cls", "row: Mapping[str, Any]", *cipher, *lists)
    head = python.Group(head="def of", parts=given, tail=f" -> {names.class_of(shape.name)}:")
    yield "    @classmethod"
    yield from python.laid(head, depth=1)
    members = shape.schema["properties"]
    parts = [python.named(values.attribute(name), _value(thing, name, imports)) for name in members]
    yield from python.laid(python.call("cls", *parts), before="return ", depth=2)


def member(field: Field) -> str:
    """What a field is called in a body."""
    name = names.column(field.name)
    if field.kind is not FieldKind.REFERENCE or name.endswith(("_id", "_ids")):
        return name
    if not field.is_list:
        return f"{name}_id"
    one = f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")
    return f"{one}_ids"


def _value(thing: Thing, name: str, imports: python.Imports) -> python.Part:
    field = next((each for each in thing.resource.fields if member(each) == name), None)
    if field is not None and field in thing.lists():
        return _list(thing, field, imports)
    if field is not None and field.kind is FieldKind.VALUE:
        return _composite(thing, field, thing.columns_of(field), imports)
    columns = [each for each in thing.columns_of(field) if not values.is_digest(thing, each)] if field else []
    column = columns[0] if columns else thing.table.column(name)
    if column is None:
        raise AssertionError(f"{thing.table.name} keeps no {name}")
    return values.shown(thing, column, "row", imports)


def _composite(thing: Thing, field: Field, columns: tuple[PlannedColumn, ...], imports: python.Imports) -> python.Part:
    kept = [column for column in columns if not values.is_digest(thing, column)]
    given = [
        python.named(values.attribute(column.member.partition(".")[2]), values.shown(thing, column, "row", imports))
        for column in kept
    ]
    made = python.call(names.class_of(field.of), *given)
    if not field.is_optional:
        return made
    value = thing.blueprint.value_type(field.of)
    needed = next(
        (c for c, part in zip(kept, value.fields if value else (), strict=False) if not part.is_optional), kept[0]
    )
    return f"None if row[{python.quoted(needed.name)}] is None else {python.flat(made)}"


def _list(thing: Thing, field: Field, imports: python.Imports) -> python.Part:
    """The members of a list that has a table of its own."""
    each = list_table(thing, field)
    attribute = values.attribute(member(field))
    if field.kind is FieldKind.REFERENCE:
        target = thing_of(thing.design, field.of)
        column = next(
            c
            for c in each.columns
            if target and c.references == f"{target.table.name}.id" and c.name not in each.primary_key[:1]
        )
        found = f"each[{python.quoted(column.name)}]"
        if target and target.prefix:
            imports.add("nines_runtime", "identifier_text")
            found = f"identifier_text({found}, {python.quoted(target.prefix)})"
        return f"[{found} for each in {attribute}]"
    value = thing.blueprint.value_type(field.of)
    given = ", ".join(
        f"{values.attribute(part.name)}=each[{python.quoted(list_column(each, field, part))}]"
        for part in (value.fields if value else ())
    )
    return f"[{names.class_of(field.of)}({given}) for each in {attribute}]"


def list_table(thing: Thing, field: Field) -> Any:
    """The table of a list: the one that belongs to it alone."""
    own = f"{names.column(thing.resource.name)}_{names.column(field.name)}"
    found = [table for table in thing.design.tables if not table.resource and thing.table.name in table.parents]
    return next((table for table in found if table.name == own), None) or next(
        table for table in found if table.name.endswith(names.column(field.name))
    )


def list_column(table: Any, field: Field, part: Field) -> str:
    wanted = names.column(part.name)
    options = (wanted, f"{names.column(field.name)}_{wanted}", f"{wanted}_id")
    return next(option for option in options if table.column(option))


def _query(endpoint: PlannedEndpoint, imports: python.Imports) -> list[str]:
    """What a list is asked for by."""
    lines = [f"class {query_shape(endpoint)}(_Sent, kw_only=True):"]
    for each in endpoint.parameters:
        if each.location == "query":
            type = annotation(each.schema, imports, is_request=True)
            if each.name == "fields":
                lines.append(f"    {_member(each.name, type, '[]', imports)}")
            else:
                lines.append(f"    {_member(each.name, *_optional(each.schema, type, imports), imports)}")
    return lines


def query_shape(endpoint: PlannedEndpoint) -> str:
    return names.pascal(endpoint.id)
