"""`tests/contract/test_internal.py`: the service asked as another service would ask it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names
from nines.building.file import File
from nines.building.internal import serving
from nines.model.design import Design
from nines.model.design.protocol import PlannedProtocol


def write(design: Design) -> Iterator[File]:
    if design.protocol is not None:
        yield File(path="tests/contract/test_internal.py", text=_tests(design, design.protocol))


def _tests(design: Design, protocol: PlannedProtocol) -> str:
    name = names.package(design)
    is_spelled = bool(tuple(serving.spelled(protocol)))
    more, given = (", SPELLED", ", spelled=SPELLED") if is_spelled else ("", "")
    return f'''"""What {design.name}.proto promises of every method alike, asked as another service would ask."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from nines_runtime import Credential, Deadline, Declined, Unanswered, Why
from nines_runtime.grpc import GrpcClient, GrpcReply, Messages, Method

from {name}._generated.application import operations
from {name}._generated.internal import METHODS, PROTOCOL{more}
from tests.contract.running import ROOT, Service

MESSAGES = Messages.of(PROTOCOL{given})
OPERATIONS = {{each.id: each for each in operations}}
SECURED = [each for each in METHODS if not OPERATIONS[each.operation].is_public]
READS = [each for each in METHODS if each.path and OPERATIONS[each.operation].method == "GET"]


def named(method: Method) -> str:
    return method.rpc


def ask(service: Service, method: Method, credential: Mapping[str, str] | None = None) -> GrpcReply:
    """About something that is not there."""
    types = {{each.name: each.type for each in MESSAGES.fields[MESSAGES.rpcs[method.rpc].request]}}
    request = {{name: "x" if types[name] == "string" else 2_000_000_000 for name in method.path}}
    shown = [Credential(value.removeprefix("Bearer "), header=header) for header, value in (credential or {{}}).items()]

    async def asked() -> GrpcReply:
        address = f"grpc://127.0.0.1:{{service.grpc_port}}"
        async with GrpcClient(
            "itself", address, MESSAGES, timeout_s=10.0, credential=next(iter(shown), None)
        ) as client:
            return await client.ask(Deadline.after(20.0), method.rpc, request)

    return asyncio.run(asked())


def test_what_is_served_is_what_others_are_given() -> None:
    assert PROTOCOL.read_bytes() == (ROOT / PROTOCOL.name).read_bytes()


@pytest.mark.parametrize("method", SECURED, ids=named)
def test_whoever_does_not_show_who_they_are_is_refused(service: Service, method: Method) -> None:
    with pytest.raises(Unanswered) as caught:
        ask(service, method)
    assert caught.value.why is Why.CREDENTIAL


@pytest.mark.parametrize("method", READS, ids=named)
def test_what_is_not_there_is_not_found(service: Service, method: Method, credential: dict[str, str]) -> None:
    with pytest.raises(Declined) as caught:
        ask(service, method, credential)
    assert (caught.value.status, caught.value.reason_code) == (404, "not-found")
'''
