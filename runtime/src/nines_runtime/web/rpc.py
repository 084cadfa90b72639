"""Operations over gRPC: how a message becomes a request to the edge, and its answer a message (extra `grpc`)."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from grpc import StatusCode

from nines_runtime.calls.deadline import DEADLINE_HEADER
from nines_runtime.calls.grpc_status import Trouble, code_of
from nines_runtime.calls.messages import MessageError, Messages
from nines_runtime.web.asgi import Message
from nines_runtime.web.edge import LATE, Edge
from nines_runtime.web.exchange import Exchange
from nines_runtime.web.gate import TOO_MUCH
from nines_runtime.web.incoming import read_headers, request_id_of
from nines_runtime.web.operations import Operation
from nines_runtime.web.problem import Problem
from nines_runtime.web.route import Route

WHOLE = "*"
RPC = "GRPC"
"""Stands for the method of HTTP in logs and metrics."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_CURSORS = ("page_token", "next_page_token")


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One rpc of a .proto file, and the operation that answers it."""

    rpc: str
    operation: str
    path: tuple[str, ...] = ()
    """The fields that stand in the path, in the order of its parameters."""
    body: str = ""
    """The field that holds the body; "*": every field but those of the path. Empty: they are parameters of a query."""
    mask: str = ""
    """The field, a google.protobuf.FieldMask, that names what an update changes: members that it names and that are
    not set become null. Without it what is set is changed."""
    items: str = ""
    """Of the reply: the field with the items of a page; then page_token is its cursor."""


class Bound:
    """A method with everything that can be worked out beforehand."""

    __slots__ = ("_messages", "_parameters", "_presence", "method", "path", "reply", "request", "route")

    def __init__(self, method: Method, route: Route, messages: Messages) -> None:
        operation: Operation = route.operation
        rpc = messages.rpcs[method.rpc]
        self.method = method
        self.route = route
        self.path = rpc.path
        self.request, self.reply = rpc.request, rpc.reply
        self._messages = messages
        fields = messages.fields.get(rpc.request, ())
        names = {each.name for each in fields}
        self._parameters = _parameters(operation.path)
        wanted = {*method.path, *({method.body, method.mask} - {WHOLE, ""})}
        if len(self._parameters) != len(method.path) or not wanted <= names:
            raise ValueError(f"{method.rpc} does not have what {operation.id} takes.")
        self._presence = {each.name for each in fields if each.is_optional}

    def asked(self, content: bytes) -> tuple[dict[str, str], str, bytes]:
        """Parameters of the path, the query and the body; raises Problem."""
        try:
            found = self._messages.read(self.request, content)
        except MessageError as error:
            raise Problem("malformed-request", "The message cannot be read.") from error
        parameters = {}
        for name, field in zip(self._parameters, self.method.path, strict=True):
            value = found.pop(field, "")
            if value == "":
                raise Problem("invalid-parameter", errors=((field, "Is missing."),))
            parameters[name] = str(value)
        body = self.method.body
        if body:
            return parameters, "", _encode(self._changes(found) if self.method.mask else self._body(found))
        return parameters, self._query(found), b""

    def _body(self, found: dict[str, Any]) -> Any:
        return found if self.method.body == WHOLE else found.get(self.method.body, {})

    def _changes(self, found: dict[str, Any]) -> dict[str, Any]:
        """A merge patch (RFC 7396): members that the mask names, with null for those that are not set; without a mask
        those that are set, and a list does not tell that it is empty on purpose."""
        mask = found.pop(self.method.mask, None)
        body: dict[str, Any] = self._body(found)
        if mask:
            return {name: body.get(name) for name in mask}
        return {name: value for name, value in body.items() if value != []}

    def _query(self, found: dict[str, Any]) -> str:
        parts = []
        for name, value in found.items():
            if value in ("", 0, [], None) and value is not False and name not in self._presence:
                continue
            shown = "cursor" if self.method.items and name == _CURSORS[0] else name
            parts.append(f"{shown}={quote(_text(value), safe='')}")
        return "&".join(parts)

    def answered(self, body: bytes) -> bytes:
        """The reply, from the body of an answer."""
        found = _decode(body) if body else {}
        if self.method.items:
            found = {self.method.items: found["items"], _CURSORS[1]: found.get("next_cursor")}
        return self._messages.write(self.reply, found)


class Answered:
    """What an operation answered to whoever asked without HTTP."""

    __slots__ = ("body", "exchange", "headers", "status")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def take(self, message: Message) -> None:
        """As ASGI sends it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = read_headers(message["headers"])
        else:
            self.body = message["body"]


async def ask(
    edge: Edge[Any], bound: Bound, content: bytes, headers: dict[str, str], *, address: str, left_s: float | None
) -> Answered:
    """`left_s` is how long the caller still waits; None: it did not say."""
    operation, began_s = bound.route.operation, edge.clock()
    exchange = Exchange(operation.id, RPC, operation.path, headers, {}, began_s, began_s)
    if left_s is not None and left_s < operation.deadline_s:
        exchange.at_s -= operation.deadline_s - left_s
    exchange.request_id = request_id_of(headers)
    exchange.address = address
    headers["content-type"] = bound.route.media_type
    headers.pop(DEADLINE_HEADER, None)
    answered = Answered(exchange)
    await edge.ask(exchange, partial(bound.asked, content), answered.take)
    return answered


def trouble(asked: Answered) -> tuple[StatusCode, str, Trouble]:
    """The code, what is said and the details of an answer that is a problem."""
    document = _decode(asked.body) if asked.body else {}
    code = str(document.get("type", "")).rpartition("/")[2]
    says = str(document.get("detail", ""))
    after = asked.headers.get("retry-after", "")
    found = Trouble(
        reason=code,
        status=asked.status,
        request_id=asked.exchange.request_id,
        retry_after_s=float(after) if after.isdigit() else None,
        errors=tuple((_field(each["pointer"]), each["detail"]) for each in document.get("errors", ())),
    )
    if says == TOO_MUCH:
        return StatusCode.RESOURCE_EXHAUSTED, says, found
    return (StatusCode.DEADLINE_EXCEEDED if says == LATE else code_of(asked.status, code)), says, found


def _field(pointer: str) -> str:
    """A JSON pointer as the path of a field."""
    return pointer.removeprefix("/").replace("/", ".").replace("~1", "/").replace("~0", "~")


def _parameters(path: str) -> tuple[str, ...]:
    return tuple(each[1:-1] for each in path.split("/") if each.startswith("{"))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)
