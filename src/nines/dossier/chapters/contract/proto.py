"""The same operations as proto3, for services that ask each other, and the numbers that stay."""

from __future__ import annotations

import json

import msgspec

from nines.checkers.contracts.numbers import numbers_of
from nines.model.design import Design
from nines.model.design.proto_text import proto_text
from nines.model.design.protocol import PlannedProtocol

LOCK = "proto.lock"
_SAYS = (
    "Metadata carries what headers do over HTTP: authorization, idempotency-key, if-match, x-request-id, traceparent; "
    "the trailing metadata has etag, location and retry-after."
)


def text(protocol: PlannedProtocol, design: Design) -> str:
    head = f"{design.name} for other services; written by nines, and numbered by {LOCK} beside it."
    return proto_text(protocol, head=head, says=_SAYS)


def lock(protocol: PlannedProtocol, design: Design) -> str:
    found = numbers_of(protocol, design.numbers, design.endpoints)
    return json.dumps(msgspec.to_builtins(found), indent=1, ensure_ascii=False) + "\n"
