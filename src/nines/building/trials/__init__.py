"""Tests of a built service: what the contract promises of every operation, tried on the service as it runs.

The tests themselves are the runtime's (`nines_runtime.trials`), the same for every service; what is written here is how
this one is started, who may do everything, and how the examples of its contract hang together."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import python
from nines.building.file import File
from nines.building.names import package
from nines.building.project import settings
from nines.building.python import quoted
from nines.building.resources.facts import operation_of, thing_of
from nines.building.resources.hooks import is_hooked
from nines.building.resources.shapes import member
from nines.building.trials import starting
from nines.model.blueprint import OF_ACCOUNTS, Action, FieldKind
from nines.model.design import Design, PlannedEndpoint


def write(design: Design) -> Iterator[File]:
    yield File(path="tests/__init__.py", text="", is_owned=True)
    yield File(path="tests/unit/__init__.py", text="", is_owned=True)
    yield File(path="tests/unit/test_settings.py", text=_unit(design), is_owned=True)
    yield File(path="tests/contract/__init__.py", text="")
    yield File(path="tests/contract/conftest.py", text=starting.conftest(design))
    yield File(path="tests/contract/test_contract.py", text=_contract(design))


def _contract(design: Design) -> str:
    promises = "\n".join(python.laid(_promises(design), before="promises = ", depth=1))
    return f'''"""What openapi.yaml promises of every operation alike, and each creation with its own example."""

from __future__ import annotations

from pathlib import Path

from nines_runtime.trials import Contract, Promises

ROOT = Path(__file__).parents[2]


class TestContract(Contract):
    """Its tests are those of every service; `promises` tells how the examples of this one hang together."""

{promises}
'''


def _promises(design: Design) -> python.Group:
    """What of the contract's examples no schema tells: what they refer to, and who else decides about them."""
    creations = [each for each in design.endpoints if each.method == "POST" and "{" not in each.path and each.request]
    # The names, passwords and codes of examples are nobody's: signing in is left to tests of its own.
    left = [each.id for each in design.endpoints if each.action in OF_ACCOUNTS and each.action is not Action.REGISTER]
    makes = [(e.id, quoted(e.resource)) for e in creations if e.action in (Action.CREATE, Action.REGISTER)]
    refers = {each.id: dict(_references(design, each)) for each in creations if each.action is Action.CREATE}
    decided = [each.id for each in creations if _is_decided(design, each)]
    told = {
        "makes": python.mapping(makes),
        "refers": python.mapping(
            (key, python.flat(python.mapping((k, quoted(v)) for k, v in value.items())))
            for key, value in refers.items()
            if value
        ),
        "decided": python.row(*map(quoted, decided)),
        "signing_in": python.row(*map(quoted, left)),
    }
    given = (python.named(name, value) for name, value in told.items() if value.parts)
    return python.call("Promises", 'ROOT / "openapi.yaml"', *given)


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


def _unit(design: Design) -> str:
    name = package(design)
    required = [each.name for each in settings.settings(design) if not each.default]
    missing = (
        "\n".join(python.laid(python.row(*map(quoted, required)), before="for name in ", after=":", depth=1))
        + "\n        assert name in str(caught.value)"
        if required
        else "    assert caught.value"
    )
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
