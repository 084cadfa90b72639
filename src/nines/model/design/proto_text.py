"""A protocol as the text of a .proto file."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

from nines.model.design.protocol import PlannedEnumeration, PlannedMessage, PlannedProtocol, PlannedRpc

_WIDTH = 100
_IMPORTS = {
    "google.protobuf.Empty": "google/protobuf/empty.proto",
    "google.protobuf.FieldMask": "google/protobuf/field_mask.proto",
    "google.protobuf.Struct": "google/protobuf/struct.proto",
    "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
}


def proto_text(protocol: PlannedProtocol, *, head: str, says: str = "") -> str:
    """What is understood by protoc and by nines-runtime alike; deterministic. `says` stands above the service."""
    blocks = ["\n".join([*_comment(head), 'syntax = "proto3";']), f"package {protocol.package};"]
    imports = sorted({_IMPORTS[each] for each in _types(protocol) if each in _IMPORTS})
    if imports:
        blocks.append("\n".join(f'import "{each}";' for each in imports))
    blocks.append(_service(protocol, says))
    blocks += [_enumeration(each) for each in protocol.enumerations]
    blocks += [_message(each) for each in protocol.messages]
    return "\n\n".join(blocks) + "\n"


def _types(protocol: PlannedProtocol) -> Iterator[str]:
    for message in protocol.messages:
        yield from (each.type for each in message.members)
    for rpc in protocol.rpcs:
        yield from (rpc.request, rpc.reply)


def _service(protocol: PlannedProtocol, says: str) -> str:
    lines = [*_comment(says), f"service {protocol.service} {{"]
    for number, each in enumerate(protocol.rpcs):
        lines += [""] if number else []
        lines += _rpc(each)
    return "\n".join([*lines, "}"])


def _rpc(rpc: PlannedRpc) -> Iterator[str]:
    yield from _comment(rpc.says, "  ")
    line = f"  rpc {rpc.name}({rpc.request}) returns ({rpc.reply})"
    if rpc.is_deprecated:
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
        says = f"{each.says} Required." if each.is_required and not each.is_repeated else each.says
        lines += _comment(says, "  ")
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
    for line in textwrap.wrap(" ".join(says.split()), _WIDTH - len(indent) - 3, break_on_hyphens=False):
        yield f"{indent}// {line}"
