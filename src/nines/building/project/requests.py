"""First requests: the operations that somebody can call on an empty service, in an order in which they work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from nines.building.names import package
from nines.building.project.credentials import minting
from nines.building.project.settings import has_console
from nines.model.blueprint import Action, FieldKind
from nines.model.design import Design, PlannedEndpoint
from nines.model.design.console import login_of
from nines.model.design.graph import field_name, has_graph, links, member_of
from nines.model.record import Record

URL = "http://127.0.0.1:8000"
_REQUESTS_MAX = 4
_CODE_DIGITS = 6


class Request(Record):
    """One request of the README."""

    endpoint: PlannedEndpoint
    body: Any = None
    takes: tuple[tuple[str, str], ...] = ()
    """Members of the body that are identifiers of what an earlier request made: the member, and the shell variable."""
    gives: str = ""
    """The shell variable that is given the identifier of what it made."""


def first(design: Design) -> tuple[Request, ...]:
    """Creations before what refers to them, then a look at what was made."""
    found: list[Request] = []
    made: dict[str, str] = {}
    for endpoint in _creations(design):
        request = _creation(design, endpoint, made)
        if request is not None and len(found) < _REQUESTS_MAX:
            found.append(request)
            made[endpoint.resource] = request.gives
    lists = [each for each in design.endpoints if each.action is Action.LIST and _role(design, each)]
    # Where nothing can be made without a second factor, or nothing at all, there is still something to look at.
    mine = [each for each in lists if each.resource in made][-1:] or lists[: 0 if made else 1]
    found += [Request(endpoint=each) for each in mine]
    return tuple(found)


def is_signing_in(design: Design) -> bool:
    """Whether people sign in here, so that a token is the answer to a request."""
    return any(each.action is Action.SIGN_IN for each in design.endpoints)


def needs_token(design: Design) -> bool:
    return design.auth is not None and design.auth.scheme not in ("none", "")


def roles(design: Design) -> tuple[str, ...]:
    """Those that make the first requests work, in the order of the blueprint."""
    strong = _strong(design)
    weak = [[role for role in request.endpoint.roles if role not in strong] for request in first(design)]
    wanted = {role for each in weak for role in each[:1]}
    return tuple(role.name for role in design.roles if role.name in wanted)


def shell(design: Design) -> Iterator[str]:
    """The requests as lines for a shell; each block is one request."""
    if needs_token(design) and not is_signing_in(design):
        words = [f"--role {role}" for role in roles(design)]
        words = [*(["--tenant first"] if design.tenancy else []), *words]
        made = minting(design)
        command = " ".join(made.words) if made else f"-m {package(design)}.tokens"
        line = " ".join([f"ENVIRONMENT=local .venv/bin/python {command} --subject somebody", *words])
        yield f"TOKEN=$({line})"
    if is_signing_in(design):
        yield from _signing_in(design)
    for request in _following(design):
        yield _curl(design, request)
    if has_graph(design) and not is_signing_in(design):
        yield _graph(design)


def _following(design: Design) -> tuple[Request, ...]:
    """What somebody does next; after signing in only what takes a token, and a role only where one can be granted."""
    if not is_signing_in(design):
        return first(design)
    if design.auth is None or design.auth.scheme == "session":
        return ()
    found = [each for each in first(design) if each.endpoint.action is not Action.REGISTER]
    return tuple(each for each in found if has_console(design) or not each.endpoint.roles)


def _grants(design: Design, register: PlannedEndpoint) -> Iterator[str]:
    """An operator's commands, before the sign-in whose token tells of the roles."""
    body = register.request_example
    name = body.get(login_of(design)) if isinstance(body, Mapping) else None
    for role in roles(design) if name and _following(design) and has_console(design) else ():
        yield f"ENVIRONMENT=local .venv/bin/python -m {package(design)}.people grant {name} {role}"


def _graph(design: Design) -> str:
    """The last list again with what its objects lead to, in one document."""
    lists = [each.endpoint for each in first(design) if each.endpoint.action is Action.LIST]
    asked = "__typename"
    for endpoint in lists[-1:]:
        led = [f"{field_name(each.name)} {{ id }}" for each in links(design) if each.resource == endpoint.resource]
        asked = f"{endpoint.id} {{ items {{ {' '.join(['id', *led[:1]])} }} }}"
    shown = needs_token(design) and not all(endpoint.is_public for endpoint in lists)
    words = [f"curl -s {URL}/graphql", *(['-H "Authorization: Bearer $TOKEN"'] if shown else [])]
    body = json.dumps({"query": f"{{ {asked} }}"})
    return " \\\n  ".join([*words, '-H "Content-Type: application/json"', f"-d '{body}'"])


def _signing_in(design: Design) -> Iterator[str]:
    """Somebody registers, reads the letter, and signs in; on a laptop a letter is a file."""
    steps = {each.action: each for each in design.endpoints}
    register, verify, sign_in = (steps.get(each) for each in (Action.REGISTER, Action.VERIFY_CODE, Action.SIGN_IN))
    if register is not None:
        line = _curl(design, Request(endpoint=register, body=register.request_example))
        yield f'CHALLENGE=$({line} \\\n  | sed -n \'s/.*"challenge_id":"\\([^"]*\\)".*/\\1/p\')'
    if register is not None and verify is not None:
        yield f"sleep 3; CODE=$(grep -ohwE '[0-9]{{{_CODE_DIGITS}}}' $(ls -t .local/mail/*.eml | head -1) | tail -1)"
        body = dict(verify.request_example or {})
        takes = tuple((each, name) for each, name in (("challenge_id", "CHALLENGE"), ("code", "CODE")) if each in body)
        yield _curl(design, Request(endpoint=verify, body=body, takes=takes))
    if register is not None:
        yield from _grants(design, register)
    if sign_in is not None and design.auth is not None and design.auth.scheme == "session":
        line = _curl(design, Request(endpoint=sign_in, body=sign_in.request_example)).replace("curl -s", "curl -si", 1)
        yield f"COOKIE=$({line} \\\n  | sed -n 's/^set-cookie: \\([^;]*\\);.*/\\1/p'); echo $COOKIE"
    elif sign_in is not None:
        line = _curl(design, Request(endpoint=sign_in, body=sign_in.request_example))
        yield f'TOKEN=$({line} \\\n  | sed -n \'s/.*"access_token":"\\([^"]*\\)".*/\\1/p\'); echo $TOKEN'


def _curl(design: Design, request: Request) -> str:
    endpoint = request.endpoint
    words = [f"curl -s {URL}{endpoint.path}"]
    if endpoint.method != "GET":
        words[0] = f"curl -s -X {endpoint.method} {URL}{endpoint.path}"
    if needs_token(design) and not endpoint.is_public:
        made = minting(design)
        header = "-".join(each.capitalize() for each in (made.header if made else "authorization").split("-"))
        words.append(f'-H "{header}: {made.before if made else "Bearer "}$TOKEN"')
    if endpoint.idempotency is not None:
        words.append("-H \"Idempotency-Key: $(python3 -c 'import uuid; print(uuid.uuid4())')\"")
    if request.body is not None:
        text = json.dumps(request.body, ensure_ascii=False)
        quoted = "'" + text.replace("'", "'\\''") + "'"
        for member, variable in request.takes:
            quoted = re.sub(rf'("{member}": )"[^"]*"', rf"""\1"'"${variable}"'" """.rstrip(), quoted)
        words += [f'-H "Content-Type: {endpoint.request_media_type or "application/json"}"', f"-d {quoted}"]
    line = " \\\n  ".join(words)
    if request.gives:
        return f'{request.gives}=$({line} \\\n  | tee /dev/stderr | sed -n \'s/.*"id":"\\([^"]*\\)".*/\\1/p\')'
    return line


def _creations(design: Design) -> list[PlannedEndpoint]:
    """Parents before their children, as tables are ordered."""
    order = {table.resource: number for number, table in enumerate(design.tables) if table.resource}
    found = [
        each
        for each in design.endpoints
        if each.action in (Action.CREATE, Action.REGISTER) and "{" not in each.path and _role(design, each)
    ]
    return sorted(found, key=lambda each: order.get(each.resource, len(order)))


def _role(design: Design, endpoint: PlannedEndpoint) -> bool:
    """Whether somebody without a second factor may call it."""
    return endpoint.is_public or not endpoint.roles or bool(set(endpoint.roles) - _strong(design))


def _strong(design: Design) -> set[str]:
    return {role.name for role in design.roles if role.needs_second_factor}


def _creation(design: Design, endpoint: PlannedEndpoint, made: Mapping[str, str]) -> Request | None:
    """None where it refers to something that nothing before it made."""
    body = endpoint.request_example
    resource = design.blueprint.resource(endpoint.resource) if design.blueprint else None
    takes: list[tuple[str, str]] = []
    if isinstance(body, Mapping) and resource is not None:
        body = dict(body)
        for field in resource.fields:
            member = member_of(field) if field.kind is FieldKind.REFERENCE else ""
            if member not in body:
                continue
            if field.is_list:
                body[member] = []
            elif field.of in made:
                takes.append((member, made[field.of]))
            elif field.is_optional:
                del body[member]
            else:
                return None
    variable = re.sub(r"[^A-Z0-9]+", "_", endpoint.resource.upper()) or "MADE"
    gives = variable if endpoint.action is Action.CREATE else ""
    return Request(endpoint=endpoint, body=body, takes=tuple(takes), gives=gives)
