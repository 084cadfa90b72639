"""What a .proto promises of every method alike, asked as another service would ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nines_runtime.calls.credential import Credential
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.outcome import Declined, Unanswered, Why
from nines_runtime.grpc import GrpcClient, GrpcReply, Messages, Method
from nines_runtime.trials.running import Running
from nines_runtime.web.operations import Operation, Operations

PORT = "GRPC_PORT"
"""The variable of which the service, and who asks it, take the port."""
_NOTHING_NUMBER = 2_000_000_000


class InternalPromises:
    """Messages and methods as the service has them, and as others are given them (`published`)."""

    def __init__(
        self,
        protocol: Path,
        methods: Iterable[Method],
        operations: Operations[Any],
        *,
        published: Path,
        spelled: Mapping[str, str] | None = None,
    ) -> None:
        self.protocol, self.published = protocol, published
        self.messages = Messages.of(protocol, spelled=spelled)
        self.methods = tuple(methods)
        self._operations = {each.id: each for each in operations}

    def kinds(self) -> dict[str, list[Method]]:
        """The methods of which a test is about each, by the argument that it takes."""
        return {
            "secured": [each for each in self.methods if not self._of(each).is_public],
            "reading": [each for each in self.methods if each.path and self._of(each).method == "GET"],
        }

    def _of(self, method: Method) -> Operation:
        return self._operations[method.operation]


class Internal:
    """Tests for a class of yours with `promises`. They take the fixtures that `Contract` takes; the service was started
    with `ports=(PORT,)`."""

    promises: ClassVar[InternalPromises]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for argument, methods in self.promises.kinds().items():
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, methods, ids=lambda method: method.rpc)

    def test_what_is_served_is_what_others_are_given(self) -> None:
        assert self.promises.protocol.read_bytes() == self.promises.published.read_bytes()

    def test_whoever_does_not_show_who_they_are_is_refused(self, service: Running, secured: Method) -> None:
        with pytest.raises(Unanswered) as caught:
            self._ask(service, secured)
        assert caught.value.why is Why.CREDENTIAL

    def test_what_is_not_there_is_not_found(
        self, service: Running, reading: Method, credential: dict[str, str]
    ) -> None:
        with pytest.raises(Declined) as caught:
            self._ask(service, reading, credential)
        assert (caught.value.status, caught.value.reason_code) == (404, "not-found")

    def _ask(self, service: Running, method: Method, credential: Mapping[str, str] | None = None) -> GrpcReply:
        """About something that is not there."""
        messages = self.promises.messages
        types = {each.name: each.type for each in messages.fields[messages.rpcs[method.rpc].request]}
        request = {name: "x" if types[name] == "string" else _NOTHING_NUMBER for name in method.path}
        shown = [
            Credential(value.removeprefix("Bearer "), header=header) for header, value in (credential or {}).items()
        ]

        async def asked() -> GrpcReply:
            address = f"grpc://127.0.0.1:{service.ports[PORT]}"
            async with GrpcClient(
                "itself", address, messages, timeout_s=10.0, credential=next(iter(shown), None)
            ) as client:
                return await client.ask(Deadline.after(20.0), method.rpc, request)

        return asyncio.run(asked())
