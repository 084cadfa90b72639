"""Where an operation is found: things in the plural, in kebab case, under the major version, and never a verb.

A transition is POSTed to the deeds of one object: capturing is `POST /v1/payments/{payment_id}/captures`. The other
way, a PATCH of the state, would put operations with different callers, keys and answers onto one method of one path."""

from __future__ import annotations

import re

from nines.model.blueprint import Action, Blueprint, Operation, Resource
from nines.model.record import Record
from nines.planning.data.names import kebab, plural, snake, words
from nines.planning.interface.nouns import deeds, noun, plurals

_READING = frozenset({"get", "find", "search", "count", "show", "fetch", "read", "list", "summarise", "summarize"})
_COLLECTION = {Action.CREATE: "POST", Action.REGISTER: "POST", Action.LIST: "GET"}
_ITEM = {Action.READ: "GET", Action.UPDATE: "PATCH", Action.DELETE: "DELETE"}
_ACCOUNTS = {
    Action.SIGN_IN: ("POST", "sessions"),
    Action.REFRESH: ("POST", "tokens"),
    Action.SIGN_OUT: ("DELETE", "sessions/current"),
    Action.SIGN_OUT_EVERYWHERE: ("DELETE", "sessions"),
    Action.LIST_SESSIONS: ("GET", "sessions"),
    Action.END_SESSION: ("DELETE", "sessions/{session_id}"),
    Action.SEND_CODE: ("POST", "verification-codes"),
    Action.VERIFY_CODE: ("POST", "verifications"),
    Action.REQUEST_RESET: ("POST", "password-resets"),
    Action.REQUEST_SIGN_IN: ("POST", "sign-in-codes"),
    Action.SIGN_IN_BY_CODE: ("POST", "sign-in-codes/{challenge_id}/sessions"),
    Action.RESET_PASSWORD: ("PUT", "password-resets/{challenge_id}/password"),
}
_PARAMETER = re.compile(r"\{(\w+)\}")


class Route(Record):
    method: str
    path: str

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(_PARAMETER.findall(self.path))


def parameter_of(resource: Resource) -> str:
    return f"{snake(resource.name)}_id"


def collection(resource: Resource) -> str:
    return kebab(plural(snake(resource.name)))


def routes(blueprint: Blueprint) -> dict[str, Route]:
    """Each operation's method and path; what two of them would share is told apart by their names."""
    found: dict[str, Route] = {}
    taken: set[tuple[str, str]] = set()
    for operation in blueprint.operations:
        route = next(each for each in _candidates(operation, blueprint) if _key(each) not in taken)
        taken.add(_key(route))
        found[operation.name] = route
    return found


def _key(route: Route) -> tuple[str, str]:
    return route.method, _PARAMETER.sub("{}", route.path)


def _candidates(operation: Operation, blueprint: Blueprint) -> tuple[Route, ...]:
    """The usual place, then one that says what is special; no more than there are operations can be taken."""
    method, path = _usual(operation, blueprint.resource(operation.on))
    root = f"/{blueprint.service.api}/"
    special = (*_qualifiers(operation), *(f"other-{number}" for number in range(len(blueprint.operations))))
    places = (path, *(_qualified(path, each) for each in special))
    return tuple(Route(method=method, path=root + each) for each in places)


def _usual(operation: Operation, resource: Resource | None) -> tuple[str, str]:
    if operation.do in _ACCOUNTS:
        return _ACCOUNTS[operation.do]
    if resource is None:
        return _without_resource(operation)
    items = collection(resource)
    item = f"{items}/{{{parameter_of(resource)}}}"
    if operation.do in _COLLECTION:
        return _COLLECTION[operation.do], items
    if operation.do in _ITEM:
        return _ITEM[operation.do], item
    if operation.do is Action.TRANSITION:
        return "POST", f"{item}/{deeds(operation.name, operation.to_state)}"
    return _custom(operation, resource, item)


def _custom(operation: Operation, resource: Resource, item: str) -> tuple[str, str]:
    """A deed of one object; of all of them where the name says their plural."""
    verb, *rest = words(operation.name) or ("",)
    method = "GET" if verb in _READING else "POST"
    own, many = words(resource.name), words(plural(snake(resource.name)))
    left = _without(_without(tuple(rest), many), own)
    about = "-".join(left)
    done = noun(verb) or verb
    what = plurals(about if about and verb in _READING else "-".join(part for part in (about, done) if part))
    is_of_all = _contains(tuple(rest), many) and not _contains(tuple(rest), own)
    return method, f"{kebab(resource.name)}-{what}" if is_of_all else f"{item}/{what}"


def _without_resource(operation: Operation) -> tuple[str, str]:
    verb, *rest = words(operation.name) or ("",)
    method = "GET" if verb in _READING else "POST"
    about = "-".join(rest)
    last = about.rpartition("-")[2]
    if about and (method == "GET" or not noun(verb)):
        return method, about if last.endswith("s") else plurals(about)
    return method, plurals("-".join(part for part in (about.removesuffix("s"), noun(verb) or verb) if part))


def _qualifiers(operation: Operation) -> tuple[str, ...]:
    """What tells it from others at the same place: the rest of its name, or the role that may call it."""
    _, *rest = words(operation.name) or ("",)
    own, many = words(operation.on), words(plural(snake(operation.on)))
    left = _without(_without(tuple(rest), many), own)
    by_name = ("-".join(left),) if left else ()
    return (*by_name, *(kebab(role) for role in operation.roles[:1]))


def _qualified(path: str, qualifier: str) -> str:
    """The last segment that is a name says what is special: `all-payments/{payment_id}`."""
    segments = path.split("/")
    at = max(index for index, segment in enumerate(segments) if not segment.startswith("{"))
    segments[at] = f"{qualifier}-{segments[at]}"
    return "/".join(segments)


def _contains(names: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return any(names[at : at + len(part)] == part for at in range(len(names) - len(part) + 1))


def _without(names: tuple[str, ...], part: tuple[str, ...]) -> tuple[str, ...]:
    for at in range(len(names) - len(part) + 1):
        if part and names[at : at + len(part)] == part:
            return names[:at] + names[at + len(part) :]
    return names
