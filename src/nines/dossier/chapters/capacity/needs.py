"""The chapter of a service of which nobody said how much is asked of it: formulas instead of a verdict."""

from __future__ import annotations

from nines.dossier import words
from nines.dossier.chapters.capacity import sections
from nines.dossier.markdown import bullets, code, heading, page, table
from nines.model.design import CapacityPlan, Design, Need

_SHOWN_MAX = 40


def text(design: Design, plan: CapacityPlan) -> str:
    return page(
        heading(1, "Capacity and bottlenecks"),
        _opening(design, plan),
        *_table(plan),
        heading(2, "How to use it"),
        _use(design),
        *sections.assumptions(plan),
        *sections.measures(plan),
    )


def _opening(design: Design, plan: CapacityPlan) -> str:
    known = f"{len(plan.needs):,} of {len(design.endpoints):,}"
    return (
        f"Reading the code tells what a request of {code(design.name)} does, not how many requests come: no load is "
        f"invented here, and no bottleneck named. The steps of {known} operations were understood, wholly or in part; "
        "the "
        "table tells what each of them would take at 100/s."
    )


def _table(plan: CapacityPlan) -> list[str]:
    if not plan.needs:
        return []
    shown = plan.needs[:_SHOWN_MAX]
    more = len(plan.needs) - len(shown)
    rows = [_row(need) for need in shown]
    rest = f"{more:,} more operations take less; all are in {code('capacity.json')}." if more else ""
    columns = ("operation", "cores busy", "connections busy", "commits", "how it comes about")
    return [heading(2, "What 100/s take"), table(columns, rows), rest]


def _row(need: Need) -> tuple[str, ...]:
    return (
        code(need.operation),
        words.amount(need.processors),
        words.amount(need.connections),
        f"{words.amount(need.writes)}/s" if need.writes else "",
        need.says,
    )


def _use(design: Design) -> str:
    cpu = design.deploy.cpu
    return bullets(
        [
            "With a rate of r a second each figure is r / 100 times the one in the table; those of operations add up.",
            f"Processes: sum of cores / ({cpu:g} core{'' if cpu == 1 else 's'} of a process × 0.6), for one of three "
            "zones may go.",
            "Pool of each process: sum of connections / processes / 0.8, for above that waiting for one takes over.",
            "Processes × pool × 1.25 stays below what the server allows, less 3: a rolling deployment runs a quarter "
            "more.",
            "One primary takes about 10,000 commits a second; a service that comes near writes in groups.",
        ]
    )
