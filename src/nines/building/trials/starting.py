"""`tests/contract/conftest.py`: the service as it runs on a laptop, and the credential of somebody."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import python
from nines.building.names import package
from nines.building.project import credentials, settings
from nines.model.design import Design

_SOMEBODY = '"somebody@example.com"'
_PASSWORD = 'NEW_PASSWORD="correct horse battery staple"'  # noqa: S105 -- Of a service in a test.


def conftest(design: Design) -> str:
    name = package(design)
    imported, ports = "", ""
    if design.protocol is not None:
        imported, ports = "from nines_runtime.trials.internal import PORT\n", ", ports=(PORT,)"
    says, lines = _credential(design)
    return f'''"""One service for all tests of the contract, and somebody who asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nines_runtime.trials import Running, running
{imported}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def service() -> Iterator[Running]:
    with running("{name}", ROOT{ports}) as service:
        yield service


@pytest.fixture(scope="session")
def credential(service: Running) -> dict[str, str]:
    """{says}"""
{lines}
'''


def _credential(design: Design) -> tuple[str, str]:
    """What the headers say, and the lines that make them."""
    if settings.has_console(design):
        return "Of somebody whom an operator made, with every role that there is.", "\n".join(_of_console(design))
    minting = credentials.minting(design)
    if minting is None and credentials.is_open(design):
        return "Nobody shows who it is, so there is nothing to show.", "    return {}"
    if minting is None:
        return (
            "Of somebody who may do everything; people sign in here, which your own tests may do.",
            '    pytest.skip("nobody can be signed in without signing in")',
        )
    words = [
        minting.words[1].partition(".")[2],
        *minting.words[2:],
        *credentials.somebody(design, roles=",".join(role.name for role in design.roles)),
    ]
    made = python.laid(python.call("service.run", *map(python.quoted, words)), before="shown = ", depth=1)
    shown = f'f"{minting.before}{{shown}}"' if minting.before else "shown"
    return "Of somebody who may do everything.", "\n".join([*made, f'    return {{"{minting.header}": {shown}}}'])


def _of_console(design: Design) -> Iterator[str]:
    yield f'    service.run("people", "add", {_SOMEBODY}, {_PASSWORD})'
    for role in design.roles:
        yield f'    service.run("people", "grant", {_SOMEBODY}, {python.quoted(role.name)})'
    yield f'    shown = service.run("people", "token", {_SOMEBODY})'
    is_cookie = design.auth is not None and design.auth.scheme == "session"
    header = '"cookie": f"__Host-session={shown}"' if is_cookie else '"authorization": f"Bearer {shown}"'
    yield f"    return {{{header}}}"
