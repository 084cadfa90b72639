"""`_generated/internal.py`: the operations over gRPC, on a port that no ingress leads to."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import apart
from nines.building.resources.code import Code
from nines.model.design import Design
from nines.model.design.protocol import PlannedProtocol, PlannedRpc


def write(design: Design) -> Iterator[File]:
    if design.protocol is not None:
        yield File(path=names.source(design, "_generated/internal.py"), text=_internal(design, design.protocol))


def _internal(design: Design, protocol: PlannedProtocol) -> str:
    code = Code(design)
    code.imports.add("pathlib", "Path")
    code.imports.add("nines_runtime.grpc", "GrpcListener", "Messages", "Method")
    code.generated("settings", "GeneratedSettings")
    code.line()
    code.line(f'PROTOCOL = Path(__file__).with_name("{design.name}.proto")')
    found = tuple(spelled(protocol))
    if found:
        code.put(python.mapping(found), before="SPELLED = ")
        code.doc("Values whose text is not their name in lower case")
    code.line("METHODS = (")
    code.depth += 1
    for rpc in protocol.rpcs:
        code.put(python.call("Method", *_method(rpc)), after=",")
    code.depth -= 1
    code.line(")")
    code.gap()
    with code.block("def listener(settings: GeneratedSettings) -> GrpcListener:"):
        code.doc("A port of its own, for other services alone")
        messages = python.call("Messages.of", "PROTOCOL", *(("spelled=SPELLED",) if found else ()))
        where = ["host=settings.grpc_host", "port=settings.grpc_port"]
        if apart.parts(design):
            where.append("is_partial=True")
        made = python.call("GrpcListener", messages, "METHODS", *where)
        code.put(made, before="return ")
    return code.text(f"{design.name} over gRPC: which operation answers which method of {design.name}.proto.")


def _method(rpc: PlannedRpc) -> Iterator[str]:
    yield f"rpc={python.quoted(rpc.name)}"
    yield f"operation={python.quoted(rpc.operation)}"
    if rpc.path:
        yield f"path={python.flat(python.row(*map(python.quoted, rpc.path)))}"
    for name in ("body", "mask", "items"):
        value = getattr(rpc, name)
        if value:
            yield f"{name}={python.quoted(value)}"


def spelled(protocol: PlannedProtocol) -> Iterator[tuple[str, str]]:
    for enumeration in protocol.enumerations:
        for value in enumeration.values:
            if value.name.removeprefix(enumeration.prefix).lower() != value.text:
                yield value.name, python.quoted(value.text)
