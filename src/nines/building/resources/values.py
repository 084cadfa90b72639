"""How a value goes from a body into a column, and from a row into a body."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources.annotations import constant
from nines.building.resources.facts import Thing, prefix_of
from nines.model.blueprint import Field, FieldKind, ResourceKind
from nines.model.design import PlannedColumn

_TEXTS = (
    FieldKind.STRING,
    FieldKind.TEXT,
    FieldKind.EMAIL,
    FieldKind.URL,
    FieldKind.PHONE,
    FieldKind.CURRENCY,
    FieldKind.COUNTRY,
    FieldKind.ENUM,
)
_TYPES = {
    "text": "str",
    "integer": "int",
    "bigint": "int",
    "smallint": "int",
    "boolean": "bool",
    "date": "date",
    "timestamptz": "datetime",
    "uuid": "UUID",
    "jsonb": "Any",
    "bytea": "bytes",
    "numeric(19,4)": "Decimal",
}
_BLANKS = {
    "boolean": "False",
    "timestamptz": "datetime.now(UTC)",
    "date": "datetime.now(UTC).date()",
    "uuid": "new_id()",
    "integer": "0",
    "bigint": "0",
    "smallint": "0",
    "jsonb": "{}",
    "bytea": 'b""',
    "text": '""',
}
"""What a column holds that nobody set."""
_FORMATS = {"timestamptz": "date-time", "date": "date", "uuid": "uuid"}
_IMPORTS = {"date": "datetime", "datetime": "datetime", "UUID": "uuid", "Any": "typing", "Decimal": "decimal"}


def is_digest(thing: Thing, column: PlannedColumn) -> bool:
    """The keyed digest by which an encrypted column is looked up."""
    field = thing.part_of(column)
    return field is not None and field.is_encrypted and not column.is_encrypted


def is_text(field: Field) -> bool:
    return field.kind in _TEXTS and not field.is_list


def place_of(thing: Thing, column: PlannedColumn) -> str:
    """What a ciphertext is bound to."""
    return python.quoted(f"{thing.table.name}.{column.name.removesuffix('_digest')}")


def python_type(thing: Thing, column: PlannedColumn, imports: python.Imports) -> str:
    """Of a column, as the owner's functions see it: encrypted ones are open."""
    field = thing.part_of(column)
    type = column.type
    is_list = type.endswith("[]")
    if column.is_encrypted and field is not None:
        found = "str" if is_text(field) else "Any"
    else:
        found = _TYPES.get(type.removesuffix("[]"), "Any")
    if found in _IMPORTS:
        imports.add(_IMPORTS[found], found)
    found = f"list[{found}]" if is_list else found
    return f"{found} | None" if column.is_nullable and found != "Any" else found


def prefix_in(thing: Thing, column: PlannedColumn) -> str | None:
    """The prefix with which callers see an identifier; None: it is none, or it has no prefix."""
    if column.type != "uuid":
        return None
    if column.name == "id":
        return thing.prefix or None
    field = thing.field_of(column)
    if field is not None and field.kind is FieldKind.REFERENCE:
        return prefix_of(thing.design, field.of) or None
    parent = column.references.partition(".")[0]
    of = next((table.resource for table in thing.design.tables if table.name == parent), "")
    return prefix_of(thing.design, of) or None


def shown(thing: Thing, column: PlannedColumn, row: str, imports: python.Imports) -> python.Part:
    """A column of a row as callers see it."""
    found = f"{row}[{python.quoted(column.name)}]"
    prefix = prefix_in(thing, column)
    if column.is_encrypted:
        opened: python.Part = _opened(thing, column, row, imports)
    elif prefix:
        imports.add("nines_runtime", "identifier_text")
        opened = f"identifier_text({found}, {python.quoted(prefix)})"
    else:
        return found
    return f"{found} and {python.flat(opened)}" if column.is_nullable else opened


def _opened(thing: Thing, column: PlannedColumn, row: str, imports: python.Imports) -> str:
    imports.add("nines_runtime", "Cipher")
    field = thing.part_of(column)
    given = f'{row}[{python.quoted(column.name)}], {place_of(thing, column)}, {row}["id"]'
    if field is not None and is_text(field):
        return f"cipher.decrypt({given})"
    imports.add("msgspec")
    return f"msgspec.json.decode(cipher.decrypt_bytes({given}))"


def sealed(thing: Thing, column: PlannedColumn, value: str, row_id: str, imports: python.Imports) -> str:
    """What an encrypted column or its digest keeps of a value."""
    field = thing.part_of(column)
    if is_digest(thing, column):
        return f"service.lookup.digest({value}, {place_of(thing, column)})"
    if field is None or not is_text(field):
        imports.add("msgspec")
        value = f"msgspec.json.encode({value})"
    return f"service.cipher.encrypt({value}, {place_of(thing, column)}, {row_id})"


def taken(thing: Thing, column: PlannedColumn, body: str, row_id: str, imports: python.Imports) -> str:
    """The member of a body that a column keeps, as the database takes it."""
    field = thing.part_of(column)
    path = column.member.split(".")
    member = ".".join([body, *(attribute(each) for each in path)])
    outer = thing.field_of(column)
    value = plain(thing, column, field, member, imports)
    is_sealed = column.is_encrypted or is_digest(thing, column)
    if is_sealed:
        value = sealed(thing, column, value, row_id, imports)
    if outer is None:
        return value
    if len(path) > 1 and outer.is_optional:
        whole = f"{body}.{attribute(path[0])}"
        return f"None if {whole} is None else {value}"
    if outer.is_optional and value != member:
        return f"None if {member} is None else {value}"
    return value


def plain(thing: Thing, column: PlannedColumn, field: Field | None, member: str, imports: python.Imports) -> str:
    """A member that is there, as its column takes it."""
    if field is None:
        return member
    prefix = prefix_in(thing, column)
    if prefix and field.kind is FieldKind.REFERENCE:
        imports.add("nines_runtime", "as_identifier")
        return f"as_identifier({member}, {python.quoted(prefix)})"
    if field.kind is FieldKind.DECIMAL and not column.is_encrypted:
        imports.add("decimal", "Decimal")
        return f"[Decimal(each) for each in {member}]" if field.is_list else f"Decimal({member})"
    if field.kind is FieldKind.EMAIL:
        return f"[each.lower() for each in {member}]" if field.is_list else f"{member}.lower()"
    return member


def opened_member(thing: Thing, column: PlannedColumn, body: str, imports: python.Imports) -> str:
    """The member of a body that a column keeps, before it is sealed."""
    field, outer = thing.part_of(column), thing.field_of(column)
    path = column.member.split(".")
    member = ".".join([body, *(attribute(each) for each in path)])
    value = plain(thing, column, field, member, imports)
    if field is not None and field.kind is FieldKind.ENUM and field.is_list:
        value = f"[*{member}]"
    if outer is not None and outer.is_optional and (len(path) > 1 or value != member):
        return f"None if {body}.{attribute(path[0])} is None else {value}"
    return value


def blank(thing: Thing, column: PlannedColumn, imports: python.Imports) -> str:
    """What a column holds that no caller sets: its default, or nothing yet."""
    field = thing.field_of(column)
    if field is not None and field.default is not None:
        if column.type == "numeric(19,4)":
            imports.add("decimal", "Decimal")
            return f'Decimal("{field.default}")'
        return constant(field.default, _FORMATS.get(column.type, ""), imports)
    if column.is_nullable:
        return "None"
    if column.type.endswith("[]"):
        return "[]"
    found = _BLANKS.get(column.type, "Decimal()")
    for name, where in (("datetime", "datetime"), ("new_id", "nines_runtime"), ("Decimal", "decimal")):
        if name in found:
            imports.add(where, *(("UTC", name) if name == "datetime" else (name,)))
    return found


def attribute(member: str) -> str:
    """The attribute of a Struct for a member of a body."""
    return names.snake(member)


def is_sealed(thing: Thing) -> bool:
    """Whether callers see something that is kept encrypted, so that a cipher is needed to show it."""
    answered = (field for field in thing.resource.fields if field.is_answered)
    return any(column.is_encrypted for field in answered for column in thing.columns_of(field))


def keeps_sealed(thing: Thing) -> bool:
    """Whether anything of it is kept encrypted."""
    return any(column.is_encrypted for column in thing.table.columns)


def caller_prefix(thing: Thing) -> str:
    """With which the subject of a token is written, where people sign in here."""
    accounts = (each for each in thing.blueprint.resources if each.kind is ResourceKind.ACCOUNT)
    return next((each.identifier.prefix for each in accounts), "")
