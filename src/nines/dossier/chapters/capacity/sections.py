"""What the chapter tells of a designed and of a recovered service alike."""

from __future__ import annotations

from nines.dossier.markdown import bullets, code, heading, table
from nines.model.design import CapacityPlan


def assumptions(plan: CapacityPlan) -> list[str]:
    if not plan.assumptions:
        return []
    return [
        heading(2, "What was assumed, and what was measured"),
        "Where no source is given other than the word assumption, the figure is a cautious one of ours: measure before "
        "money hangs on it.",
        bullets(plan.assumptions),
    ]


def measures(plan: CapacityPlan) -> list[str]:
    rows = [(each.what, code(each.command), each.says) for each in plan.measures]
    if not rows:
        return []
    return [heading(2, "What to measure next"), table(("what", "how", ""), rows)]
