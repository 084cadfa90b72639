"""Tests of a built service: what the contract promises of every operation, tried on the service as it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nines.building.file import File
from nines.building.names import package
from nines.building.project import settings
from nines.building.python import Group, call, docstring, flat, laid, mapping, quoted
from nines.building.resources.facts import operation_of, thing_of
from nines.building.resources.hooks import is_hooked
from nines.building.resources.shapes import member
from nines.building.trials.texts import CONFTEST, CONTRACT
from nines.building.trials.visiting import running
from nines.model.blueprint import OF_ACCOUNTS, Action, FieldKind
from nines.model.design import Design, PlannedEndpoint


def write(design: Design) -> Iterator[File]:
    yield File(path="tests/__init__.py", text="", is_owned=True)
    yield File(path="tests/unit/__init__.py", text="", is_owned=True)
    yield File(path="tests/unit/test_settings.py", text=_unit(design), is_owned=True)
    yield File(path="tests/contract/__init__.py", text="")
    yield File(path="tests/contract/running.py", text=running(design))
    yield File(path="tests/contract/conftest.py", text=CONFTEST)
    yield File(path="tests/contract/examples.py", text=_examples(design))
    yield File(path="tests/contract/test_contract.py", text=CONTRACT)


def _examples(design: Design) -> str:
    """What of the contract's examples no schema tells: what they refer to, and who else decides about them."""
    creations = [each for each in design.endpoints if each.method == "POST" and "{" not in each.path and each.request]
    # The names, passwords and codes of examples are nobody's: signing in is left to tests of its own.
    left = [each.id for each in design.endpoints if each.action in OF_ACCOUNTS and each.action is not Action.REGISTER]
    makes = {each.id: each.resource for each in creations if each.action in (Action.CREATE, Action.REGISTER)}
    refers = {each.id: dict(_references(design, each)) for each in creations if each.action is Action.CREATE}
    decided = [each.id for each in creations if _is_decided(design, each)]
    parts = (
        *_mapping("MAKES", ((key, quoted(value)) for key, value in makes.items()), "Which resource a creation makes."),
        *_mapping(
            "REFERS",
            ((key, flat(mapping((k, quoted(v)) for k, v in value.items()))) for key, value in refers.items() if value),
            "Which members of a creation's body name which other resource.",
            type="dict[str, dict[str, str]]",
        ),
        *_set("DECIDED", decided, "About these, functions of yours or other services decide too: they may refuse."),
        *_set("SIGNING_IN", left, "Examples hold nobody's name, password or code."),
    )
    head = ('"""How the examples of openapi.yaml hang together."""', "", "from __future__ import annotations", "")
    return "\n".join([*head, *parts, ""])


def _references(design: Design, endpoint: PlannedEndpoint) -> Iterator[tuple[str, str]]:
    thing = thing_of(design, endpoint.resource)
    shape = design.shape(endpoint.request)
    members = shape.schema.get("properties", {}) if shape else {}
    for field in thing.resource.fields if thing else ():
        if field.kind is FieldKind.REFERENCE and member(field) in members:
            yield member(field), field.of


def _is_decided(design: Design, endpoint: PlannedEndpoint) -> bool:
    operation = operation_of(design, endpoint)
    return operation is not None and bool(is_hooked(operation) or operation.calls or operation.saga)


def _mapping(name: str, pairs: Iterable[tuple[str, str]], says: str, type: str = "dict[str, str]") -> Iterator[str]:
    found = mapping(pairs)
    yield from laid(found, before=f"{name}: {type} = ") if found.parts else [f"{name}: {type} = {{}}"]
    yield from docstring(says)


def _set(name: str, ids: list[str], says: str) -> Iterator[str]:
    found = (Group(head="", parts=tuple(map(quoted, ids)), brackets="{}"),) if ids else ()
    yield from laid(call("frozenset", *found), before=f"{name}: frozenset[str] = ")
    yield from docstring(says)


def _unit(design: Design) -> str:
    name = package(design)
    required = [each.name for each in settings.settings(design) if not each.default]
    missing = "\n".join(f'    assert "{each}" in str(caught.value)' for each in required) or "    assert caught.value"
    return f'''"""Yours: tests of your own code, without a server and without a database."""

from __future__ import annotations

import pytest
from nines_runtime import SettingsError, read_settings

from {name}.settings import Settings


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(Settings, {{}})
{missing}
'''
