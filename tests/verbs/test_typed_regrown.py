"""Whatever changes in a blueprint: who asks for a graph or over gRPC goes on, or is told what breaks.

The oracles are others': graphql-core compares the schemas, protoc compiles the messages of both versions, and what an
old client sends is read by the new version and back."""

from __future__ import annotations

import importlib.resources
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from graphql import build_schema, find_breaking_changes
from grpc_tools import protoc
from msgspec.structs import replace

from nines.model.blueprint import Blueprint
from nines.planning.objections import object_to
from nines.readers import blueprint as blueprint_reader
from tests.verbs.kinds_more import EVERY
from tests.verbs.test_regenerating import delivered, tried

FROM = int(os.environ.get("NINES_CHANGES_FROM", "0"))
CHANGES = range(FROM, FROM + int(os.environ.get("NINES_CHANGES", "2")))
BUILDING = Path(__file__).parents[1] / "building"
SOURCES = (BUILDING / "graph/journeys.yaml", BUILDING / "internal/stays.yaml")
_SCALARS = {
    descriptor_pb2.FieldDescriptorProto.TYPE_STRING: "as it was",
    descriptor_pb2.FieldDescriptorProto.TYPE_INT32: 7,
    descriptor_pb2.FieldDescriptorProto.TYPE_INT64: 7_000_000_000,
    descriptor_pb2.FieldDescriptorProto.TYPE_BOOL: True,
}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Blueprint, Path]]:
    """Services that are asked in every language, built."""
    found = []
    for path in SOURCES:
        blueprint = blueprint_reader.read(path)
        blueprint = replace(blueprint, service=replace(blueprint.service, interfaces=("rest", "graphql", "grpc")))
        folder = tmp_path_factory.mktemp("typed") / "old"
        delivered(blueprint, folder)
        found.append((blueprint, folder))
    return found


@pytest.mark.parametrize("number", CHANGES)
def test_old_messages_and_old_queries_are_understood_or_the_break_is_told(
    number: int, bases: list[tuple[Blueprint, Path]], tmp_path: Path
) -> None:
    before, old = bases[(number + number // len(EVERY)) % len(bases)]
    name = list(EVERY)[number % len(EVERY)]
    after = EVERY[name](before, Random(number))
    if after is None or any(each.is_fatal for each in object_to(after.blueprint)):
        pytest.skip(f"{name} does not hold here")
    new = tmp_path / "new"
    shutil.copytree(old, new)
    told: dict[str, Any] = {"fills": dict(after.fills), "renames": dict(after.renames)}
    built, refusal = tried(after.blueprint, new, **told)
    if built is None and "would break" in refusal:
        built, refusal = tried(after.blueprint, new, **told, accept_breaking=True)
        assert built is None or any(each.is_breaking for each in built.changes)
    if built is None or any(each.is_breaking for each in built.changes):
        return
    schemas = [build_schema((each / "schema.graphql").read_text()) for each in (old, new)]
    assert not find_breaking_changes(*schemas), name
    was, now = (_messages(each) for each in (old, new))
    assert not was.keys() - now.keys(), name
    for message, make in was.items():
        sent = _full(make())
        read = now[message].FromString(sent.SerializeToString())
        assert make.FromString(read.SerializeToString()) == sent, (name, message)
        assert [field.name for field, _ in read.ListFields()] == [field.name for field, _ in sent.ListFields()]


def _messages(folder: Path) -> dict[str, Any]:
    """Every message of the service's own, compiled by protoc."""
    source = next(folder.glob("*.proto"))
    compiled = folder.parent / f"{folder.name}.pb"
    common = importlib.resources.files("grpc_tools") / "_proto"
    words = [
        "protoc",
        f"-I{folder}",
        f"-I{common}",
        "--include_imports",
        f"--descriptor_set_out={compiled}",
        source.name,
    ]
    assert protoc.main(words) == 0
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString(compiled.read_bytes()).file
    for each in files:
        pool.Add(each)
    own = next(each for each in files if each.name == source.name)
    names = [f"{own.package}.{each.name}" for each in own.message_type]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names}


def _full(message: Any) -> Any:
    """With a value for every plain member."""
    for field in message.DESCRIPTOR.fields:
        value = _SCALARS.get(field.type)
        if value is None:
            continue
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)
    return message
