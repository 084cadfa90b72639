"""A small exact HTTP client: one request and its whole answer, or several released at the same moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from nines.lab.load import meaning
from nines.lab.load.answer import REFUSED, TIMEOUT, Answer
from nines.lab.load.connection import Address, Connection, connect
from nines.lab.load.request import Request
from nines.model.errors import LabError

BODY_BYTES_MAX = 16 * 1024 * 1024
"""More of a body is read and counted, but not kept."""
IDLE_MAX = 16
"""Connections kept for the next request."""
TOGETHER_MAX = 512
SETTLE_S = 0.02
"""What is held back to the last byte gets this long to arrive, before the last bytes go."""
_TIMEOUT_S = 30.0

_Ending = tuple[str, str]


class Client:
    """Sends to one address and follows no redirects; never raises for what the service does.

    A connection is used again while it is surely open; a request is never sent twice."""

    def __init__(
        self,
        address: Address,
        *,
        clock: Callable[[], float] = time.monotonic,
        body_bytes_max: int = BODY_BYTES_MAX,
        keeps_connections: bool = True,
    ) -> None:
        self.address = address
        self._clock = clock
        self._body_bytes_max = body_bytes_max
        self._keeps_connections = keeps_connections
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, request: Request, timeout_s: float = _TIMEOUT_S) -> Answer:
        """One request and its answer; the time to connect counts."""
        start_s = self._clock()
        try:
            connection = self._take() or await self._connect(timeout_s)
        except OSError as error:
            return self._unsent(error, start_s)
        ending = self._expect(connection, request)
        sent_s = self._clock()
        connection.write(request.wire)
        left_s = timeout_s - (sent_s - start_s)
        is_graph = request.asked is not None
        answer = await self._answer(connection, ending, start_s, sent_s, left_s, is_graph=is_graph)
        self._keep(connection)
        return answer

    async def together(self, requests: Sequence[Request], timeout_s: float = _TIMEOUT_S) -> tuple[Answer, ...]:
        """All at the same moment, each on its own open connection; the answers in the order of the requests.

        Everything but the last byte of each request is sent first; the last bytes follow in one tight loop, so that the
        service learns of all requests within microseconds. The answers' times count from that moment."""
        if len(requests) > TOGETHER_MAX:
            raise LabError(
                f"{len(requests)} requests together", hint=f"At most {TOGETHER_MAX} can be released at once."
            )
        start_s = self._clock()
        opened = await asyncio.gather(*(self._connect(timeout_s) for _ in requests), return_exceptions=True)
        ready: list[tuple[int, Connection, asyncio.Future[_Ending], Request]] = []
        answers: list[Answer | None] = [None] * len(requests)
        for index, (connection, request) in enumerate(zip(opened, requests, strict=True)):
            if isinstance(connection, Connection):
                ready.append((index, connection, self._expect(connection, request), request))
            elif isinstance(connection, OSError):
                answers[index] = self._unsent(connection, start_s)
            else:
                raise connection
        for _, connection, _, request in ready:
            connection.write(request.wire[:-1])
        await asyncio.sleep(SETTLE_S)
        release_s = self._clock()
        sent = [self._release(connection, request) for _, connection, _, request in ready]
        results = await asyncio.gather(
            *(
                self._answer(connection, ending, release_s, sent_s, timeout_s, is_graph=request.asked is not None)
                for (_, connection, ending, request), sent_s in zip(ready, sent, strict=True)
            )
        )
        for (index, connection, _, _), answer in zip(ready, results, strict=True):
            answers[index] = answer
            # A service may have answered before the last byte: such a connection is not in a state to be used again.
            connection.abort()
        return tuple(answer for answer in answers if answer is not None)

    async def close(self) -> None:
        """Closes every connection."""
        for connection in (*self._idle, *self._busy):
            connection.abort()
        self._idle.clear()
        self._busy.clear()
        # The loop needs one turn to carry out the aborts.
        await asyncio.sleep(0)

    def _release(self, connection: Connection, request: Request) -> float:
        if connection.is_open:
            connection.write(request.wire[-1:])
        return self._clock()

    async def _connect(self, timeout_s: float) -> Connection:
        return await connect(self.address, self, body_max=self._body_bytes_max, timeout_s=timeout_s)

    def _take(self) -> Connection | None:
        now = self._clock()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_fit(now):
                return connection
            connection.abort()
        return None

    def _expect(self, connection: Connection, request: Request) -> asyncio.Future[_Ending]:
        ending: asyncio.Future[_Ending] = asyncio.get_running_loop().create_future()
        connection.expect(ending, is_head_request=request.sent.method == "HEAD")
        self._busy.add(connection)
        return ending

    async def _answer(
        self,
        connection: Connection,
        ending: asyncio.Future[_Ending],
        intended_s: float,
        sent_s: float,
        timeout_s: float,
        *,
        is_graph: bool,
    ) -> Answer:
        reader = connection.reader
        try:
            async with asyncio.timeout(max(timeout_s, 0.0)):
                error, detail = await ending
        except TimeoutError:
            error, detail = TIMEOUT, f"no complete answer within {timeout_s:.3g} s"
        finally:
            self._busy.discard(connection)
            if not ending.done() or ending.cancelled():
                connection.abort()
        ended_s = self._clock()
        headers = reader.decoded_headers()
        status = reader.status
        if is_graph:
            status = meaning.status_of(status, reader.body)
            tag = meaning.tag_of(reader.body)
            headers = (*headers, ("etag", tag)) if tag else headers
        return Answer(
            status=status,
            headers=headers,
            body=reader.body,
            body_bytes=reader.body_bytes,
            error=error,
            detail=detail,
            was_sent=True,
            intended_s=intended_s,
            sent_s=sent_s,
            ended_s=ended_s,
        )

    def _keep(self, connection: Connection) -> None:
        if not connection.is_open:
            return
        if self._keeps_connections and len(self._idle) < IDLE_MAX:
            connection.idle_since_s = self._clock()
            self._idle.append(connection)
        else:
            connection.abort()

    def _unsent(self, error: OSError, start_s: float) -> Answer:
        kind = TIMEOUT if isinstance(error, TimeoutError) else REFUSED
        return Answer(error=kind, detail=str(error), intended_s=start_s, sent_s=start_s, ended_s=self._clock())

    def answered(self, connection: Connection) -> None:
        _settle(connection, "", "")

    def broke(self, connection: Connection, error: str, detail: str) -> None:
        _settle(connection, error, detail)

    def closed(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)


def _settle(connection: Connection, error: str, detail: str) -> None:
    ending: asyncio.Future[_Ending] | None = connection.user
    connection.user = None
    if ending is not None and not ending.done():
        ending.set_result((error, detail))
