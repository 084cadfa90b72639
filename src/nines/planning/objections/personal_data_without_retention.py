"""Personal data is kept, and nobody says for how long."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option, personal_fields


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for resource in blueprint.resources:
        personal = personal_fields(blueprint, resource)
        is_said = resource.retention_s is not None
        is_for_ever = is_said and math.isinf(resource.retention_s or 0.0)
        if not personal or (is_said and not is_for_ever):
            continue
        says = "is kept for ever" if is_for_ever else "has no retention"
        yield objection(
            __name__,
            blueprint,
            f"resources.{resource.name}" + (".retention" if is_said else ""),
            f"{resource.name} holds personal data ({listed(personal)}) and {says}; GDPR, Art. 5(1)(e), allows no "
            "longer than its purpose needs",
            (
                option(
                    "retention: as long as a law or a contract demands (7y for invoices in many countries)",
                    "what must be proven can be proven",
                    "more to protect",
                    "money or a contract hangs on it",
                ),
                option(
                    "retention: 90d after which rows are deleted",
                    "what is not there cannot leak",
                    "later questions cannot be answered",
                    "it serves the day only",
                ),
                option(
                    "move the personal fields to a resource of their own, with a retention of its own",
                    "the rest stays for statistics",
                    "one more join where both are shown",
                ),
            ),
            is_fatal=not is_for_ever,
        )
