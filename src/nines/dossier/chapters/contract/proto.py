"""The same operations as proto3, for services that ask each other, and the numbers that stay."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

import msgspec

from nines.checkers.contracts.numbers import numbers_of
from nines.model.design import Design
from nines.model.design.protocol import PlannedEnumeration, PlannedMessage, PlannedProtocol, PlannedRpc

LOCK = "proto.lock"
_WIDTH = 100
_METADATA = (
    "Metadata carries what headers do over HTTP: authorization, idempotency-key, if-match, x-request-id, traceparent; "
    "the trailing metadata has etag, location and retry-after."
)
_IMPORTS = {
    "google.protobuf.Empty": "google/protobuf/empty.proto",
    "google.protobuf.FieldMask": "google/protobuf/field_mask.proto",
    "google.protobuf.Struct": "google/protobuf/struct.proto",
    "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
}


def text(protocol: PlannedProtocol, design: Design) -> str:
    """Deterministic; what stands in it is understood by protoc and by nines-runtime alike."""
    blocks = [
        f'// {design.name} for other services; written by nines, and numbered by {LOCK} beside it.\nsyntax = "proto3";',
        f"package {protocol.package};",
    ]
    imports = sorted({_IMPORTS[each] for each in _types(protocol) if each in _IMPORTS})
    if imports:
        blocks.append("\n".join(f'import "{each}";' for each in imports))
    blocks.append(_service(protocol, design))
    blocks += [_enumeration(each) for each in protocol.enumerations]
    blocks += [_message(each) for each in protocol.messages]
    return "\n\n".join(blocks) + "\n"


def lock(protocol: PlannedProtocol, design: Design) -> str:
    found = numbers_of(protocol, design.numbers, design.endpoints)
    return json.dumps(msgspec.to_builtins(found), indent=1, ensure_ascii=False) + "\n"


def _types(protocol: PlannedProtocol) -> Iterator[str]:
    for message in protocol.messages:
        yield from (each.type for each in message.members)
    for rpc in protocol.rpcs:
        yield from (rpc.request, rpc.reply)


def _service(protocol: PlannedProtocol, design: Design) -> str:
    lines = [*_comment(_METADATA), f"service {protocol.service} {{"]
    for number, each in enumerate(protocol.rpcs):
        lines += [""] if number else []
        lines += _rpc(each, design)
    return "\n".join([*lines, "}"])


def _rpc(rpc: PlannedRpc, design: Design) -> Iterator[str]:
    endpoint = design.endpoint(rpc.operation)
    needed = []
    if endpoint is not None and endpoint.idempotency is not None:
        needed.append("idempotency-key" if endpoint.idempotency.is_required else "idempotency-key, if repeated")
    if endpoint is not None and endpoint.needs_if_match:
        needed.append("if-match")
    says = rpc.says.rstrip(".") + "." if rpc.says else ""
    yield from _comment(f"{says} Metadata: {', '.join(needed)}." if needed else says, "  ")
    line = f"  rpc {rpc.name}({rpc.request}) returns ({rpc.reply})"
    if endpoint is not None and endpoint.deprecation is not None:
        yield from (f"{line} {{", "    option deprecated = true;", "  }")
    else:
        yield f"{line};"


def _enumeration(found: PlannedEnumeration) -> str:
    lines = [f"enum {found.name} {{"]
    lines += _reserved(found.gone, {each.name for each in found.values})
    lines.append(f"  {found.unspecified} = 0;")
    lines += [f"  {each.name} = {each.number};" for each in found.values]
    return "\n".join([*lines, "}"])


def _message(found: PlannedMessage) -> str:
    lines = [*_comment(found.says), f"message {found.name} {{"]
    if not (found.members or found.gone):
        lines[-1] += "}"
        return "\n".join(lines)
    lines += _reserved(found.gone, {each.name for each in found.members})
    for each in found.members:
        says = f"{each.says} Required." if each.is_required and each.says else "Required." if each.is_required else ""
        lines += _comment(says or each.says, "  ")
        label = "repeated " if each.is_repeated else "optional " if each.is_optional else ""
        lines.append(f"  {label}{each.type} {each.name} = {each.number};")
    return "\n".join([*lines, "}"])


def _reserved(gone: Iterable[tuple[str, int]], names: set[str]) -> Iterator[str]:
    """A name may come back with another number; a number never does."""
    pairs = tuple(gone)
    if pairs:
        yield f"  reserved {', '.join(str(number) for number in sorted({number for _, number in pairs}))};"
    lost = sorted({name for name, _ in pairs} - names)
    if lost:
        yield f"  reserved {', '.join(json.dumps(name) for name in lost)};"


def _comment(says: str, indent: str = "") -> Iterator[str]:
    for line in textwrap.wrap(" ".join(says.split()), _WIDTH - len(indent) - 3):
        yield f"{indent}// {line}"
