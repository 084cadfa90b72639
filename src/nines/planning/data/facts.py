"""What the operations ask of a resource's table: an owner, a queue, a reservation, lookups."""

from __future__ import annotations

import re

from nines.model.blueprint import Action, Blueprint, Field, FieldKind, GrantKind, Job, Operation, Resource, ResourceKind
from nines.planning.data.columns import column_type, lookup_name
from nines.planning.data.names import snake, table_name

_WORD = re.compile(r"'[^']*'|[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*")


def keeps_sessions(blueprint: Blueprint) -> bool:
    """Whether a session is kept here and known by its cookie, so that nobody is given tokens."""
    return blueprint.auth is not None and blueprint.auth.scheme == "session"


def account_of(blueprint: Blueprint) -> Resource | None:
    """The resource of the people who sign in here."""
    return next((each for each in blueprint.resources if each.kind is ResourceKind.ACCOUNT), None)


def has_owner(resource: Resource) -> bool:
    """Whether rows carry the one who may touch them; an account is its own owner."""
    access = resource.access
    grants = (*access.read, *access.list, *access.write)
    return resource.kind is ResourceKind.ENTITY and any(grant.kind is GrantKind.OWNER for grant in grants)


def owner_column(resource: Resource) -> str:
    """The column that is compared with the caller; "" where nobody owns the rows."""
    if resource.kind is ResourceKind.ACCOUNT:
        return "id"
    return "owner_id" if has_owner(resource) else ""


def tenant_resource(blueprint: Blueprint) -> Resource | None:
    """The resource that is the tenant itself: Merchant, where the key is merchant_id."""
    if blueprint.tenancy is None:
        return None
    key = blueprint.tenancy.key
    return next((each for each in blueprint.resources if f"{snake(each.name)}_id" == key), None)


def tenant_column(blueprint: Blueprint, resource: Resource | None = None) -> str:
    """The column that separates the tenants' rows; "" where schemas, databases or nothing do."""
    if blueprint.tenancy is None or blueprint.tenancy.isolation != "row":
        return ""
    if resource is not None and resource == tenant_resource(blueprint):
        return "id"
    return blueprint.tenancy.key


def tenant_type(blueprint: Blueprint) -> str:
    found = tenant_resource(blueprint)
    return column_type(found.identifier.kind) if found else "text"


def operations_on(blueprint: Blueprint, resource: Resource) -> tuple[Operation, ...]:
    return tuple(each for each in blueprint.operations if each.on == resource.name)


def jobs_on(blueprint: Blueprint, resource: Resource) -> tuple[Job, ...]:
    """The jobs that take this resource's rows."""
    return tuple(each for each in blueprint.jobs if each.on == resource.name and each.from_state)


def state_names(resource: Resource) -> tuple[str, ...]:
    """Every state, the ones that are only ever gone to included; the first is the one of a new row."""
    named = [name for state in resource.states for name in (state.name, *state.to)]
    told = [state.name for state in resource.states]
    return tuple(dict.fromkeys([*told, *named]))


def feeding(blueprint: Blueprint, job: Job) -> tuple[Operation, ...]:
    """The operations that bring rows into the state from which the job takes them."""
    resource = blueprint.resource(job.on)
    first = resource.states[0].name if resource and resource.states else ""
    return tuple(
        each
        for each in blueprint.operations
        if each.on == job.on
        and (
            (each.do is Action.TRANSITION and each.to_state == job.from_state)
            or (each.do in (Action.CREATE, Action.REGISTER) and job.from_state in ("", first))
        )
    )


def reserving(blueprint: Blueprint, resource: Resource) -> tuple[str, ...]:
    """The operations that hold a row while they ask others: reserve, commit, call, settle."""
    return tuple(each.name for each in operations_on(blueprint, resource) if each.calls)


def signing_state(blueprint: Blueprint, resource: Resource) -> str:
    """The one state in which somebody can sign in: the first, or the one after their address was verified."""
    if not resource.states or resource.kind is not ResourceKind.ACCOUNT:
        return ""
    first = resource.states[0]
    return first.to[0] if first.to and uses(blueprint, Action.VERIFY_CODE) else first.name


def unverified_state(blueprint: Blueprint, resource: Resource) -> str:
    """In which an account stands until somebody shows that its address is theirs; "": nobody is asked to."""
    signing = signing_state(blueprint, resource)
    first = resource.states[0].name if signing else ""
    return first if first != signing else ""


def sources(blueprint: Blueprint, resource: Resource, to_state: str) -> tuple[str, ...]:
    """The states from which an operation may go there: what a code has to show is granted by nobody."""
    unverified = unverified_state(blueprint, resource)
    is_shown = resource.kind is ResourceKind.ACCOUNT and to_state == signing_state(blueprint, resource)
    names = (state.name for state in resource.states if to_state in state.to)
    return tuple(name for name in names if not (is_shown and name == unverified))


def lookups(blueprint: Blueprint, resource: Resource) -> frozenset[str]:
    """The fields that rows are found by: filters, unique keys, and the names that people sign in with."""
    wanted = {name for key in resource.unique for name in key}
    wanted |= {name for each in operations_on(blueprint, resource) for name in each.filters}
    login = login_field(resource)
    return frozenset(wanted | ({login.name} if login else set()))


def login_field(resource: Resource) -> Field | None:
    """What people sign in with: the address, else the number, else the first unique string."""
    if resource.kind is not ResourceKind.ACCOUNT:
        return None
    given = [field for field in resource.fields if not field.is_list and not field.is_read_only]
    for kind in (FieldKind.EMAIL, FieldKind.PHONE):
        found = next((field for field in given if field.kind is kind), None)
        if found:
            return found
    alone = {key[0] for key in resource.unique if len(key) == 1}
    return next((field for field in given if field.name in alone), None)


def login_column(resource: Resource) -> str:
    field = login_field(resource)
    return lookup_name(field) if field else "id"


def uses(blueprint: Blueprint, *actions: Action) -> bool:
    return any(each.do in actions for each in blueprint.operations)


def crosses(blueprint: Blueprint, resource: str, other: str) -> bool:
    """Whether the two live in databases of their own, so that no foreign key can hold between them."""
    mine, its = blueprint.module_of(resource), blueprint.module_of(other)
    return mine != its and any(module is not None and module.is_separate for module in (mine, its))


def module_name(blueprint: Blueprint, resource: Resource) -> str:
    module = blueprint.module_of(resource.name)
    return module.name if module else ""


def singular(resource: Resource) -> str:
    return snake(resource.name)


def own_name(blueprint: Blueprint, name: str) -> str:
    """The name of one of the service's own tables; a resource of the same name has it first."""
    taken = {table_name(each.name) for each in blueprint.resources}
    return f"service_{name}" if name in taken else name


def translate(expression: str, columns: dict[str, str]) -> str:
    """An invariant with each path of the blueprint replaced by its column; strings are left alone."""
    return _WORD.sub(lambda found: columns.get(found[0], found[0]), expression)


def identifiers(expression: str) -> tuple[str, ...]:
    return tuple(word for word in _WORD.findall(expression) if not word.startswith("'"))
