"""The numbers of fields: what callers were given once stays, and what is gone is never used again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec.structs import replace

from nines.model.change import ContractChange, Impact
from nines.model.design import PlannedEndpoint
from nines.model.design.protocol import (
    KnownMember,
    KnownMessage,
    KnownRpc,
    Numbers,
    PlannedMember,
    PlannedProtocol,
    PlannedValue,
)

_SET_APART = range(19_000, 20_000)
"""By protobuf itself."""
_WIDENED = {("int32", "int64")}
"""The same bytes."""
_Member = TypeVar("_Member", PlannedMember, PlannedValue)


def numbered(protocol: PlannedProtocol, known: Numbers) -> PlannedProtocol:
    """Every member with its number: that which it had, or one that nobody had. A member of another type is a new one,
    for whoever knows the old one would misread it."""
    messages = []
    for message in protocol.messages:
        members, gone = _given(message.members, known.messages.get(message.name, KnownMessage()))
        messages.append(replace(message, members=members, gone=gone))
    enumerations = []
    for each in protocol.enumerations:
        values, gone = _given(each.values, known.messages.get(each.name, KnownMessage()))
        enumerations.append(replace(each, values=values, gone=gone))
    return replace(protocol, messages=tuple(messages), enumerations=tuple(enumerations))


def _given(
    members: tuple[_Member, ...], known: KnownMessage
) -> tuple[tuple[_Member, ...], tuple[tuple[str, int], ...]]:
    last = max([each.number for each in known.members.values()] + [number for _, number in known.gone], default=0)
    made: list[_Member] = []
    for member in members:
        before = known.members.get(member.name)
        if before is not None and _is_kept(before.type, _type(member)):
            made.append(replace(member, number=before.number))
            continue
        last += 1
        last = _SET_APART.stop if last in _SET_APART else last
        made.append(replace(member, number=last))
    kept = {each.number for each in made}
    lost: list[tuple[str, int]] = [(name, had.number) for name, had in known.members.items() if had.number not in kept]
    gone = tuple(sorted({*known.gone, *lost}, key=lambda each: each[1]))
    return tuple(sorted(made, key=lambda each: each.number)), gone


def _type(member: PlannedMember | PlannedValue) -> str:
    return member.kind if isinstance(member, PlannedMember) else ""


def _is_kept(had: str, has: str) -> bool:
    return had == has or (had, has) in _WIDENED


def numbers_of(protocol: PlannedProtocol, known: Numbers, endpoints: Iterable[PlannedEndpoint]) -> Numbers:
    """What is to be kept: all of the protocol, and what messages had that are no longer there."""
    http = {each.id: f"{each.method} {each.path}" for each in endpoints}
    messages = dict(known.messages)
    for message in protocol.messages:
        messages[message.name] = KnownMessage(
            members={each.name: KnownMember(number=each.number, type=each.kind) for each in message.members},
            gone=message.gone,
        )
    for enumeration in protocol.enumerations:
        messages[enumeration.name] = KnownMessage(
            members={each.name: KnownMember(number=each.number) for each in enumeration.values}, gone=enumeration.gone
        )
    rpcs = {
        each.name: KnownRpc(request=each.request, reply=each.reply, http=http[each.operation]) for each in protocol.rpcs
    }
    return Numbers(messages=dict(sorted(messages.items())), rpcs=dict(sorted(rpcs.items())))


def changes_of(before: Numbers, after: Numbers) -> Iterator[ContractChange]:
    """What those meet who were compiled against the messages before; a member that is new breaks nobody."""
    for name, rpc in before.rpcs.items():
        now = after.rpcs.get(name)
        if now is None:
            yield _change("operation-removed", rpc.http, f"gRPC {name}", "is gone", "every caller of it")
        elif (now.request, now.reply) != (rpc.request, rpc.reply):
            yield _change("messages-changed", rpc.http, f"gRPC {name}", "has other messages", "every caller of it")
    for name, message in before.messages.items():
        has = after.messages[name]
        for member, known in message.members.items():
            found = has.members.get(member)
            if found is None and not known.type:
                yield _change("value-removed", "", f"gRPC {name}.{member}", "is gone", "callers that send it")
            elif found is None:
                yield _change("member-removed", "", f"gRPC {name}.{member}", "is gone", "callers that use it")
            elif found.number != known.number:
                says = f"is {found.type} instead of {known.type}, under another number"
                yield _change("member-changed", "", f"gRPC {name}.{member}", says, "callers that use it")


def _change(rule: str, operation: str, where: str, says: str, whom: str) -> ContractChange:
    return ContractChange(rule=rule, impact=Impact.BREAKING, operation=operation, where=where, says=says, whom=whom)
