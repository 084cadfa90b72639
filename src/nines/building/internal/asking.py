"""The owner's first adapter for each dependency that is asked over gRPC, and the messages that it speaks."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import ports, rows, values
from nines.building.resources.code import Code
from nines.building.resources.facts import Thing
from nines.building.resources.ports import Port, Verb
from nines.model.blueprint import DependencyKind, FieldKind
from nines.model.design import Design, PlannedColumn
from nines.model.design.proto_text import proto_text
from nines.model.design.protocol import PlannedEnumeration, PlannedMember, PlannedMessage, PlannedProtocol, PlannedRpc
from nines.model.design.shaping import STRUCT, TIMESTAMP, Shaping, pascal

_EMPTY = "google.protobuf.Empty"
_TYPES = {
    "integer": "int32",
    "smallint": "int32",
    "bigint": "int64",
    "boolean": "bool",
    "timestamptz": TIMESTAMP,
    "jsonb": STRUCT,
    "bytea": "bytes",
}
_SEALED = {FieldKind.INT32: "int32", FieldKind.INT64: "int64", FieldKind.BOOLEAN: "bool", FieldKind.JSON: STRUCT}


def write(design: Design) -> Iterator[File]:
    for port in ports.ports_of(design):
        if port.dependency.kind is DependencyKind.GRPC:
            path = names.source(design, f"gateways/{port.name}")
            yield File(path=f"{path}.py", text=_gateway(design, port), is_owned=True)
            yield File(path=f"{path}.proto", text=_messages(design, port), is_owned=True)


def _gateway(design: Design, port: Port) -> str:
    code = Code(design)
    code.imports.add("pathlib", "Path")
    code.imports.add("nines_runtime.grpc", "GrpcClient", "Messages")
    code.runtime("Deadline")
    code.gap()
    with code.block(f"class {port.protocol}Client:"):
        code.doc(f"Asks {port.dependency.name} over gRPC: each verb is a method of {port.name}.proto, under its key")
        code.line()
        code.line(f'MESSAGES = Messages.of(Path(__file__).with_name("{port.name}.proto"))')
        code.line()
        with code.block("def __init__(self, client: GrpcClient) -> None:"):
            code.line("self._client = client")
        for verb in port.verbs:
            code.line()
            ports.method(code, verb)
            code.depth += 1
            _asked(code, verb)
            code.depth -= 1
    name = port.dependency.name
    return code.text(f"Yours: how {name} is asked. The address and what keeps its trouble away are settings.")


def _asked(code: Code, verb: Verb) -> None:
    given = [f'"{verb.thing.noun}": {verb.thing.noun}'] if verb.thing is not None else []
    given += ['"request": body'] if verb.requests else []
    sent = python.call(
        "await self._client.ask",
        "deadline",
        python.quoted(_rpc(verb)),
        f"{{{', '.join(given)}}}",
        f"verb={python.quoted(verb.name)}",
        "key=key",
    )
    if verb.thing is not None and verb.thing.told:
        code.put(sent, before="reply = ")
        code.line(f"return reply.decode({code.shape(verb.thing.told)})")
    elif verb.is_heard:
        code.put(sent, before="reply = ")
        code.line("return reply.members")
    else:
        code.put(sent)


def _rpc(verb: Verb) -> str:
    return pascal(verb.method)


def _messages(design: Design, port: Port) -> str:
    shaping = Shaping({each.name: each for each in design.shapes})
    for verb in port.verbs:
        for shape in verb.requests:
            shaping.send(shape)
            shaping.message(shape)
    found = dict(shaping.messages)
    rpcs = []
    for verb in port.verbs:
        rpc, made = _of_verb(verb, set(found))
        rpcs.append(rpc)
        found |= {each.name: each for each in made}
    protocol = PlannedProtocol(
        package=f"{names.snake(port.dependency.name)}.v1",
        service=f"{port.protocol}Service",
        messages=tuple(_numbered(found[name]) for name in sorted(found)),
        enumerations=tuple(
            _counted(each) for each in sorted(shaping.enumerations.values(), key=lambda each: each.name)
        ),
        rpcs=tuple(rpcs),
    )
    name = port.dependency.name
    head = (
        f"Yours: what {name} is asked for. Where it has a .proto of its own, put that here and mend {port.name}.py; "
        "numbers that somebody was given stay."
    )
    return proto_text(protocol, head=head)


def _of_verb(verb: Verb, taken: set[str]) -> tuple[PlannedRpc, list[PlannedMessage]]:
    name = _rpc(verb)
    asked = []
    made = []
    if verb.thing is not None:
        row = pascal(verb.thing.resource.name)
        made.append(PlannedMessage(name=row, members=tuple(_columns(verb.thing)), says=verb.thing.resource.says))
        asked.append(PlannedMember(name=verb.thing.noun, type=row))
    if verb.requests:
        # Where several operations ask the same with different bodies, any object.
        kind = verb.requests[0] if len(verb.requests) == 1 else STRUCT
        asked.append(PlannedMember(name="request", type=kind))
    request = f"{name}Request" if f"{name}Request" not in taken else f"{name}Asked"
    made.append(PlannedMessage(name=request, members=tuple(asked)))
    reply = _EMPTY
    if verb.thing is not None and verb.thing.told:
        reply = f"{name}Response"
        told = tuple(_column(verb.thing, each, is_optional=True) for each in verb.thing.told_columns)
        made.append(PlannedMessage(name=reply, members=told))
    elif verb.is_heard:
        reply = f"{name}Response"
        says = "Say here what it tells: the function of the operation gets it by its names."
        made.append(PlannedMessage(name=reply, members=(PlannedMember(name="told", type=STRUCT, says=says),)))
    says = f"For {' and '.join(verb.users)}."
    return PlannedRpc(name=name, operation=verb.name, request=request, reply=reply, says=says), made


def _columns(thing: Thing) -> Iterator[PlannedMember]:
    for column in rows.columns(thing):
        yield _column(thing, column, is_optional=column.is_nullable)


def _column(thing: Thing, column: PlannedColumn, *, is_optional: bool) -> PlannedMember:
    bare = column.type.removesuffix("[]")
    is_list = column.type.endswith("[]")
    kind = _TYPES.get(bare, "string")
    field = thing.part_of(column)
    if column.is_encrypted and field is not None:
        kind = _SEALED.get(field.kind, "string")
    is_plain = not is_list and not kind.startswith("google.")
    name = values.attribute(column.name)
    return PlannedMember(name=name, type=kind, is_repeated=is_list, is_optional=is_optional and is_plain)


def _numbered(message: PlannedMessage) -> PlannedMessage:
    return replace(message, members=tuple(replace(each, number=at) for at, each in enumerate(message.members, 1)))


def _counted(enumeration: PlannedEnumeration) -> PlannedEnumeration:
    return replace(enumeration, values=tuple(replace(each, number=at) for at, each in enumerate(enumeration.values, 1)))
