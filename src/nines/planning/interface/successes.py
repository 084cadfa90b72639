"""What an operation answers when it went well."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import (
    OF_ACCOUNTS,
    Action,
    Authentication,
    Blueprint,
    Fallback,
    Operation,
    Resource,
)
from nines.model.design import PlannedAnswer, PlannedEndpoint, Shape
from nines.model.words import duration
from nines.planning.data import facts
from nines.planning.interface import accounts, shapes

EVERYWHERE = ("X-Request-Id",)
_QUOTA = ("RateLimit", "RateLimit-Policy")


def successes(
    operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint, status_path: str
) -> Iterator[PlannedAnswer]:
    resource = blueprint.resource(operation.on)
    if operation.do in OF_ACCOUNTS:
        yield _of_account(operation, endpoint, blueprint)
    elif operation.is_asynchronous and operation.do not in (Action.READ, Action.LIST):
        yield _later(operation, endpoint, blueprint, status_path)
    elif operation.do is Action.LIST and resource is not None:
        page = shapes.of_page(resource, blueprint)[1]
        yield success(endpoint, 200, "A page.", page, headers=("Cache-Control",))
    elif operation.do is Action.DELETE:
        yield success(endpoint, 204, "It is gone.")
    elif operation.do is Action.CUSTOM and operation.gives:
        yield success(endpoint, 200, "Done.", shapes.of_result(operation, blueprint), headers=("Cache-Control",))
    elif resource is not None and (operation.do is not Action.CUSTOM or "{" in endpoint.path):
        yield from _of_object(operation, endpoint, resource, blueprint)
    else:
        yield success(endpoint, 204, "Done.")


def _of_object(
    operation: Operation, endpoint: PlannedEndpoint, resource: Resource, blueprint: Blueprint
) -> Iterator[PlannedAnswer]:
    shape = Shape(name=resource.name, schema={}, example=shapes.whole(resource, blueprint, _state(operation, resource)))
    versioned = () if shapes.is_append_only(resource) else ("ETag",)
    spoken = shapes.spoken(resource.name)
    located = ("Location",) if _reading(blueprint, resource) else ()
    if operation.do is Action.CREATE:
        yield success(endpoint, 201, "Created.", shape, headers=("Cache-Control", *versioned, *located))
        if may_wait(operation, blueprint):
            first = Shape(name=resource.name, schema={}, example=shapes.whole(resource, blueprint))
            says = "Accepted; it is finished as soon as what it depends on answers again."
            yield success(endpoint, 202, says, first, headers=("Cache-Control", *versioned, *located))
    elif operation.do is Action.READ:
        yield success(endpoint, 200, f"The {spoken}.", shape, headers=("Cache-Control", *versioned))
        if versioned:
            yield success(endpoint, 304, "It has not changed.", headers=("Cache-Control", *versioned))
    else:
        says = f"The {spoken}, now {operation.to_state}." if operation.to_state else f"The changed {spoken}."
        yield success(endpoint, 200, says, shape, headers=("Cache-Control", *versioned))
        if may_wait(operation, blueprint):
            still = state_before(operation, resource)
            first = Shape(name=resource.name, schema={}, example=shapes.whole(resource, blueprint, still))
            says = "Accepted; it is finished as soon as what it depends on answers again."
            yield success(endpoint, 202, says, first, headers=("Cache-Control", *versioned, *located))


def _of_account(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint) -> PlannedAnswer:
    shape = accounts.answer(operation.do, blueprint)
    match operation.do:
        case Action.SIGN_IN | Action.SIGN_IN_BY_CODE:
            cookie = ("Set-Cookie",) if facts.keeps_sessions(blueprint) else ()
            return success(endpoint, 201, "Signed in.", shape, headers=("Cache-Control", *cookie))
        case Action.REFRESH:
            says = "New tokens; the old refresh token is spent."
            return success(endpoint, 201, says, shape, headers=("Cache-Control",))
        case Action.REGISTER | Action.SEND_CODE | Action.REQUEST_RESET | Action.REQUEST_SIGN_IN:
            says = "Accepted; the answer is the same whether the account exists or not."
            return success(endpoint, 202, says, shape, headers=("Cache-Control",))
        case Action.LIST_SESSIONS:
            return success(endpoint, 200, "Where the account is signed in.", shape, headers=("Cache-Control",))
        case _:
            is_ended = operation.do in (Action.SIGN_OUT, Action.SIGN_OUT_EVERYWHERE)
            cookie = ("Set-Cookie",) if is_ended and facts.keeps_sessions(blueprint) else ()
            return success(endpoint, 204, _over(operation.do, blueprint), headers=cookie)


def _over(action: Action, blueprint: Blueprint) -> str:
    """What holds afterwards; an access token that was issued lives on until it runs out."""
    lives = duration((blueprint.auth or Authentication()).token_ttl_s)
    if facts.keeps_sessions(blueprint) and action is Action.SIGN_OUT:
        return "Signed out: the session is over, and its cookie is taken away."
    if facts.keeps_sessions(blueprint) and action is Action.SIGN_OUT_EVERYWHERE:
        return "Every session is over."
    match action:
        case Action.SIGN_OUT:
            return f"Signed out: the refresh token is revoked, and the access token runs out within {lives}."
        case Action.SIGN_OUT_EVERYWHERE:
            return f"Every session is over; access tokens that are still out run out within {lives}."
        case Action.END_SESSION:
            return "That session is over."
        case Action.RESET_PASSWORD:
            return "The password is set, and every session is over."
        case _:
            return "It is verified."


def _later(operation: Operation, endpoint: PlannedEndpoint, blueprint: Blueprint, status_path: str) -> PlannedAnswer:
    resource = blueprint.resource(operation.on)
    is_own_status = resource is not None and bool(resource.states) and not status_path.endswith("{operation_id}")
    shape = shapes.of_progress()
    if is_own_status and resource is not None:
        before = state_before(operation, resource) if operation.do is Action.TRANSITION else ""
        shape = Shape(name=resource.name, schema={}, example=shapes.whole(resource, blueprint, before))
    says = f"Accepted; `GET {status_path}` tells how it went."
    return success(endpoint, 202, says, shape, headers=("Cache-Control", "Location", "Retry-After"))


def success(
    endpoint: PlannedEndpoint, status: int, says: str, shape: Shape | None = None, *, headers: tuple[str, ...] = ()
) -> PlannedAnswer:
    replayed = ("Idempotency-Replayed",) if endpoint.idempotency and status < 300 else ()
    ending: tuple[str, ...] = ()
    if endpoint.deprecation is not None:
        told = (("Sunset", endpoint.deprecation.sunset), ("Link", endpoint.deprecation.successor))
        ending = ("Deprecation", *(name for name, value in told if value))
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


def _reading(blueprint: Blueprint, resource: Resource) -> bool:
    return any(each.do is Action.READ and each.on == resource.name for each in blueprint.operations)


def state_before(operation: Operation, resource: Resource) -> str:
    return next((state.name for state in resource.states if operation.to_state in state.to), "")


def may_wait(operation: Operation, blueprint: Blueprint) -> bool:
    """Whether it is accepted while a dependency is away that has a queue to fall back on."""
    names = {call.partition(".")[0] for call in operation.calls}
    return any(each.fallback is Fallback.QUEUE for each in blueprint.dependencies if each.name in names)
