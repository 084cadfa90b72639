"""What crosses a trust boundary is not encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for each in blueprint.dependencies:
        if not each.is_external or not each.url.lower().startswith("http://"):
            continue
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{each.name}.url",
            f"{each.name} is run by somebody else and is called over http://: whoever is on the way reads and "
            "changes it",
            (
                option("https://", "nobody on the way can", "a certificate that is checked"),
                option("a private line, and external: false", "nobody is on the way", "is paid for, and trusted"),
            ),
        )
