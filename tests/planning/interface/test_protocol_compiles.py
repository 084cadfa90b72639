"""Operations as proto3: understood by protoc and by nines-runtime, whatever the blueprint; numbers that stay."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nines.checkers.contracts.numbers import changes_of, numbered, numbers_of
from nines.dossier.chapters.contract import proto
from nines.model.blueprint import OF_ACCOUNTS, Blueprint
from nines.model.design import Design
from nines.model.design.proto_text import proto_text
from nines.model.design.protocol import Numbers, PlannedMember, PlannedMessage, PlannedProtocol, PlannedRpc
from nines.planning import plan
from nines_runtime.grpc import Messages
from tests.dossier.designs import EXAMPLES, example
from tests.planning.blueprints import blueprints

INCLUDED = Path(protoc.__file__).parent / "_proto"


def asked(blueprint: Blueprint) -> Design:
    """The same over gRPC as well."""
    return plan(replace(blueprint, service=replace(blueprint.service, interfaces=("rest", "grpc"))))


def compiled(text: str) -> Any:
    """As protoc reads it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "it.proto").write_text(text)
        out = Path(folder) / "it.binpb"
        words = ["protoc", f"-I{folder}", f"-I{INCLUDED}", f"--descriptor_set_out={out}", "it.proto"]
        assert protoc.main(words) == 0, text
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0]


def check(design: Design) -> None:
    """Everything is there, under the same numbers for both readers."""
    served = [each for each in design.endpoints if each.action not in OF_ACCOUNTS]
    if not served:
        assert design.protocol is None
        return
    assert design.protocol is not None
    text = proto.text(design.protocol, design)
    theirs, ours = compiled(text), Messages(text)
    assert [each.operation for each in design.protocol.rpcs] == [each.id for each in served]
    assert [each.name for each in theirs.service[0].method] == list(ours.rpcs)
    assert {each.name: {f.name: f.number for f in each.field} for each in theirs.message_type} == {
        name: {field.name: field.number for field in fields} for name, fields in ours.fields.items()
    }
    for each in theirs.enum_type:
        assert each.value[0].name.endswith("_UNSPECIFIED")
    for rpc in design.protocol.rpcs:
        fields = {each.name for each in ours.fields.get(rpc.request, ())}
        assert {*rpc.path, *({rpc.body, rpc.mask} - {"", "*"})} <= fields
    assert theirs.package.endswith(f".{design.card.api}")


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_compiled(name: str) -> None:
    design = example(name)
    assert design.protocol is None
    assert design.blueprint is not None
    check(asked(design.blueprint))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(blueprints())
def test_any_blueprint_is_compiled(blueprint: Blueprint) -> None:
    check(asked(blueprint))


NAMES = st.sampled_from(["a", "b", "c", "d"])
TYPES = st.sampled_from(["string", "int32", "int64", "bool"])
VERSIONS = st.lists(st.dictionaries(NAMES, TYPES, max_size=4), min_size=1, max_size=8)


def version(members: dict[str, str]) -> PlannedProtocol:
    found = tuple(PlannedMember(name=name, type=kind) for name, kind in members.items())
    message = PlannedMessage(name="It", members=found)
    rpc = PlannedRpc(name="Do", operation="do", request="It", reply="It")
    return PlannedProtocol(package="it.v1", service="ItService", messages=(message,), rpcs=(rpc,))


def kept(protocol: PlannedProtocol, known: Numbers) -> Numbers:
    return numbers_of(replace(protocol, rpcs=()), known, ())


@given(VERSIONS)
def test_a_number_means_the_same_for_ever(versions: list[dict[str, str]]) -> None:
    known, meant = Numbers(), dict[int, tuple[str, str]]()
    for members in versions:
        protocol = numbered(version(members), known)
        message = protocol.messages[0]
        numbers = [each.number for each in message.members]
        assert len(set(numbers)) == len(numbers)
        assert not set(numbers) & {number for _, number in message.gone}
        for each in message.members:
            name, kind = meant.setdefault(each.number, (each.name, each.type))
            # A wider number has the same bytes.
            assert name == each.name
            assert kind == each.type or (kind, each.type) == ("int32", "int64")
            meant[each.number] = (each.name, each.type)
        assert set(meant) == set(numbers) | {number for _, number in message.gone}
        compiled(proto_text(protocol, head="It."))
        after = kept(protocol, known)
        had = {name: each.number for name, each in known.messages["It"].members.items()} if known.messages else {}
        has = {each.name: each.number for each in message.members}
        told = {each.where for each in changes_of(known, after)}
        assert told == {f"gRPC It.{name}" for name, number in had.items() if has.get(name) != number}
        known = after
