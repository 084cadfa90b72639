"""Resources: what the service keeps."""

from __future__ import annotations

import re
from typing import Any

from nines.model.blueprint import (
    Access,
    Field,
    FieldKind,
    Grant,
    GrantKind,
    Identifier,
    IndexPart,
    Resource,
    ResourceKind,
    State,
    WantedIndex,
)
from nines.readers.blueprint.combined import Listed, Made
from nines.readers.blueprint.conditions import columns_of
from nines.readers.blueprint.document import Mapping, Node
from nines.readers.blueprint.reading import Reading
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Choice, Flag, Number, Text, Word
from nines.readers.blueprint.units import RETENTION
from nines.readers.blueprint.vocabulary import names
from nines.readers.blueprint.vocabulary.fields import FIELDS

_ROWS_MAX = 10**12

_ID_KINDS = Choice(
    {
        "uuid7": (FieldKind.UUID7, "in the order of time, so that indexes stay small; tells when it was made"),
        "uuid": (FieldKind.UUID, "chance alone: tells nothing"),
        "int64": (FieldKind.INT64, "a counter: tells how many there are; not for callers outside"),
    }
)
_ID = Keys(
    "id",
    "How the resource is named.",
    (
        Key(name="type", shape=_ID_KINDS, to="kind", says="What kind of identifier.", default="uuid7"),
        Key(name="prefix", shape=names.ID_PREFIX, says="What callers see before it: pay_0190f5..."),
    ),
    Identifier,
)

_GRANT = re.compile(rf"owner|tenant|authenticated|public|role:({names.KEBAB})")
_RULE = Word(
    'who may, such as owner, "owner or role:support", tenant, authenticated, public or nobody',
    pattern=rf"nobody|(?:{_GRANT.pattern})(?: or (?:{_GRANT.pattern}))*",
    examples=("owner", "owner or role:support", "tenant", "authenticated", "public", "nobody"),
)


def _grants(text: str, node: Node, reading: Reading) -> tuple[Grant, ...]:
    found = []
    for part in text.split(" or ") if text != "nobody" else ():
        kind, _, role = part.partition(":")
        if role:
            reading.refer("role", role, node)
        found.append(Grant(kind=GrantKind(kind), role=role))
    return tuple(dict.fromkeys(found))


_WHO = Made(_RULE, _grants)
_ACCESS = Keys(
    "access",
    "Who may do what to an object, beside the roles of the operation.",
    (
        Key(name="read", shape=_WHO, says="Who may see one.", default="nobody"),
        Key(name="list", shape=_WHO, says="Whose a list shows.", default="nobody"),
        Key(name="write", shape=_WHO, says="Who may change one.", default="nobody"),
    ),
    Access,
)

_PART = re.compile(rf"({names.COLUMN})(?: (asc|desc))?")


def _part(text: str, node: Node, reading: Reading) -> IndexPart:
    match = _PART.fullmatch(text)
    assert match is not None
    reading.refer("column", match[1], node, of=reading.scope)
    return IndexPart(column=match[1], is_descending=match[2] == "desc")


PART = Made(
    Word(
        'a field, with its direction such as "created_at desc"',
        pattern=_PART.pattern,
        examples=("created_at desc", "id"),
    ),
    _part,
)


def _index(parts: tuple[IndexPart, ...], node: Node, reading: Reading) -> WantedIndex:
    return WantedIndex(parts=parts, place=reading.place(node.mark))


def _states(found: tuple[State, ...], node: Node, reading: Reading) -> tuple[State, ...]:  # noqa: ARG001
    """With the final states, which are named only as what may follow."""
    states = list(found)
    for name in dict.fromkeys(to for state in found for to in state.to):
        if all(name != state.name for state in found):
            states.append(State(name=name))
            reading.declare("state", name, reading.scope)
    return tuple(states)


def _state(name: str, to: tuple[str, ...], node: Node, reading: Reading) -> State:  # noqa: ARG001
    return State(name=name, to=tuple(dict.fromkeys(to)))


_FOLLOWING = Listed(Word("the name of a state such as captured", pattern=names.SNAKE, examples=("captured",)))
_STATES = Made(
    Table(
        "states",
        _FOLLOWING,
        _state,
        pattern=names.SNAKE,
        style=names.SNAKE_STYLE,
        declares="state",
    ),
    _states,
)

_INVARIANT = Made(
    Word(
        'a condition over the fields such as "refunded_minor <= amount.amount_minor"',
        examples=("refunded_minor <= amount.amount_minor",),
    ),
    columns_of,
)

_KINDS = Choice(
    {
        "entity": (ResourceKind.ENTITY, "things that are made, changed and deleted"),
        "ledger": (ResourceKind.LEDGER, "entries that are only ever appended"),
        "account": (ResourceKind.ACCOUNT, "people who sign in here: credentials and sessions come with it"),
    }
)


def _checked(told: dict[str, Any], node: Mapping, reading: Reading) -> None:
    """What a resource has by itself cannot be declared again."""
    given = {"id": "the identifier is said by `id`", "created_at": "", "updated_at": "", "version": "", "owner_id": ""}
    if "states" in told:
        given["status"] = "it holds the state"
    for field in told.get("fields", ()):
        if field.name in given:
            why = given[field.name] or "nines keeps it"
            reading.report(_key_of(node, field), f"every resource has {field.name} by itself: {why}")
    if told.get("is_double_entry") and told.get("kind") is not ResourceKind.LEDGER:
        reading.report(node.get("double_entry") or node, "double_entry goes with kind: ledger")
    if told.get("kind") is ResourceKind.LEDGER:
        told["is_append_only"] = True


def _key_of(node: Mapping, field: Field) -> Node:
    fields = node.get("fields")
    entries = fields.entries if isinstance(fields, Mapping) else ()
    return next((entry.key for entry in entries if entry.key.text == field.name), node)


_RESOURCE = Keys(
    "resource",
    "Something that the service keeps.",
    (
        Key(name="kind", shape=_KINDS, says="What it is.", default="entity"),
        Key(name="id", shape=_ID, to="identifier", says="How it is named.", default="{type: uuid7}"),
        Key(
            name="fields", shape=FIELDS, says='What it has, such as `amount: Money` or `note: {type: "string <= 200"}`.'
        ),
        Key(
            name="states",
            shape=_STATES,
            says="The states with those that may follow; the first is the one in which it is created.",
        ),
        Key(
            name="unique",
            shape=Listed(Listed(names.FIELD, least=1)),
            says="Keys that no two may share, each a list of fields: [[merchant_id, external_ref]].",
        ),
        Key(
            name="indexes",
            shape=Listed(Made(Listed(PART, least=1), _index)),
            says='Indexes beside the derived ones, each a list of fields: [[merchant_id, "created_at desc", id]].',
        ),
        Key(name="invariants", shape=Listed(_INVARIANT), says="Conditions that hold for every row."),
        Key(name="access", shape=_ACCESS, says="Who may do what to an object."),
        Key(
            name="audit",
            shape=Choice({"all": "reads and writes", "writes": "what changes it", "none": ""}),
            says="What leaves a trail of who did it.",
            default="none",
        ),
        Key(name="retention", shape=RETENTION, to="retention_s", says="How long it is kept."),
        Key(name="append_only", shape=Flag(), to="is_append_only", says="Never changed or deleted.", default="false"),
        Key(
            name="double_entry",
            shape=Flag(),
            to="is_double_entry",
            says="Each posting of a ledger sums to zero.",
            default="false",
        ),
        Key(name="rows", shape=Number(0, _ROWS_MAX), to="rows_initial", says="How many there are to begin with."),
        Key(name="says", shape=Text(), says="What it is, in one sentence."),
    ),
    dict,
    check=_checked,
)


def _resource(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Resource:
    return Resource(name=name, place=reading.place(node.mark), **told)


RESOURCES = Table(
    "resources",
    _RESOURCE,
    _resource,
    pattern=names.PASCAL,
    style=names.PASCAL_STYLE,
    declares="resource",
    scope=str,
)
