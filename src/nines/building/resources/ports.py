"""`_generated/ports.py`: what the service asks of others, a Protocol for each; and the owner's first adapters."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources.code import Code
from nines.building.resources.facts import Thing, blueprint_of, thing_of
from nines.model.blueprint import Dependency, DependencyKind, Job, Operation
from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.design import Design
from nines.model.record import Record

RESERVED = frozenset(
    {"database", "keys", "audit", "outbox", "ledger", "cursors", "cipher", "lookup", "sagas", "wake", "accounts"}
)
"""What the container has anyway."""


class Verb(Record):
    """One thing that others are asked for."""

    name: str
    thing: Thing | None
    request: str = ""
    """The shape of the body that the operation carries on; empty: none."""
    says: str = ""


class Port(Record):
    dependency: Dependency
    verbs: tuple[Verb, ...]

    @property
    def name(self) -> str:
        """What the container calls it."""
        found = names.snake(self.dependency.name)
        return f"{found}_port" if found in RESERVED else found

    @property
    def protocol(self) -> str:
        return names.pascal(self.dependency.name)


def attribute(verb: str) -> str:
    """ "gateway.capture" as the container has it."""
    dependency, _, name = verb.partition(".")
    found = names.snake(dependency)
    return f"{f'{found}_port' if found in RESERVED else found}.{names.snake(name)}"


def ports_of(design: Design) -> tuple[Port, ...]:
    """Of what operations and jobs ask; whoever sends letters for signing in has ports of its own."""
    found: dict[str, dict[str, Verb]] = {}
    for asked, verb in _asked(design):
        dependency, _, name = verb.partition(".")
        thing = thing_of(design, asked.on) if asked.on else None
        request = ""
        if isinstance(asked, Operation) and asked.takes:
            endpoint = design.endpoint(asked.name)
            request = endpoint.request if endpoint else ""
        says = f"For {asked.name}"
        known = found.setdefault(dependency, {}).get(name)
        if known is None:
            found[dependency][name] = Verb(name=name, thing=thing, request=request, says=says)
        else:
            found[dependency][name] = Verb(
                name=name, thing=known.thing, request=known.request, says=f"{known.says} and {asked.name}"
            )
    made = []
    for name, verbs in found.items():
        kept = design.dependency(name)
        if kept is not None and kept.kind is not DependencyKind.POSTGRES:
            made.append(Port(dependency=kept, verbs=tuple(verbs.values())))
    return tuple(made)


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
                _method(code, verb)
                code.depth += 1
                code.doc(f"{verb.says}. Raises Declined or Unanswered; the same key asks for the same thing")
                code.line("...")
                code.depth -= 1
    says = "What the service asks of others. Whoever answers for it is the owner's: see gateways/."
    yield File(path=names.source(design, "_generated/ports.py"), text=code.text(says))
    yield from _gateways(design, ports)


def _method(code: Code, verb: Verb) -> None:
    parts = ["self", "deadline: Deadline"]
    if verb.thing is not None:
        parts.append(f"{verb.thing.noun}: {code.shape(verb.thing.kept)}")
    if verb.request:
        parts.append(f"body: {code.shape(verb.request)}")
    told = code.shape(verb.thing.told) if verb.thing is not None and verb.thing.told else "None"
    head = python.Group(head=f"async def {names.snake(verb.name)}", parts=(*parts, "*", "key: str"), tail=f" -> {told}")
    code.put(head, after=":")


def _gateways(design: Design, ports: tuple[Port, ...]) -> Iterator[File]:
    text = '"""Yours: how others are asked."""\n'
    yield File(path=names.source(design, "gateways/__init__.py"), text=text, is_owned=True)
    for port in ports:
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
                _method(code, verb)
                code.depth += 1
                _posted(code, verb)
                code.depth -= 1
        says = f"Yours: how {port.dependency.name} is asked. The address and what keeps its trouble away are settings."
        yield File(path=names.source(design, f"gateways/{port.name}.py"), text=code.text(says), is_owned=True)


def _posted(code: Code, verb: Verb) -> None:
    name = python.quoted(verb.name)
    thing = verb.thing
    content = "None"
    if thing is not None and verb.request:
        content = f'{{"{thing.noun}": {thing.noun}, "request": body}}'
    elif thing is not None:
        content = thing.noun
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
    else:
        code.put(sent)
