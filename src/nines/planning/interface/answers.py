"""Everything that an operation may answer, the successes first, each with an example."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import (
    Action,
    Blueprint,
    DependencyKind,
    Fallback,
    FieldKind,
    GrantKind,
    Limit,
    OnDelete,
    Operation,
    Resource,
)
from nines.model.design import PlannedAnswer, PlannedEndpoint, Shape
from nines.planning.interface import accounts, problems, shapes
from nines.planning.interface.schemas import name_of

EVERYWHERE = ("X-Request-Id",)
_QUOTA = ("RateLimit", "RateLimit-Policy")


def answers(
    operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint, status_path: str
) -> tuple[PlannedAnswer, ...]:
    """`status_path` is where the caller learns how work ended that outlives the request."""
    found = [*_successes(operation, endpoint, blueprint, status_path), *_failures(operation, endpoint, blueprint)]
    return tuple(sorted(found, key=_order))


def of_progress(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> tuple[PlannedAnswer, ...]:
    """What the status resource of asynchronous work answers."""
    headers = ("Cache-Control", "Retry-After")
    known = _success(endpoint, 200, "How it went so far.", shapes.of_progress(), headers=headers)
    gone = _failure(endpoint, "not-found", "There is no such operation, or it is not yours.", ())
    return tuple(sorted((known, gone, *_failures(operation, endpoint, blueprint)), key=_order))


def _order(answer: PlannedAnswer) -> tuple[bool, int]:
    return answer.status >= 400, answer.status


def _successes(
    operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint, status_path: str
) -> Iterator[PlannedAnswer]:
    resource = blueprint.resource(operation.on)
    if operation.do in accounts.ACTIONS:
        yield _of_account(operation, endpoint, blueprint)
    elif operation.is_asynchronous and operation.do not in (Action.READ, Action.LIST):
        yield _later(operation, endpoint, blueprint, status_path)
    elif operation.do is Action.LIST and resource is not None:
        page = shapes.of_page(resource, blueprint)[1]
        yield _success(endpoint, 200, "A page.", page, headers=("Cache-Control",))
    elif operation.do is Action.DELETE:
        yield _success(endpoint, 204, "It is gone.")
    elif operation.do is Action.CUSTOM and operation.gives:
        yield _success(endpoint, 200, "Done.", shapes.of_result(operation, blueprint), headers=("Cache-Control",))
    elif resource is not None and (operation.do is not Action.CUSTOM or "{" in endpoint.path):
        yield from _of_object(operation, endpoint, resource, blueprint)
    else:
        yield _success(endpoint, 204, "Done.")


def _of_object(
    operation: Operation, endpoint: PlannedEndpoint, resource: Resource, blueprint: Blueprint
) -> Iterator[PlannedAnswer]:
    shape = Shape(name=resource.name, schema={}, example=shapes.whole(resource, blueprint, _state(operation, resource)))
    versioned = () if shapes.is_append_only(resource) else ("ETag",)
    if operation.do is Action.CREATE:
        located = ("Location",) if _reading(blueprint, resource) else ()
        yield _success(endpoint, 201, "Created.", shape, headers=("Cache-Control", *versioned, *located))
        if _may_wait(operation, blueprint):
            first = Shape(name=resource.name, schema={}, example=shapes.whole(resource, blueprint))
            says = "Accepted; it is finished as soon as what it depends on answers again."
            yield _success(endpoint, 202, says, first, headers=("Cache-Control", *versioned, *located))
    elif operation.do is Action.READ:
        yield _success(endpoint, 200, f"The {_spoken(resource)}.", shape, headers=("Cache-Control", *versioned))
        if versioned:
            yield _success(endpoint, 304, "It has not changed.", headers=("Cache-Control", *versioned))
    else:
        says = f"The {_spoken(resource)}, {operation.to_state}." if operation.to_state else "The changed object."
        yield _success(endpoint, 200, says, shape, headers=("Cache-Control", *versioned))
        if _may_wait(operation, blueprint):
            still = _before(operation, resource)
            first = Shape(name=resource.name, schema={}, example=shapes.whole(resource, blueprint, still))
            says = "Accepted; it is finished as soon as what it depends on answers again."
            yield _success(endpoint, 202, says, first, headers=("Cache-Control", *versioned))


def _of_account(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> PlannedAnswer:
    shape = accounts.answer(operation.do, blueprint)
    match operation.do:
        case Action.SIGN_IN:
            return _success(endpoint, 201, "Signed in.", shape, headers=("Cache-Control",))
        case Action.REFRESH:
            says = "New tokens; the old refresh token is spent."
            return _success(endpoint, 201, says, shape, headers=("Cache-Control",))
        case Action.REGISTER | Action.SEND_CODE | Action.REQUEST_RESET:
            says = "Accepted; the answer is the same whether the account exists or not."
            return _success(endpoint, 202, says, shape, headers=("Cache-Control",))
        case _:
            return _success(endpoint, 204, "Done.")


def _later(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint, status_path: str) -> PlannedAnswer:
    resource = blueprint.resource(operation.on)
    is_own_status = resource is not None and bool(resource.states) and not status_path.endswith("{operation_id}")
    shape = shapes.of_progress()
    if is_own_status and resource is not None:
        before = _before(operation, resource) if operation.do is Action.TRANSITION else ""
        shape = Shape(name=resource.name, schema={}, example=shapes.whole(resource, blueprint, before))
    says = f"Accepted; `GET {status_path}` tells how it went."
    return _success(endpoint, 202, says, shape, headers=("Cache-Control", "Location", "Retry-After"))


def _success(
    endpoint: PlannedEndpoint, status: int, says: str, shape: Shape | None = None, *, headers: tuple[str, ...] = ()
) -> PlannedAnswer:
    replayed = ("Idempotency-Replayed",) if endpoint.idempotency and status < 300 else ()
    ending: tuple[str, ...] = ("Deprecation", "Link") if endpoint.deprecation else ()
    if endpoint.deprecation and endpoint.deprecation.sunset:
        ending += ("Sunset",)
    quota = _QUOTA if endpoint.limit else ()
    return PlannedAnswer(
        status=status,
        says=says,
        shape=shape.name if shape else "",
        headers=tuple(sorted({*headers, *replayed, *ending, *quota, *EVERYWHERE})),
        example=shape.example if shape else None,
    )


def _state(operation: Operation, resource: Resource) -> str:
    """The state that a success shows: where a transition leads, or what a creation says that has happened."""
    if operation.to_state:
        return operation.to_state
    if operation.do is not Action.CREATE:
        return ""
    following = resource.states[0].to if resource.states else ()
    happened = (event.rpartition(".")[2] for event in operation.emits)
    return next((each for each in happened if each in following), "")


def _before(operation: Operation, resource: Resource) -> str:
    return next((state.name for state in resource.states if operation.to_state in state.to), "")


def _may_wait(operation: Operation, blueprint: Blueprint) -> bool:
    """Whether it is accepted while a dependency is away that has a queue to fall back on."""
    names = {call.partition(".")[0] for call in operation.calls}
    return any(each.fallback is Fallback.QUEUE for each in blueprint.dependencies if each.name in names)


def _reading(blueprint: Blueprint, resource: Resource) -> bool:
    return any(each.do is Action.READ and each.on == resource.name for each in blueprint.operations)


def _spoken(resource: Resource) -> str:
    return shapes.spoken(resource.name)


def _failures(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> Iterator[PlannedAnswer]:
    for code, detail, errors in (
        *_of_request(operation, endpoint),
        *_of_caller(operation, endpoint, blueprint),
        *_of_things(operation, endpoint, blueprint),
        ("internal-error", "", ()),
        ("unavailable", _away(operation, blueprint), ()),
    ):
        yield _failure(endpoint, code, detail, errors)


def _failure(endpoint: PlannedEndpoint, code: str, detail: str, errors: tuple[tuple[str, str], ...]) -> PlannedAnswer:
    kind = problems.BY_CODE[code]
    patch = ("Accept-Patch",) if code == "unsupported-media-type" and endpoint.method == "PATCH" else ()
    return PlannedAnswer(
        status=kind.status,
        says=detail or kind.detail,
        shape="Problem",
        media_type=problems.MEDIA_TYPE,
        headers=tuple(sorted({*kind.headers, *patch, *EVERYWHERE})),
        example=problems.example(code, example_path(endpoint), detail, errors),
        problem=code,
    )


_Failure = tuple[str, str, tuple[tuple[str, str], ...]]


def _of_request(operation: Operation, endpoint: PlannedEndpoint) -> Iterator[_Failure]:
    """What is wrong with the request itself."""
    if endpoint.request:
        yield "malformed-request", "", ()
        yield "body-too-large", f"The body is larger than {endpoint.body_bytes_max:,} bytes.", ()
        yield "unsupported-media-type", f"The body must be {endpoint.request_media_type}.", ()
        yield "invalid-request", "", _wrong_member(endpoint)
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
    if operation.do is Action.SIGN_IN and accounts.has_second_factor(blueprint):
        yield "second-factor-required", "", ()
    if not endpoint.is_public:
        yield "unauthorized", "", ()
    if endpoint.roles or (endpoint.grants and all(grant.kind is GrantKind.ROLE for grant in endpoint.grants)):
        yield "forbidden", _who(endpoint), ()
    if endpoint.limit is not None:
        yield "rate-limited", _quota(endpoint.limit), ()


def _who(endpoint: PlannedEndpoint) -> str:
    roles = endpoint.roles or tuple(grant.role for grant in endpoint.grants)
    return f"This operation is for the role{'s' if len(roles) > 1 else ''} {' and '.join(roles)}."


def _quota(limit: Limit) -> str:
    whose = "in all" if limit.per == "all" else f"for each {limit.per}"
    return f"At most {limit.count} requests in {limit.period_s:g} seconds {whose}."


def _of_things(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> Iterator[_Failure]:
    """What the state of things does not allow."""
    resource = blueprint.resource(operation.on)
    if resource is None or operation.do in accounts.ACTIONS:
        return
    spoken = _spoken(resource)
    if "{" in endpoint.path:
        is_hidden = any(grant.kind in (GrantKind.OWNER, GrantKind.TENANT) for grant in endpoint.grants)
        yield "not-found", f"There is no such {spoken}{', or it is not yours' if is_hidden else ''}.", ()
    if operation.do is Action.TRANSITION:
        yield "state-conflict", _conflict(operation, resource), ()
    if operation.do in (Action.CREATE, Action.UPDATE):
        for key in _callers_keys(resource, blueprint):
            yield "already-exists", f"A {spoken} with the same {' and '.join(key)} exists already.", ()
            break
    if operation.do is Action.DELETE:
        users = _users(resource, blueprint)
        if users:
            yield "in-use", f"It is referred to by {users[0]}.", ()


def _conflict(operation: Operation, resource: Resource) -> str:
    before = [state.name for state in resource.states if operation.to_state in state.to]
    others = [state.name for state in resource.states if state.name not in before]
    now = operation.to_state if operation.to_state in others else next(iter(others), "")
    wanted = " or ".join(before)
    return f"The {_spoken(resource)} is {now}; only one that is {wanted} can become {operation.to_state}."


def _callers_keys(resource: Resource, blueprint: Blueprint) -> Iterator[tuple[str, ...]]:
    """The unique keys that a caller can meet: those with a member that callers set."""
    settable = {name_of(field) for field in shapes.writable(resource, blueprint)}
    settable |= {field.name for field in shapes.writable(resource, blueprint)}
    for key in resource.unique:
        named = tuple(each for each in key if each.partition(".")[0] in settable)
        if named:
            yield named


def _users(resource: Resource, blueprint: Blueprint) -> list[str]:
    return [
        f"a {shapes.spoken(each.name)}"
        for each in blueprint.resources
        for field in each.fields
        if field.kind is FieldKind.REFERENCE and field.of == resource.name and field.on_delete is OnDelete.RESTRICT
    ]


def _wrong_member(endpoint: PlannedEndpoint) -> tuple[tuple[str, str], ...]:
    example = endpoint.request_example
    first = next(iter(example), "") if isinstance(example, dict) else ""
    return ((f"/{first}", "This member is missing."),) if first else ()


def _away(operation: Operation, blueprint: Blueprint) -> str:
    """Which kind of thing is away, without its name: that is nobody's business."""
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
