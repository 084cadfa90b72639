"""Blueprints drawn by chance: small ones, with everything that a table can be asked for."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from nines.model.blueprint import (
    Access,
    Action,
    Blueprint,
    Card,
    Demand,
    Dependency,
    DependencyKind,
    Fallback,
    Field,
    FieldKind,
    Grant,
    GrantKind,
    Idempotency,
    Identifier,
    IndexPart,
    Job,
    OnDelete,
    Operation,
    Page,
    Resource,
    ResourceKind,
    State,
    Tenancy,
    ValueType,
    WantedIndex,
)

_RESOURCES = ("Order", "UserGroup", "Box")
_FIELDS = ("name", "user", "amount", "note", "starts_at", "kind", "limit", "parent")
_STATES = ("open", "active", "closed", "failed")
_SIMPLE = (
    FieldKind.STRING,
    FieldKind.TEXT,
    FieldKind.INT32,
    FieldKind.INT64,
    FieldKind.DECIMAL,
    FieldKind.BOOLEAN,
    FieldKind.DATE,
    FieldKind.TIMESTAMP,
    FieldKind.UUID,
    FieldKind.JSON,
    FieldKind.BYTES,
    FieldKind.EMAIL,
    FieldKind.URL,
    FieldKind.PHONE,
    FieldKind.CURRENCY,
    FieldKind.COUNTRY,
    FieldKind.ENUM,
)
_MONEY = ValueType(
    name="Money",
    fields=(Field(name="amount_minor", kind=FieldKind.INT64), Field(name="currency", kind=FieldKind.CURRENCY)),
)


@st.composite
def fields(draw: st.DrawFn, name: str, resources: tuple[str, ...]) -> Field:
    kind = draw(st.sampled_from((*_SIMPLE, FieldKind.REFERENCE, FieldKind.VALUE)))
    is_optional = draw(st.booleans())
    more: dict[str, Any] = {}
    if kind is FieldKind.ENUM:
        more["values"] = tuple(draw(st.lists(st.sampled_from(("a", "b's", "c")), min_size=1, unique=True)))
    if kind is FieldKind.REFERENCE:
        more["of"] = draw(st.sampled_from(resources))
        more["on_delete"] = draw(st.sampled_from(OnDelete))
    if kind is FieldKind.VALUE:
        more["of"] = "Money"
    if kind in (FieldKind.INT32, FieldKind.INT64):
        more |= draw(
            st.sampled_from(({}, {"minimum": 0}, {"minimum": 0, "is_minimum_exclusive": True}, {"default": 3}))
        )
    if kind is FieldKind.STRING:
        more["length_max"] = draw(st.sampled_from((None, 12, 100)))
        more["is_encrypted"] = draw(st.booleans())
    is_list = kind not in (FieldKind.JSON, FieldKind.BYTES) and draw(st.integers(0, 4)) == 0
    return Field(name=name, kind=kind, is_optional=is_optional, is_list=is_list and "default" not in more, **more)


@st.composite
def resources(draw: st.DrawFn, name: str, names: tuple[str, ...], tenancy: Tenancy | None) -> Resource:
    told = draw(st.lists(st.sampled_from(_FIELDS), max_size=4, unique=True))
    members = tuple(draw(fields(each, names)) for each in told)
    count = draw(st.integers(0, 4))
    states = tuple(State(name=each, to=_STATES[i + 1 : i + 3]) for i, each in enumerate(_STATES[:count]))
    plain = [
        f.name for f in members if not f.is_list and f.kind is not FieldKind.VALUE and f.kind is not FieldKind.JSON
    ]
    unique = draw(st.lists(st.sampled_from(plain), max_size=1)) if plain else []
    kinds = [GrantKind.OWNER, GrantKind.ROLE, GrantKind.AUTHENTICATED, *([GrantKind.TENANT] if tenancy else [])]
    grants = st.lists(st.sampled_from(kinds), min_size=1, max_size=2, unique=True).map(_grants)
    ledger = draw(st.integers(0, 5)) == 0
    wanted = (WantedIndex(parts=(IndexPart(column="created_at", is_descending=True), IndexPart(column="id"))),)
    return Resource(
        name=name,
        kind=ResourceKind.LEDGER if ledger else ResourceKind.ENTITY,
        identifier=Identifier(kind=draw(st.sampled_from((FieldKind.UUID7, FieldKind.UUID7, FieldKind.INT64)))),
        fields=() if ledger else members,
        states=() if ledger else states,
        unique=() if ledger else tuple((each,) for each in unique),
        indexes=wanted if draw(st.booleans()) else (),
        access=Access(read=draw(grants), list=draw(grants), write=draw(grants)),
        audit=draw(st.sampled_from(("none", "writes", "all"))),
        retention_s=draw(st.sampled_from((None, 86_400.0, 1e9))),
        is_append_only=ledger,
        is_double_entry=ledger,
    )


def _grants(kinds: list[GrantKind]) -> tuple[Grant, ...]:
    return tuple(Grant(kind=kind, role="staff" if kind is GrantKind.ROLE else "") for kind in kinds)


@st.composite
def operations(draw: st.DrawFn, resource: Resource) -> list[Operation]:
    if resource.kind is ResourceKind.LEDGER:
        return [Operation(name=f"list{resource.name}", on=resource.name, do=Action.LIST)]
    calls = draw(st.sampled_from(((), ("gateway.charge",))))
    key = draw(st.sampled_from((None, Idempotency(is_required=True))))
    filterable = [f.name for f in resource.fields if f.kind not in (FieldKind.JSON, FieldKind.BYTES, FieldKind.TEXT)]
    filterable += ["status"] if resource.states else []
    filters = draw(st.lists(st.sampled_from(filterable), max_size=2, unique=True)) if filterable else []
    order = draw(
        st.sampled_from(
            (
                (),
                (IndexPart(column="updated_at"),),
                (IndexPart(column="created_at"), IndexPart(column="id", is_descending=True)),
            )
        )
    )
    found = [
        Operation(name=f"create{resource.name}", on=resource.name, calls=calls, idempotency=key, emits=("thing.made",)),
        Operation(name=f"get{resource.name}", on=resource.name, do=Action.READ),
        Operation(
            name=f"list{resource.name}",
            on=resource.name,
            do=Action.LIST,
            filters=tuple(filters),
            order=order,
            page=Page(),
        ),
        Operation(name=f"update{resource.name}", on=resource.name, do=Action.UPDATE, needs_if_match=True),
        Operation(name=f"delete{resource.name}", on=resource.name, do=Action.DELETE),
        Operation(name=f"run{resource.name}", on=resource.name, do=Action.CUSTOM, hook="run"),
    ]
    if len(resource.states) > 1:
        found += [
            Operation(
                name=f"move{resource.name}",
                on=resource.name,
                do=Action.TRANSITION,
                to_state=resource.states[1].name,
                calls=calls,
                hook=draw(st.sampled_from(("", "move"))),
            )
        ]
    wanted = draw(st.sets(st.integers(0, len(found) - 1)))
    return [each for index, each in enumerate(found) if index in wanted]


@st.composite
def blueprints(draw: st.DrawFn) -> Blueprint:
    tenancy = draw(st.sampled_from((None, Tenancy(key="tenant_id"), Tenancy(key="box_id"))))
    names = tuple(draw(st.lists(st.sampled_from(_RESOURCES), min_size=1, unique=True)))
    found = tuple(draw(resources(each, names, tenancy)) for each in names)
    jobs = [
        Job(name=f"work{each.name}", on=each.name, from_state=each.states[0].name, to_state=each.states[1].name)
        for each in found
        if len(each.states) > 1
    ]
    return Blueprint(
        service=Card(name="drawn"),
        load=Demand(steady_hz=10),
        tenancy=tenancy,
        types=(_MONEY,),
        resources=found,
        operations=tuple(operation for each in found for operation in draw(operations(each))),
        jobs=tuple(jobs) if draw(st.booleans()) else (),
        dependencies=(
            Dependency(name="db", kind=DependencyKind.POSTGRES),
            Dependency(
                name="gateway", kind=DependencyKind.HTTP, timeout_s=1.0, fallback=draw(st.sampled_from(Fallback))
            ),
        ),
    )
