"""Modules: the parts of a service, each with resources of its own."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import Module
from nines.readers.blueprint.combined import Listed
from nines.readers.blueprint.document import Mapping, Node
from nines.readers.blueprint.reading import Reading
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Flag, Text
from nines.readers.blueprint.vocabulary import names

_MODULE = Keys(
    "module",
    "A part of the service with resources of its own.",
    (
        Key(
            name="resources",
            shape=Listed(names.RESOURCE, least=1),
            says="What only this part writes.",
            is_required=True,
        ),
        Key(
            name="separate",
            shape=Flag(),
            to="is_separate",
            says="It is deployed by itself; otherwise it is a module of one deployable.",
            default="false",
        ),
        Key(name="reason", shape=Text(), says="Why it is a part of its own."),
    ),
    dict,
)


def _module(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Module:
    return Module(name=name, place=reading.place(node.mark), **told)


MODULES = Table("modules", _MODULE, _module, pattern=names.KEBAB, style=names.KEBAB_STYLE, declares="module")


def owned_once(modules: tuple[Module, ...], node: Node, reading: Reading) -> tuple[Module, ...]:
    """Refuses a resource that two modules write."""
    owners: dict[str, str] = {}
    for module in modules:
        for resource in module.resources:
            other = owners.setdefault(resource, module.name)
            if other != module.name:
                at = node.get(module.name) if isinstance(node, Mapping) else None
                reading.report(
                    at or node, f"{resource} belongs to {other} and to {module.name}; only one part writes a resource"
                )
    return modules
