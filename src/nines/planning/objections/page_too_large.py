"""One page of a list is more than a caller can take."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint
from nines.model.design import Objection
from nines.model.words import size
from nines.planning.objecting import objection, option

_BYTES_MAX = 1024**2


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    payload = blueprint.load.payload_bytes
    for operation in blueprint.operations:
        page = operation.page
        if operation.do is not Action.LIST or page is None or page.max * payload <= _BYTES_MAX:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}.page",
            f"a page of {operation.name} holds up to {page.max} × {size(payload)} = {size(page.max * payload)}: slow "
            "to make, and gone when the line breaks",
            (
                option(f"page: {{max: {max(1, _BYTES_MAX // payload)}}}", "at most 1 MiB", "more round trips"),
                option("a list that tells less of each", "small pages", "callers ask for those that they want whole"),
            ),
            is_fatal=False,
        )
