"""Blueprints for tests: any that hold together, small enough to be shrunk to a cause."""

from __future__ import annotations

from hypothesis import strategies as st

from nines.model.blueprint import (
    Access,
    Action,
    Authentication,
    Blueprint,
    Card,
    Dependency,
    DependencyKind,
    Event,
    Events,
    Fallback,
    Field,
    FieldKind,
    Grant,
    GrantKind,
    Idempotency,
    Identifier,
    IndexPart,
    Limit,
    OnDelete,
    Operation,
    Page,
    Resource,
    ResourceKind,
    Role,
    State,
    Tenancy,
    ValueType,
    WantedIndex,
)

_RESOURCES = ("Payment", "RefundRequest", "Person", "Category", "Box", "BoxItem", "Problem", "Merchant")
_FIELDS = ("amount", "title", "note", "due_on", "external_ref", "quantity", "isOpen", "order", "user", "ipAddress")
_STATES = ("pending", "active", "captured", "on_hold", "cancelled")
_VERBS = ("capture", "cancel", "frobnicate", "approve", "hold")
_PLAIN = [
    kind for kind in FieldKind if kind not in (FieldKind.REFERENCE, FieldKind.VALUE, FieldKind.ENUM, FieldKind.PASSWORD)
]
_MONEY = ValueType(
    name="Money",
    fields=(
        Field(name="amount_minor", kind=FieldKind.INT64, minimum=0, is_minimum_exclusive=True),
        Field(name="currency", kind=FieldKind.CURRENCY),
    ),
)


@st.composite
def fields(draw: st.DrawFn, name: str, resources: tuple[str, ...]) -> Field:
    """One field; a reference goes to a resource that was named before, so that there is no ring."""
    kind = draw(
        st.sampled_from([*_PLAIN, FieldKind.ENUM, FieldKind.VALUE, *([FieldKind.REFERENCE] if resources else [])])
    )
    is_optional, is_list = draw(st.booleans()), draw(st.integers(0, 5)) == 0
    field = Field(
        name=name,
        kind=kind,
        is_optional=is_optional,
        is_list=is_list,
        is_read_only=draw(st.integers(0, 5)) == 0 and is_optional,
        is_personal=draw(st.booleans()),
        says=draw(st.sampled_from(["", "What it is for."])),
    )
    extra: dict[str, object] = {}
    if kind is FieldKind.ENUM:
        extra = {"values": ("small", "large")}
    elif kind is FieldKind.VALUE:
        extra = {"of": _MONEY.name}
    elif kind is FieldKind.REFERENCE:
        extra = {"of": draw(st.sampled_from(resources)), "on_delete": draw(st.sampled_from(list(OnDelete)))}
        if extra["on_delete"] is OnDelete.SET_NULL:
            extra["is_optional"] = True
    elif kind in (FieldKind.INT32, FieldKind.INT64):
        least = draw(st.none() | st.integers(-5, 5_000))
        extra = {"minimum": least, "is_minimum_exclusive": draw(st.booleans())}
        if least is not None:
            extra["maximum"] = draw(st.none() | st.integers(least + 1, 10_000))
    elif kind in (FieldKind.EMAIL, FieldKind.URL):
        extra = {"length_max": draw(st.none() | st.integers(12, 40))}
    elif kind in (FieldKind.STRING, FieldKind.TEXT):
        extra = {"length_max": draw(st.none() | st.integers(1, 300))}
    return Field(**{name: getattr(field, name) for name in field.__struct_fields__} | extra)


@st.composite
def resources(draw: st.DrawFn, name: str, earlier: tuple[str, ...], *, is_account: bool) -> Resource:
    names = draw(st.lists(st.sampled_from(_FIELDS), unique=True, max_size=4))
    own = [draw(fields(each, earlier)) for each in names]
    if is_account:
        own += [
            Field(name="email", kind=FieldKind.EMAIL, is_personal=True),
            Field(name="password", kind=FieldKind.PASSWORD),
        ]
    states: list[str] = draw(st.lists(st.sampled_from(_STATES), unique=True, max_size=4))
    chain = tuple(State(name=each, to=tuple(states[at + 1 :][:2])) for at, each in enumerate(states))
    access = [Grant(kind=GrantKind.OWNER), Grant(kind=GrantKind.ROLE, role="support"), Grant(kind=GrantKind.TENANT)]
    rules: st.SearchStrategy[tuple[Grant, ...]] = st.lists(st.sampled_from(access), unique=True, max_size=2).map(tuple)
    simple = [f.name for f in own if f.kind in (FieldKind.STRING, FieldKind.INT64) and not f.is_list]
    is_unique = draw(st.booleans())
    return Resource(
        name=name,
        kind=ResourceKind.ACCOUNT if is_account else ResourceKind.ENTITY,
        identifier=Identifier(prefix=draw(st.sampled_from(["", name[:3].lower()]))),
        fields=tuple(own),
        states=chain,
        unique=((simple[0],),) if simple and is_unique else (),
        indexes=(WantedIndex(parts=(IndexPart(column="created_at", is_descending=True), IndexPart(column="id"))),),
        access=Access(read=draw(rules), list=draw(rules), write=draw(rules)),
        is_append_only=draw(st.integers(0, 6)) == 0 and not chain,
        retention_s=86_400.0 * 365,
    )


@st.composite
def operations(draw: st.DrawFn, resource: Resource, calls: tuple[str, ...]) -> tuple[Operation, ...]:
    """Some of what can be done with a resource, each at most once."""
    found: list[Operation] = []
    actions = [Action.CREATE, Action.READ, Action.LIST]
    if not resource.is_append_only:
        actions += [Action.UPDATE, Action.DELETE]
    for action in draw(st.lists(st.sampled_from(actions), unique=True, max_size=5)):
        keys = draw(st.none() | st.builds(Idempotency, is_required=st.booleans()))
        changes = action in (Action.UPDATE, Action.DELETE)
        found.append(
            Operation(
                name=f"{action.value}{resource.name}",
                on=resource.name,
                do=action,
                roles=draw(st.sampled_from([(), ("customer",), ("customer", "support")])),
                is_public=draw(st.integers(0, 9)) == 0,
                idempotency=keys if action is not Action.LIST and action is not Action.READ else None,
                needs_if_match=changes and draw(st.booleans()),
                calls=calls if action is Action.CREATE and draw(st.booleans()) else (),
                filters=("created_at", *(("status",) if resource.states else ())) if action is Action.LIST else (),
                page=Page(default=20, max=100) if action is Action.LIST and draw(st.booleans()) else None,
                is_asynchronous=action is Action.CREATE and draw(st.integers(0, 4)) == 0,
            )
        )
    reached = {each for state in resource.states for each in state.to}
    for verb, state in zip(_VERBS, sorted(reached), strict=False):
        if draw(st.booleans()):
            found.append(
                Operation(
                    name=f"{verb}{resource.name}",
                    on=resource.name,
                    do=Action.TRANSITION,
                    to_state=state,
                    roles=("support",),
                    is_asynchronous=draw(st.integers(0, 3)) == 0,
                    calls=calls if draw(st.booleans()) else (),
                    takes=(Field(name="reason", length_max=80),) if draw(st.booleans()) else (),
                )
            )
    return tuple(found)


_ACCOUNTS = (
    ("register", Action.REGISTER),
    ("signIn", Action.SIGN_IN),
    ("refresh", Action.REFRESH),
    ("signOut", Action.SIGN_OUT),
    ("sendCode", Action.SEND_CODE),
    ("verifyCode", Action.VERIFY_CODE),
    ("requestReset", Action.REQUEST_RESET),
    ("resetPassword", Action.RESET_PASSWORD),
)


@st.composite
def blueprints(draw: st.DrawFn) -> Blueprint:
    """A blueprint that holds together: what it refers to is there, and every name is its own."""
    names = draw(st.lists(st.sampled_from(_RESOURCES), unique=True, min_size=1, max_size=3))
    has_accounts = draw(st.booleans())
    kept = [draw(resources("User", (), is_account=True))] if has_accounts else []
    for name in names:
        kept.append(draw(resources(name, tuple(each.name for each in kept), is_account=False)))
    found = [each for resource in kept for each in draw(operations(resource, ("gateway.ask",)))]
    if has_accounts:
        chosen = draw(st.lists(st.sampled_from(_ACCOUNTS), unique=True))
        found += [Operation(name=name, on="User", do=action) for name, action in chosen]
    if not found:
        found = [Operation(name=f"read{kept[0].name}", on=kept[0].name, do=Action.READ)]
    event = Event(name="thing.happened", resource=kept[0].name)
    return Blueprint(
        service=Card(name="example", owner="team", purpose="Shows that it holds."),
        auth=Authentication(scheme="own-jwt" if has_accounts else "oauth2-jwt"),
        roles=(Role(name="customer"), Role(name="support", needs_second_factor=draw(st.booleans()))),
        tenancy=draw(st.none() | st.just(Tenancy(key="merchant_id"))),
        types=(_MONEY,),
        resources=tuple(kept),
        operations=tuple(found),
        dependencies=(
            Dependency(name="db", kind=DependencyKind.POSTGRES),
            Dependency(
                name="gateway",
                kind=DependencyKind.HTTP,
                timeout_s=0.05,
                fallback=draw(st.sampled_from([Fallback.NONE, Fallback.QUEUE])),
            ),
        ),
        limits=draw(st.sampled_from([(), (Limit(count=100),)])),
        events=Events(types=(event,)) if draw(st.booleans()) else Events(),
    )
