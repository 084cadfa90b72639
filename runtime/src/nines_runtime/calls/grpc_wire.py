"""One attempt over gRPC, told in the words of HTTP, so that all else is judged alike (extra `grpc`)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any

import grpc
import grpc.aio
import msgspec

from nines_runtime.calls.attempt import CONNECT_S, DNS_CACHE_S, RETRY_AFTER_MAX_S, Attempt, Message
from nines_runtime.calls.deadline import DEADLINE_HEADER
from nines_runtime.calls.egress import Egress, EgressRefused, GuardedResolver
from nines_runtime.calls.grpc_status import DETAILS, STATUS_OF, trouble_of
from nines_runtime.calls.observer import FAILED, OK, REFUSED, TIMEOUT
from nines_runtime.calls.outcome import Why

PINGED_EVERY_S = 30.0
PING_S_MAX = 5.0
BACKOFF_S = (0.1, 2.0)
"""Between attempts to connect: the first wait and the longest."""
CLOSE_S = 30.0
"""How long calls on an old connection may still take."""
METADATA_BYTES_MAX = 65_536
_LIMITED_BY_SIZE = "message larger than max"
_encode = msgspec.json.Encoder().encode


class GrpcWire:
    """Connections to every address that the name leads to, in turn; looked up again now and then."""

    def __init__(
        self,
        host: str,
        port: int,
        egress: Egress,
        *,
        answer_bytes_max: int,
        credentials: grpc.ChannelCredentials | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._host, self._port = host, port
        self._resolver = GuardedResolver(egress)
        self._answer_bytes_max = answer_bytes_max
        self._credentials = credentials
        self._clock = clock
        self._channel: Any = None
        self._target = ""
        self._calls: dict[str, Any] = {}
        self._resolved_at_s = float(-DNS_CACHE_S)
        self._renewing: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        channel, self._channel, self._calls = self._channel, None, {}
        waiting = [*self._closing, *([self._renewing] if self._renewing is not None else [])]
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if channel is not None:
            await channel.close()

    async def attempt(self, message: Message, *, limit_s: float) -> Attempt:
        """Never raises for what the network or the other side does; only cancellation passes."""
        attempt = Attempt()
        until_s = self._clock() + limit_s
        try:
            await self._carry_out(attempt, message, until_s)
        except TimeoutError:
            attempt.why, attempt.outcome, attempt.is_repeatable = Why.TIMEOUT, TIMEOUT, True
        except EgressRefused:
            attempt.why, attempt.outcome = Why.EGRESS, FAILED
        except grpc.aio.AioRpcError as error:
            _judge(attempt, error)
        except (OSError, grpc.aio.UsageError):
            attempt.why, attempt.outcome, attempt.is_repeatable = Why.CONNECTION, FAILED, True
        return attempt

    async def _carry_out(self, attempt: Attempt, message: Message, until_s: float) -> None:
        async with asyncio.timeout(min(CONNECT_S, until_s - self._clock())):
            channel = await self._connected()
        # From here on it may have been read.
        attempt.reached = True
        path = str(message.url)
        ask = self._calls.get(path)
        if ask is None:
            ask = self._calls[path] = channel.unary_unary(path)
        left_s = until_s - self._clock()
        # How long the caller waits is told by the timeout.
        metadata = tuple(each for each in message.headers.items() if each[0] != DEADLINE_HEADER)
        call = ask(message.body or b"", timeout=max(0.001, left_s), metadata=metadata)
        attempt.body = await call
        attempt.status, attempt.outcome = 200, OK
        attempt.headers = {
            str(key): value for key, value in (await call.trailing_metadata() or ()) if isinstance(value, str)
        }

    async def _connected(self) -> Any:
        """A channel that is ready; raises OSError where nobody could be reached."""
        if self._renewing is None and (self._channel is None or self._clock() - self._resolved_at_s >= DNS_CACHE_S):
            self._renewing = asyncio.get_running_loop().create_task(self._renew())
            self._renewing.add_done_callback(self._renewed)
        if self._channel is None and self._renewing is not None:
            # Those who ask meanwhile wait for the same answer; later ones go on with the connections that there are.
            await asyncio.shield(self._renewing)
        channel = self._channel
        state = channel.get_state(try_to_connect=True)
        while state is not grpc.ChannelConnectivity.READY:
            if state in (grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN):
                raise ConnectionRefusedError("nobody could be reached")
            await channel.wait_for_state_change(state)
            state = channel.get_state(try_to_connect=True)
        return channel

    async def _renew(self) -> None:
        """A name that leads elsewhere gets connections of its own; raises OSError where it leads nowhere."""
        try:
            target = await self._resolve()
        except EgressRefused:
            self._retire()
            raise
        except OSError:
            if self._channel is None:
                raise
            # Nobody could say where it is, and where it was is known.
            self._resolved_at_s = self._clock()
            return
        if target != self._target or self._channel is None:
            self._retire()
            self._channel, self._target = self._open(target), target

    def _renewed(self, task: asyncio.Task[None]) -> None:
        self._renewing = None
        if not task.cancelled():
            # Whoever waits for it has it as well.
            task.exception()

    def _retire(self) -> None:
        """What is under way there may end."""
        old, self._channel, self._target, self._calls = self._channel, None, "", {}
        if old is not None:
            task = asyncio.get_running_loop().create_task(old.close(CLOSE_S))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _resolve(self) -> str:
        found = await self._resolver.resolve(self._host, self._port, socket.AF_UNSPEC)
        if not found:
            raise OSError(f"{self._host} has no address")
        self._resolved_at_s = self._clock()
        # One kind of address: a list cannot hold both.
        family = found[0]["family"]
        kind = "ipv6" if family == socket.AF_INET6 else "ipv4"
        hosts = sorted({each["host"] for each in found if each["family"] == family})
        shown = (f"[{each}]:{self._port}" if kind == "ipv6" else f"{each}:{self._port}" for each in hosts)
        return f"{kind}:{','.join(shown)}"

    def _open(self, target: str) -> Any:
        authority = f"[{self._host}]" if ":" in self._host else self._host
        options = (
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0),
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.lb_policy_name", "round_robin"),
            ("grpc.default_authority", f"{authority}:{self._port}"),
            ("grpc.max_receive_message_length", self._answer_bytes_max),
            ("grpc.max_metadata_size", METADATA_BYTES_MAX),
            ("grpc.keepalive_time_ms", int(PINGED_EVERY_S * 1_000)),
            ("grpc.keepalive_timeout_ms", int(PING_S_MAX * 1_000)),
            ("grpc.initial_reconnect_backoff_ms", int(BACKOFF_S[0] * 1_000)),
            ("grpc.min_reconnect_backoff_ms", int(BACKOFF_S[0] * 1_000)),
            ("grpc.max_reconnect_backoff_ms", int(BACKOFF_S[1] * 1_000)),
        )
        if self._credentials is None:
            return grpc.aio.insecure_channel(target, options=options)
        return grpc.aio.secure_channel(
            target, self._credentials, options=(*options, ("grpc.ssl_target_name_override", self._host))
        )


def _judge(attempt: Attempt, error: Any) -> None:
    code = error.code()
    trailing = dict(tuple(error.trailing_metadata() or ()))
    shown = trailing.get(DETAILS)
    told = trouble_of(shown) if isinstance(shown, bytes) else trouble_of(b"")
    attempt.retry_after_s = None if told.retry_after_s is None else min(told.retry_after_s, RETRY_AFTER_MAX_S)
    attempt.status = told.status or STATUS_OF.get(code, 500)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        attempt.status = told.status
        attempt.why, attempt.outcome, attempt.is_repeatable = Why.TIMEOUT, TIMEOUT, True
    elif code is grpc.StatusCode.RESOURCE_EXHAUSTED and _LIMITED_BY_SIZE in (error.details() or "").lower():
        attempt.why, attempt.outcome = Why.NOT_UNDERSTOOD, FAILED
    elif code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        attempt.why, attempt.outcome, attempt.is_repeatable = Why.THROTTLED, REFUSED, True
    elif code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        attempt.why, attempt.outcome = Why.CREDENTIAL, REFUSED
    elif code is grpc.StatusCode.UNIMPLEMENTED:
        attempt.why, attempt.outcome = Why.NOT_UNDERSTOOD, REFUSED
    elif code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        why = Why.FAILED if told.reason else Why.CONNECTION
        attempt.status = told.status
        attempt.why, attempt.outcome, attempt.is_repeatable = why, FAILED, True
    elif attempt.status >= 500:
        attempt.why, attempt.outcome, attempt.is_repeatable = Why.FAILED, FAILED, True
    else:
        attempt.outcome = REFUSED
        attempt.body = _encode({"detail": error.details() or "", "code": told.reason or code.name.lower()})
