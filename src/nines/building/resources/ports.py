"""`_generated/ports.py`: what the service asks of others, a Protocol for each; and the owner's first adapters."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import mailing
from nines.building.resources.code import Code
from nines.building.resources.facts import Thing, blueprint_of, thing_of
from nines.model.blueprint import Action, Dependency, DependencyKind, Job, Operation
from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.design import Design
from nines.model.record import Record

RESERVED = frozenset(
    {"database", "keys", "audit", "outbox", "ledger", "cursors", "cipher", "lookup", "sagas", "wake", "accounts"}
)
"""What the container has anyway."""


class Verb(Record):
    """One thing that others are asked for, about one kind of object."""

    name: str
    method: str
    """As Python calls it; where a verb is about several kinds, each has a method of its own."""
    thing: Thing | None
    requests: tuple[str, ...] = ()
    """The shapes of the bodies that operations carry on."""
    has_body_always: bool = True
    users: tuple[str, ...] = ()
    is_heard: bool = False
    """Whether a function of the owner gets to see the answer: about nothing that is kept, it is for nobody else."""


class Port(Record):
    dependency: Dependency
    verbs: tuple[Verb, ...]
    is_shared: bool = False
    """Whether signing in sends letters by it as well, under its name."""

    @property
    def name(self) -> str:
        """What the container calls it."""
        found = names.snake(self.dependency.name)
        return f"{found}_port" if found in RESERVED or self.is_shared else found

    @property
    def protocol(self) -> str:
        return names.pascal(self.dependency.name)


def attribute(design: Design, verb: str, on: str) -> str:
    """ "gateway.capture" as the container has it, about a resource."""
    port, found = _found(design, verb, on)
    return f"{port.name}.{found.method}"


def _found(design: Design, verb: str, on: str) -> tuple[Port, Verb]:
    dependency, _, name = verb.partition(".")
    port = next(each for each in ports_of(design) if each.dependency.name == dependency)
    return port, next(v for v in port.verbs if v.name == name and (v.thing.resource.name if v.thing else "") == on)


def is_about_nothing(design: Design, asked: Operation | Job) -> bool:
    """Whether an operation of the owner's own asks others without an object."""
    endpoint = design.endpoint(asked.name) if isinstance(asked, Operation) and asked.do is Action.CUSTOM else None
    return endpoint is not None and "{" not in endpoint.path


def heard(design: Design, operation: Operation) -> tuple[str, ...]:
    """The calls of an operation about nothing whose answers its function gets."""
    if not is_about_nothing(design, operation):
        return ()
    return tuple(verb for verb in operation.calls if _found(design, verb, "")[1].is_heard)


def told(index: int, count: int) -> str:
    """The variable of an answer."""
    return "told" if count == 1 else f"told_{index + 1}"


def ports_of(design: Design) -> tuple[Port, ...]:
    """Of what operations and jobs ask; whoever sends letters for signing in has ports of its own."""
    found: dict[str, dict[tuple[str, str], list[Operation | Job]]] = {}
    for asked, verb in _asked(design):
        dependency, _, name = verb.partition(".")
        about = "" if is_about_nothing(design, asked) else asked.on
        found.setdefault(dependency, {}).setdefault((name, about), []).append(asked)
    made = []
    for dependency, pairs in found.items():
        kept = design.dependency(dependency)
        if kept is not None and kept.kind is not DependencyKind.POSTGRES:
            several = [name for name, _ in pairs]
            made_of = (_verb(design, name, on, users, several.count(name) > 1) for (name, on), users in pairs.items())
            answers = kept.kind in (DependencyKind.HTTP, DependencyKind.GRPC)
            verbs = (replace(each, is_heard=answers and each.thing is None) for each in made_of)
            is_shared = kept.kind is DependencyKind.SMTP and mailing.leaves_letters(design)
            made.append(Port(dependency=kept, verbs=tuple(verbs), is_shared=is_shared))
    return tuple(made)


def _verb(design: Design, name: str, on: str, users: list[Operation | Job], is_shared: bool) -> Verb:
    thing = thing_of(design, on) if on else None
    bodies = [_request(design, each) for each in users]
    return Verb(
        name=name,
        method=f"{names.snake(name)}_{thing.noun}" if is_shared and thing else names.snake(name),
        thing=thing,
        requests=tuple(dict.fromkeys(each for each in bodies if each)),
        has_body_always=all(bodies),
        users=tuple(each.name for each in users),
    )


def _request(design: Design, asked: Operation | Job) -> str:
    """The shape of the body that those who are asked get to see."""
    endpoint = design.endpoint(asked.name) if isinstance(asked, Operation) and asked.takes else None
    return endpoint.request if endpoint else ""


def _asked(design: Design) -> Iterator[tuple[Operation | Job, str]]:
    blueprint = blueprint_of(design)
    for operation in blueprint.operations:
        if operation.do not in OF_ACCOUNTS:
            for verb in operation.calls:
                yield operation, verb
    for job in blueprint.jobs:
        if job.on:
            for verb in job.calls:
                yield job, verb


def write(design: Design) -> Iterator[File]:
    ports = ports_of(design)
    if not ports:
        return
    code = Code(design)
    code.imports.add("typing", "Protocol")
    code.runtime("Deadline")
    for port in ports:
        code.gap()
        with code.block(f"class {port.protocol}(Protocol):"):
            code.doc(f"What is asked of {port.dependency.name}; gateways/{port.name}.py answers for it")
            for verb in port.verbs:
                code.line()
                method(code, verb)
                code.depth += 1
                users = " and ".join(verb.users)
                code.doc(f"For {users}. Raises Declined or Unanswered; the same key asks for the same thing")
                code.line("...")
                code.depth -= 1
    says = "What the service asks of others. Whoever answers for it is the owner's: see gateways/."
    yield File(path=names.source(design, "_generated/ports.py"), text=code.text(says))
    yield from _gateways(design, ports)


def method(code: Code, verb: Verb) -> None:
    parts = ["self", "deadline: Deadline"]
    if verb.thing is not None:
        parts.append(f"{verb.thing.noun}: {code.shape(verb.thing.kept)}")
    if verb.requests:
        types = " | ".join(map(code.shape, verb.requests))
        parts.append(f"body: {types}" if verb.has_body_always else f"body: {types} | None = None")
    told = code.shape(verb.thing.told) if verb.thing is not None and verb.thing.told else "None"
    if verb.is_heard:
        code.imports.add("typing", "Any")
        told = "dict[str, Any]"
    head = python.Group(head=f"async def {verb.method}", parts=(*parts, "*", "key: str"), tail=f" -> {told}")
    code.put(head, after=":")


def _gateways(design: Design, ports: tuple[Port, ...]) -> Iterator[File]:
    text = '"""Yours: how others are asked."""\n'
    yield File(path=names.source(design, "gateways/__init__.py"), text=text, is_owned=True)
    for port in ports:
        if port.dependency.kind is DependencyKind.GRPC:
            # The part `internal` writes how it is asked.
            continue
        if port.dependency.kind is DependencyKind.SMTP:
            yield File(path=names.source(design, f"gateways/{port.name}.py"), text=_mailed(design, port), is_owned=True)
            continue
        code = Code(design)
        code.runtime("Client", "Deadline")
        code.gap()
        with code.block(f"class {port.protocol}Client:"):
            code.doc(f"Asks {port.dependency.name} over HTTP: each verb is a POST of what it is about, under its key")
            code.line()
            with code.block("def __init__(self, client: Client) -> None:"):
                code.line("self._client = client")
            for verb in port.verbs:
                code.line()
                method(code, verb)
                code.depth += 1
                _posted(code, verb)
                code.depth -= 1
        says = f"Yours: how {port.dependency.name} is asked. The address and what keeps its trouble away are settings."
        yield File(path=names.source(design, f"gateways/{port.name}.py"), text=code.text(says), is_owned=True)


def _mailed(design: Design, port: Port) -> str:
    """Sends letters, by what it opens itself where signing in does not."""
    code = Code(design)
    code.runtime("Deadline", "Mailing")
    code.line()
    if not port.is_shared:
        code.imports.add("pathlib", "Path")
        code.runtime(*mailing.used(port.dependency))
        code.generated("settings", "GeneratedSettings")
        code.lines += mailing.opening(design, port.dependency).splitlines()
        code.gap()
    else:
        code.line()
    with code.block(f"class {port.protocol}Client:"):
        code.doc("Sends letters: to whom, and what they say")
        code.line()
        with code.block("def __init__(self, mailer: Mailing) -> None:"):
            code.line("self._mailer = mailer")
        for verb in port.verbs:
            code.line()
            method(code, verb)
            code.depth += 1
            mailing.sent(code, verb.thing, port.dependency.name, verb.name)
            code.depth -= 1
    return code.text(f"Yours: how {port.dependency.name} carries letters.")


def _posted(code: Code, verb: Verb) -> None:
    name = python.quoted(verb.name)
    thing = verb.thing
    content = "None"
    if thing is not None and verb.requests:
        content = f'{{"{thing.noun}": {thing.noun}, "request": body}}'
    elif thing is not None:
        content = thing.noun
    elif verb.requests:
        content = "body"
    sent = python.call(
        "await self._client.post",
        "deadline",
        python.quoted(f"/{names.kebab(verb.name)}"),
        content,
        f"verb={name}",
        "key=key",
    )
    if thing is not None and thing.told:
        code.put(sent, before="reply = ")
        code.line(f"return reply.decode({code.shape(thing.told)})")
    elif verb.is_heard:
        code.put(sent, before="reply = ")
        code.line("return reply.decode(dict) if reply.body else {}")
    else:
        code.put(sent)
