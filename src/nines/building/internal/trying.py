"""`tests/contract/test_internal.py`: the service asked as another service would ask it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
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
    more, given = (", SPELLED", ("spelled=SPELLED",)) if is_spelled else ("", ())
    made = python.call(
        "InternalPromises", "PROTOCOL", "METHODS", "operations", "published=ROOT / PROTOCOL.name", *given
    )
    promises = "\n".join(python.laid(made, before="promises = ", depth=1))
    return f'''"""What {design.name}.proto promises of every method alike, asked as another service would ask."""

from __future__ import annotations

from pathlib import Path

from nines_runtime.trials.internal import Internal, InternalPromises

from {name}._generated.application import operations
from {name}._generated.internal import METHODS, PROTOCOL{more}

ROOT = Path(__file__).parents[2]


class TestInternal(Internal):
    """Its tests are those of every service that others ask."""

{promises}
'''
