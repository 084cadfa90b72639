"""The operations as messages and methods of proto3, for services that ask each other."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.checkers.contracts.numbers import numbered
from nines.model.blueprint import OF_ACCOUNTS, Action
from nines.model.design import Design, PlannedEndpoint
from nines.model.design.protocol import (
    Numbers,
    PlannedMember,
    PlannedMessage,
    PlannedProtocol,
    PlannedRpc,
)
from nines.model.design.shaping import Shaping, pascal, references
from nines.planning.data.names import plural, snake

GRPC = "grpc"
EMPTY = "google.protobuf.Empty"
_SPARSE = "fields"
"""Of lists over HTTP: a message has all its members anyway."""


def protocol(design: Design) -> Design:
    """The design with its protocol, where the blueprint asks for one; nobody else signs in for people."""
    if GRPC not in design.card.interfaces:
        return design
    served = [each for each in design.endpoints if each.action not in OF_ACCOUNTS]
    return replace(design, protocol=numbered(_Making(design).protocol(served), Numbers())) if served else design


class _Making:
    """One protocol while it is made."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.shaping = Shaping({each.name: each for each in design.shapes})

    def protocol(self, endpoints: list[PlannedEndpoint]) -> PlannedProtocol:
        for endpoint in endpoints:
            self.shaping.send(endpoint.request)
        # Whole things first, so that enumerations are called after them.
        for endpoint in endpoints:
            if endpoint.action is not Action.LIST and endpoint.success and endpoint.success.shape:
                self.shaping.message(endpoint.success.shape)
        rpcs = tuple(self._rpc(endpoint) for endpoint in endpoints)
        card = self.design.card
        return PlannedProtocol(
            package=f"{snake(card.name)}.{card.api}",
            service=f"{pascal(card.name)}Service",
            messages=tuple(self.shaping.messages[name] for name in sorted(self.shaping.messages)),
            enumerations=tuple(sorted(self.shaping.enumerations.values(), key=lambda each: each.name)),
            rpcs=rpcs,
        )

    def _rpc(self, endpoint: PlannedEndpoint) -> PlannedRpc:
        name = pascal(endpoint.id)
        flat = self._flat(endpoint)
        taken = {each.name for each in flat}
        members = [
            replace(
                self.shaping.member(name, endpoint.resource, each.name, each.schema, is_sent=False),
                name=f"target_{each.name}" if each.name in taken else each.name,
                is_required=True,
            )
            for each in endpoint.parameters
            if each.location == "path"
        ]
        found = PlannedRpc(
            name=name,
            operation=endpoint.id,
            request=self._free(f"{name}Request"),
            reply=self._reply(endpoint),
            path=tuple(each.name for each in members),
            is_deprecated=endpoint.deprecation is not None,
            says=_says(endpoint),
        )
        if endpoint.action is Action.LIST:
            found = replace(found, items=self.shaping.messages[found.reply].members[0].name)
            members += self._asked(endpoint, name)
        elif endpoint.request and endpoint.action in (Action.CREATE, Action.UPDATE):
            body = snake(endpoint.resource)
            says = "What is left out of it stays." if endpoint.action is Action.UPDATE else ""
            kind = self.shaping.message(endpoint.request)
            members.append(PlannedMember(name=body, type=kind, is_required=True, says=says))
            found = replace(found, body=body)
            if endpoint.action is Action.UPDATE:
                says = f"The members of `{body}` that change; one that is named and not set is taken away."
                members.append(PlannedMember(name="update_mask", type="google.protobuf.FieldMask", says=says))
                found = replace(found, mask="update_mask")
        elif endpoint.request:
            members += flat
            found = replace(found, body="*")
        self.shaping.messages[found.request] = PlannedMessage(name=found.request, members=tuple(members))
        return found

    def _free(self, name: str) -> str:
        """A body of the same name gives its members to the request and has no message of its own."""
        return name if name not in self.shaping.messages else f"{name}Message"

    def _flat(self, endpoint: PlannedEndpoint) -> list[PlannedMember]:
        """Of a body that is neither a whole thing nor a change of one."""
        shape = self.design.shape(endpoint.request)
        if shape is None or endpoint.action in (Action.CREATE, Action.UPDATE):
            return []
        return list(self.shaping.members(shape.name, endpoint.resource, shape.schema, is_sent=True))

    def _asked(self, endpoint: PlannedEndpoint, name: str) -> Iterator[PlannedMember]:
        for each in endpoint.parameters:
            if each.location != "query" or each.name == _SPARSE:
                continue
            if each.name == "page_size":
                most, usual = each.schema.get("maximum"), each.schema.get("default")
                yield PlannedMember(name="page_size", type="int32", says=f"At most {most}; {usual} where it is 0.")
            elif each.name == "cursor":
                says = "The next_page_token of the page before, with the same filters."
                yield PlannedMember(name="page_token", type="string", says=says)
            else:
                member = self.shaping.member(name, endpoint.resource, each.name, each.schema, is_sent=True)
                yield replace(member, is_required=each.is_required, says=each.says)

    def _reply(self, endpoint: PlannedEndpoint) -> str:
        success = endpoint.success
        if success is None or not success.shape:
            return EMPTY
        if endpoint.action is not Action.LIST:
            return self.shaping.message(success.shape)
        item = self._item(success.shape)
        name = f"{pascal(endpoint.id)}Response"
        members = (
            PlannedMember(name=snake(plural(snake(endpoint.resource))), type=item, is_repeated=True),
            PlannedMember(name="next_page_token", type="string", says="Empty: there is no next page."),
        )
        self.shaping.messages[name] = PlannedMessage(name=name, members=members)
        return name

    def _item(self, page: str) -> str:
        """What a page holds; whole, where over HTTP some members may be left out."""
        shape = self.design.shape(page)
        name = next(references(shape.schema["properties"]["items"] if shape else {}))
        whole = name.removesuffix("Item")
        return self.shaping.message(whole if self.design.shape(whole) else name)


def _says(endpoint: PlannedEndpoint) -> str:
    said = [f"{endpoint.summary.rstrip('.')}."] if endpoint.summary else []
    needed = []
    if endpoint.idempotency is not None:
        needed.append("idempotency-key" if endpoint.idempotency.is_required else "idempotency-key where it is repeated")
    if endpoint.needs_if_match:
        needed.append("if-match")
    return " ".join([*said, *([f"Metadata: {', '.join(needed)}."] if needed else [])])
