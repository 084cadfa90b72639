"""Registering and signing in through a graph, where nothing else lets anybody in."""

from __future__ import annotations

import msgspec

from nines.lab.graph.finding import FoundGraph
from nines.lab.graph.operations import operations_of
from nines.lab.requests.login import propose
from nines.lab.requests.sessions import TOKEN_NAMES
from nines.lab.requests.shapes import words
from nines.model.contract import Contract, Operation
from nines.model.graph import GraphSchema
from nines.model.settings import LoginSettings, Settings

DEPTH_MAX = 3


def with_doors(settings: Settings, graph: FoundGraph) -> Settings:
    """The settings with the mutations by which somebody becomes somebody; as they were where there are none."""
    if graph.schema is None or settings.login.is_given:
        return settings
    operations = operations_of(graph.schema, graph.endpoint, Contract())
    register, login = propose(Contract(operations=operations))
    by_path = {operation.path: operation for operation in operations if operation.method == "POST"}
    if login.path not in by_path:
        return settings
    register = settings.register if settings.register.path else _asked(register, by_path, graph.schema)
    return msgspec.structs.replace(settings, register=register, login=_asked(login, by_path, graph.schema))


def _asked(door: LoginSettings, by_path: dict[str, Operation], schema: GraphSchema) -> LoginSettings:
    """The same as a document with variables."""
    operation = by_path.get(door.path)
    if operation is None or operation.document is None:
        return LoginSettings()
    name = operation.id.partition(" ")[2]
    field = next((each for each in schema.mutations if each.name == name), None)
    token = _token_at(schema, field.type.name, 0) if field is not None else ""
    return msgspec.structs.replace(
        door,
        path=operation.document.endpoint,
        json={"query": operation.document.text, "variables": door.json},
        token=f"data.{name}.{token}" if token else f"data.{name}",
    )


def _token_at(schema: GraphSchema, type: str, depth: int) -> str:
    """The dotted path of the token in what a mutation shows, "" where the whole of it is the token."""
    found = schema.type(type)
    fields = found.fields if found is not None else ()
    plain = {"".join(words(each.name)): each for each in fields}
    for wanted in TOKEN_NAMES:
        if wanted in plain and not _members(schema, plain[wanted].type.name):
            return plain[wanted].name
    for each in fields if depth < DEPTH_MAX else ():
        deeper = _token_at(schema, each.type.name, depth + 1) if _members(schema, each.type.name) else ""
        if deeper:
            return f"{each.name}.{deeper}"
    return ""


def _members(schema: GraphSchema, type: str) -> bool:
    found = schema.type(type)
    return found is not None and bool(found.fields)
