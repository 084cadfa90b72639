"""Stub upstreams: what the service calls, answered from the configuration, from a contract, or by a plain echo."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import httptools

from nines.lab.launch.examples import example, successful
from nines.lab.launch.listening import Listening
from nines.model.contract import Contract, Operation, path_shape
from nines.model.record import Record
from nines.model.settings import StubAnswer

REMEMBERED_MAX = 20_000
BODY_BYTES_MAX = 4 * 1024 * 1024
_FIELD = re.compile(r"\{(id|request(?:\.[\w-]+)+)\}")
_KEY_HEADERS = ("idempotency-key", "x-idempotency-key")
_REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 400: "Bad Request", 404: "Not Found"}


class StubRequest(Record):
    """One request that reached a stub."""

    time_s: float
    """On the monotonic clock."""
    method: str
    path: str
    key: str = ""
    """Its idempotency key."""
    body: str = ""


class StubReply(Record):
    """An answer before it is written."""

    status: int
    body: bytes = b""
    delay_s: float = 0.0


class Stub(Listening):
    """One stub upstream on a loopback port; requests are remembered up to a limit, the oldest forgotten first."""

    def __init__(
        self,
        name: str,
        answers: tuple[StubAnswer, ...] = (),
        contract: Contract | None = None,
        fresh: Callable[[], str] | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.requests: list[StubRequest] = []
        self._answers = answers
        self._contract = contract
        self._fresh = fresh or (lambda: str(uuid.uuid4()))
        self._made: OrderedDict[str, StubReply] = OrderedDict()
        self._by_key: OrderedDict[tuple[str, str, str], StubReply] = OrderedDict()

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Connection(self), self.host, 0)

    def count(self, method: str = "", key: str = "") -> int:
        """How many requests came, all or those with this method or idempotency key."""
        return sum(1 for r in self.requests if method in ("", r.method) and key in ("", r.key))

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> StubReply:
        """Remembers a request and answers it; one with a known idempotency key gets its first answer again."""
        path = target.split("?", 1)[0]
        key = next((headers[name] for name in _KEY_HEADERS if name in headers), "")
        if len(self.requests) >= REMEMBERED_MAX:
            del self.requests[: REMEMBERED_MAX // 10]
        text = body[:2000].decode("utf-8", "replace")
        self.requests.append(StubRequest(time_s=time.monotonic(), method=method, path=target, key=key, body=text))
        again = self._by_key.get((method, path, key)) if key else None
        if again is not None:
            return again
        reply = self._configured(method, path, body) or self._by_contract(method, path, body)
        reply = reply or self._echo(method, path, body)
        if key and method not in ("GET", "HEAD"):
            _remember(self._by_key, (method, path, key), reply)
        return reply

    def _configured(self, method: str, path: str, body: bytes) -> StubReply | None:
        for answer in self._answers:
            if answer.method.upper() in ("*", method) and fnmatch.fnmatchcase(path, answer.path):
                text = _filled(answer.body, _json(body), self._fresh())
                return StubReply(status=answer.status, body=text.encode(), delay_s=answer.delay_s)
        return None

    def _by_contract(self, method: str, path: str, body: bytes) -> StubReply | None:
        operation = self._operation(method, path) if self._contract else None
        if operation is None:
            return None
        status, documented = successful(operation)
        if documented is None or not documented.schema or status == 204:
            return StubReply(status=status, body=b"" if status == 204 else b"{}")
        sent = _json(body)
        value = example(documented.schema, self._fresh, sent if isinstance(sent, dict) else None)
        return StubReply(status=status, body=json.dumps(value).encode())

    def _operation(self, method: str, path: str) -> Operation | None:
        assert self._contract is not None
        parts = path_shape(path).split("/")
        for operation in self._contract.operations:
            shape = path_shape(operation.path).split("/")
            fits = len(shape) == len(parts) and all(a in ("{}", b) for a, b in zip(shape, parts, strict=True))
            if fits and operation.method == method:
                return operation
        return None

    def _echo(self, method: str, path: str, body: bytes) -> StubReply:
        """What was sent, with an id; a later GET of that id finds it."""
        if method in ("GET", "HEAD"):
            return self._made.get(
                path.rstrip("/"), StubReply(status=200, body=_dumped({"id": path.rsplit("/", 1)[-1]}))
            )
        if method == "DELETE":
            return StubReply(status=204)
        sent = _json(body)
        value: dict[str, Any] = dict(sent) if isinstance(sent, dict) else {}
        value.setdefault("id", self._fresh())
        reply = StubReply(status=200, body=_dumped(value))
        _remember(self._made, f"{path.rstrip('/')}/{value['id']}", reply)
        return reply


def _remember(store: OrderedDict[Any, StubReply], key: Any, reply: StubReply) -> None:
    store[key] = reply
    while len(store) > REMEMBERED_MAX:
        store.popitem(last=False)


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _json(body: bytes) -> Any:
    """The body as JSON, or the fields of a form; {} when it is neither."""
    with contextlib.suppress(ValueError):
        return json.loads(body)
    from urllib.parse import parse_qsl  # noqa: PLC0415

    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _filled(text: str, sent: Any, identifier: str) -> str:
    """The template with {id} and {request.FIELD}; inside quotes a value is written without quotes of its own."""

    def replace(match: re.Match[str]) -> str:
        if match[1] == "id":
            value: Any = identifier
        else:
            value = sent
            for part in match[1].split(".")[1:]:
                value = value.get(part) if isinstance(value, dict) else None
        quoted = text[match.start() - 1 : match.start()] == '"' and text[match.end() : match.end() + 1] == '"'
        written = json.dumps(value)
        return written.strip('"') if quoted and isinstance(value, str) else written if not quoted else str(value)

    return _FIELD.sub(replace, text)


class _Connection(asyncio.Protocol):
    """One connection; requests on it are answered in turn."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._start()
        self._turn: asyncio.Task[None] | None = None

    def _start(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        if self._turn is not None:
            self._turn.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if self._transport is not None:
                self._transport.close()

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        if len(self._body) + len(body) <= BODY_BYTES_MAX:
            self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("ascii")
        keep = self._parser.should_keep_alive()
        reply = self._stub.answer(method, self._target.decode("latin-1"), self._headers, bytes(self._body))
        self._start()
        earlier = self._turn if self._turn is not None and not self._turn.done() else None
        if reply.delay_s <= 0 and earlier is None:
            self._write(reply, method, keep)
        else:
            self._turn = asyncio.get_running_loop().create_task(self._later(earlier, reply, method, keep))

    async def _later(self, earlier: asyncio.Task[None] | None, reply: StubReply, method: str, keep: bool) -> None:
        if earlier is not None:
            await earlier
        await asyncio.sleep(reply.delay_s)
        self._write(reply, method, keep)

    def _write(self, reply: StubReply, method: str, keep: bool) -> None:
        if self._transport is None:
            return
        head = f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Stub')}\r\n"
        if reply.status != 204:
            head += f"content-type: application/json\r\ncontent-length: {len(reply.body)}\r\n"
        head += f"connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        body = b"" if method == "HEAD" or reply.status == 204 else reply.body
        self._transport.write(head.encode("latin-1") + body)
        if not keep:
            self._transport.close()
