"""Personal data stands where nothing is ever changed or deleted."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option, personal_fields


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for resource in blueprint.resources:
        personal = personal_fields(blueprint, resource)
        if not resource.is_append_only or not personal:
            continue
        yield objection(
            __name__,
            blueprint,
            f"resources.{resource.name}",
            f"{resource.name} is only ever appended to and holds personal data ({listed(personal)}), which must be "
            "erased on request (GDPR, Art. 17)",
            (
                option(
                    "keep an identifier here, and the person in a resource that can be erased",
                    "entries stay as they are",
                    "one join where the person is shown",
                ),
                option(
                    "append_only: false",
                    "can be erased",
                    "entries can be changed as well, and the audit trail has to show that they were not",
                ),
            ),
        )
