"""What an operation answers when it went wrong, each with an example that is specific to it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import (
    OF_ACCOUNTS,
    Action,
    Blueprint,
    DependencyKind,
    Field,
    FieldKind,
    GrantKind,
    Limit,
    OnDelete,
    Operation,
    Resource,
)
from nines.model.design import PlannedAnswer, PlannedEndpoint
from nines.model.words import duration
from nines.planning.data import facts
from nines.planning.data.accounts import has_second_factor
from nines.planning.interface import accounts, problems, shapes
from nines.planning.interface.schemas import name_of
from nines.planning.interface.successes import EVERYWHERE, may_wait

_Wrong = tuple[str, str]
_Failure = tuple[str, str, tuple[_Wrong, ...]]


def failures(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> Iterator[PlannedAnswer]:
    for code, detail, errors in (
        *_of_request(operation, endpoint, blueprint),
        *_of_caller(operation, endpoint, blueprint),
        *_of_things(operation, endpoint, blueprint),
        ("internal-error", "", ()),
        ("unavailable", _away(operation, blueprint), ()),
    ):
        yield failure(endpoint, code, detail, errors)


def failure(endpoint: PlannedEndpoint, code: str, detail: str, errors: tuple[tuple[str, str], ...]) -> PlannedAnswer:
    kind = problems.BY_CODE[code]
    patch = ("Accept-Patch",) if code == "unsupported-media-type" and endpoint.method == "PATCH" else ()
    return PlannedAnswer(
        status=kind.status,
        says=detail or kind.detail,
        shape=problems.NAME,
        media_type=problems.MEDIA_TYPE,
        headers=tuple(sorted({*kind.headers, *patch, *EVERYWHERE})),
        example=problems.example(code, example_path(endpoint), detail, errors),
        problem=code,
    )


def _of_request(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> Iterator[_Failure]:
    """What is wrong with the request itself."""
    if endpoint.request:
        yield "malformed-request", "", ()
        yield "body-too-large", f"The body is larger than {endpoint.body_bytes_max:,} bytes.", ()
        yield "unsupported-media-type", f"The body must be {endpoint.request_media_type}.", ()
        yield "invalid-request", "", _wrong_members(operation, endpoint, blueprint)
    if operation.do is Action.LIST:
        most = endpoint.page.max if endpoint.page else 0
        yield "invalid-parameter", "", (("page_size", f"At most {most}."),)
        yield "invalid-cursor", "", ()
    if endpoint.idempotency is not None:
        if endpoint.idempotency.is_required:
            yield "idempotency-key-missing", "", ()
        yield "idempotency-key-in-use", "", ()
        yield "idempotency-key-reused", "", ()
    if any(each.name == "If-Match" for each in endpoint.parameters):
        yield "precondition-failed", "", ()
    if endpoint.needs_if_match:
        yield "precondition-required", "", ()


def _of_caller(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> Iterator[_Failure]:
    for code in accounts.problems(operation.do):
        yield code, "", ()
    if operation.do in (Action.SIGN_IN, Action.SIGN_IN_BY_CODE) and has_second_factor(blueprint):
        yield "second-factor-required", "", ()
    if not endpoint.is_public:
        yield "unauthorized", "", ()
    if endpoint.roles or (endpoint.grants and all(grant.kind is GrantKind.ROLE for grant in endpoint.grants)):
        yield "forbidden", _who(endpoint), ()
    if endpoint.limit is not None:
        yield "rate-limited", _quota(endpoint.limit), ()


def _who(endpoint: PlannedEndpoint) -> str:
    roles = endpoint.roles or tuple(grant.role for grant in endpoint.grants)
    return f"This operation is for the role{'s' if len(roles) > 1 else ''} {', '.join(roles)}."


def _quota(limit: Limit) -> str:
    whose = "in all" if limit.per == "all" else f"for each {limit.per}"
    return f"At most {limit.count:,} requests in {duration(limit.period_s)} {whose}."


def _of_things(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> Iterator[_Failure]:
    """What the state of things does not allow."""
    resource = blueprint.resource(operation.on)
    if resource is None or operation.do in OF_ACCOUNTS:
        return
    spoken = shapes.spoken(resource.name)
    if "{" in endpoint.path:
        is_hidden = any(grant.kind in (GrantKind.OWNER, GrantKind.TENANT) for grant in endpoint.grants)
        yield "not-found", f"There is no such {spoken}{', or it is not yours' if is_hidden else ''}.", ()
    if operation.do is Action.TRANSITION:
        yield "state-conflict", _conflict(operation, resource, blueprint), ()
    is_change = operation.do in (Action.UPDATE, Action.DELETE, Action.TRANSITION)
    is_keyed_creation = operation.do is Action.CREATE and bool(operation.calls) and operation.idempotency is not None
    if (is_change and facts.reserving(blueprint, resource)) or is_keyed_creation:
        yield "operation-pending", "", ()
    yield from _of_rules(operation, resource, blueprint)
    if operation.do in (Action.CREATE, Action.UPDATE):
        first = shapes.an(resource.name).capitalize()
        for key in _callers_keys(operation, resource, blueprint):
            same = f"with the same {' and '.join(key)}" if key else "of yours"
            yield "already-exists", f"{first} {same} exists already.", ()
            break
    if operation.do is Action.DELETE:
        users = _users(resource, blueprint)
        if users:
            yield "in-use", f"It is referred to by {users[0]}.", ()


def _of_rules(operation: Operation, resource: Resource, blueprint: Blueprint) -> Iterator[_Failure]:
    """What the owner's function, an invariant, or whoever is asked does not allow."""
    if operation.do in (Action.READ, Action.LIST, Action.DELETE):
        return
    if operation.hook:
        yield "refused", "", ()
    is_changing_values = operation.do in (Action.CREATE, Action.UPDATE) or operation.hook or operation.takes
    if resource.invariants and is_changing_values:
        yield "invariant-broken", f"{resource.invariants[0]} would no longer hold.", ()
    if any(_decides(call, blueprint) for call in operation.calls):
        yield "declined", "", ()


def _decides(call: str, blueprint: Blueprint) -> bool:
    asked = blueprint.dependency(call.partition(".")[0])
    return asked is not None and asked.kind in (DependencyKind.HTTP, DependencyKind.GRPC)


def _conflict(operation: Operation, resource: Resource, blueprint: Blueprint) -> str:
    before = facts.sources(blueprint, resource, operation.to_state)
    others = [state.name for state in resource.states if state.name not in before]
    now = operation.to_state if operation.to_state in others else next(iter(others), "")
    wanted = " or ".join(before)
    return f"The {shapes.spoken(resource.name)} is {now}; only one that is {wanted} can become {operation.to_state}."


def _callers_keys(operation: Operation, resource: Resource, blueprint: Blueprint) -> Iterator[tuple[str, ...]]:
    """The unique keys that a caller can meet: those with a member that callers set; of what there is one for each
    owner, whoever makes a second one meets a key without any."""
    settable = {name_of(field) for field in shapes.writable(resource, blueprint)}
    settable |= {field.name for field in shapes.writable(resource, blueprint)}
    for key in resource.unique:
        named = tuple(each for each in key if each.partition(".")[0] in settable)
        if named or (operation.do is Action.CREATE and "owner_id" in key):
            yield named


def _users(resource: Resource, blueprint: Blueprint) -> list[str]:
    """What keeps a row from being deleted: rows that refer to it, that an account owns, or that are a tenant's."""
    owns = facts.account_of(blueprint) is resource
    is_tenant = facts.tenant_resource(blueprint) is resource
    return [
        shapes.an(each.name)
        for each in blueprint.resources
        if (owns and facts.has_owner(each))
        or (is_tenant and facts.tenant_column(blueprint, each) not in ("", "id"))
        or any(_keeps(field, resource) for field in each.fields)
    ]


def _keeps(field: Field, resource: Resource) -> bool:
    return field.kind is FieldKind.REFERENCE and field.of == resource.name and field.on_delete is OnDelete.RESTRICT


def _wrong_members(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> tuple[_Wrong, ...]:
    """What a reader of the contract is likely to get wrong: a bound, and a reference to what is not there."""
    resource = blueprint.resource(operation.on)
    fields = operation.takes
    if operation.do in (Action.CREATE, Action.UPDATE) and resource is not None:
        fields = shapes.writable(resource, blueprint)
    bound = next((found for field in fields if (found := _bound(field, "", blueprint))), None)
    gone = next((_gone(field) for field in fields if field.kind is FieldKind.REFERENCE), None)
    example = endpoint.request_example
    first = next(iter(example), "") if isinstance(example, dict) else ""
    missing = (f"/{first}", "This member is missing.") if first else None
    return tuple(each for each in (bound, gone) if each) or ((missing,) if missing else ())


def _bound(field: Field, before: str, blueprint: Blueprint) -> _Wrong | None:
    pointer = f"{before}/{name_of(field)}"
    if field.kind is FieldKind.VALUE:
        value = blueprint.value_type(field.of)
        inner = value.fields if value and not field.is_list else ()
        return next((found for part in inner if (found := _bound(part, pointer, blueprint))), None)
    if field.kind in (FieldKind.INT32, FieldKind.INT64) and field.minimum is not None:
        return pointer, f"Must be {'greater than' if field.is_minimum_exclusive else 'at least'} {field.minimum:g}."
    if field.kind in (FieldKind.STRING, FieldKind.TEXT) and field.length_max:
        return pointer, f"At most {field.length_max:,} characters."
    return None


def _gone(field: Field) -> _Wrong:
    return f"/{name_of(field)}", f"There is no such {shapes.spoken(field.of)}, or it is not yours."


def _away(operation: Operation, blueprint: Blueprint) -> str:
    """Which kind of thing is away, without its name: that is nobody's business."""
    if may_wait(operation, blueprint):
        return ""
    called = {call.partition(".")[0] for call in operation.calls}
    if any(each.kind is DependencyKind.HTTP and each.is_hard for each in blueprint.dependencies if each.name in called):
        return "A service that this operation needs does not answer now; nothing was changed, or it will be settled."
    return ""


def example_path(endpoint: PlannedEndpoint) -> str:
    """The path with the examples in place of its parameters."""
    path = endpoint.path
    for each in endpoint.parameters:
        if each.location == "path":
            path = path.replace(f"{{{each.name}}}", str(each.example))
    return path
