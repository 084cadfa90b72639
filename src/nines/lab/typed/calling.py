"""Calling over gRPC, with the library where it is installed beside nines: nothing else needs it."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from types import ModuleType
from typing import Any

from nines.lab.load.answer import PROTOCOL, REFUSED, TIMEOUT
from nines.model.record import Record

LIBRARY = "grpc"
ANSWER_BYTES_MAX = 16 * 1024 * 1024
TEXT_CHARS_MAX = 2_000
_STATUS_OF = {
    "OK": 200,
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "UNIMPLEMENTED": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "FAILED_PRECONDITION": 412,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""As google.rpc.Code maps them; INTERNAL, UNKNOWN and DATA_LOSS are failures of the service, hence 500."""
_NEVER_REACHED = ("failed to connect", "connection refused", "name resolution")


class TypedAnswer(Record):
    status: int | None = None
    """As HTTP would say it; None where nothing answered."""
    code: str = ""
    says: str = ""
    error: str = ""
    body_bytes: int = 0


class TypedClient:
    """Calls methods of one address; `close` after it. It must not be made where the library is not installed."""

    def __init__(self, host: str, port: int) -> None:
        self._address = f"{host}:{port}"
        self.url = f"http://{self._address}"
        self._grpc: ModuleType = importlib.import_module(LIBRARY)
        self._channel: Any = None

    async def call(
        self, path: str, body: bytes, metadata: tuple[tuple[str, str], ...], timeout_s: float
    ) -> TypedAnswer:
        """Never raises for what the service does."""
        return await asyncio.to_thread(self._call, path, body, metadata, timeout_s)

    def _call(self, path: str, body: bytes, metadata: tuple[tuple[str, str], ...], timeout_s: float) -> TypedAnswer:
        if self._channel is None:
            options = (
                ("grpc.max_receive_message_length", ANSWER_BYTES_MAX),
                ("grpc.enable_retries", 0),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 1_000),
            )
            self._channel = self._grpc.insecure_channel(self._address, options=options)
        method = self._channel.unary_unary(path)
        try:
            answer: bytes = method(body, timeout=timeout_s, metadata=metadata, wait_for_ready=False)
        except self._grpc.RpcError as error:
            return _failed(error.code().name, str(error.details() or ""))
        except (ValueError, TypeError) as error:
            return TypedAnswer(says=str(error)[:TEXT_CHARS_MAX], error=PROTOCOL)
        return TypedAnswer(status=_STATUS_OF["OK"], code="OK", body_bytes=len(answer))

    async def close(self) -> None:
        if self._channel is not None:
            channel, self._channel = self._channel, None
            await asyncio.to_thread(channel.close)


def is_installed() -> bool:
    return importlib.util.find_spec(LIBRARY) is not None


def _failed(code: str, says: str) -> TypedAnswer:
    text = says[:TEXT_CHARS_MAX]
    if code == "UNAVAILABLE" and any(words in says.lower() for words in _NEVER_REACHED):
        return TypedAnswer(code=code, says=text, error=REFUSED)
    if code == "DEADLINE_EXCEEDED":
        return TypedAnswer(code=code, says=text, error=TIMEOUT)
    return TypedAnswer(status=_STATUS_OF.get(code, 500), code=code, says=text)
