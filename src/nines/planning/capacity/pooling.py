"""Connections: how many every process holds, how many are busy, and how many the server allows."""

from __future__ import annotations

from nines.model.design import PoolPlan, ResourceUse
from nines.model.words import amount
from nines.planning.capacity import figures
from nines.planning.capacity.workload import PEAK, Workload


def pool(work: Workload, uses: tuple[ResourceUse, ...]) -> PoolPlan | None:
    database = work.database
    if database is None:
        return None
    most, size = work.replicas_max * len(work.parts), work.pool
    needed = sum(use.at_peak for use in uses if use.kind == "connections")
    allowed = (database.connections_max or figures.CONNECTIONS_USUAL) - figures.SERVER_RESERVED
    held = round(most * size * figures.SURGE)
    at_peak = round(work.processes_of_all(PEAK) * size * figures.SURGE)
    server = (
        f"{database.connections_max} - {figures.SERVER_RESERVED} reserved = {allowed}"
        if database.connections_max
        else f"{figures.CONNECTIONS_USUAL} (PostgreSQL's default) - {figures.SERVER_RESERVED} = {allowed}"
    )
    is_above = held > allowed
    parts = f" of all {len(work.parts)} parts" if len(work.parts) > 1 else ""
    says = (
        f"{most} processes{parts} at the most × {size} × {figures.SURGE:g} while deploying = {held}; {database.name} "
        f"allows {server}"
    )
    if is_above and at_peak <= allowed:
        says += (
            f". At the expected peak {work.processes_of_all(PEAK)} processes hold {at_peak}; only if all were scaled "
            f"to their most at once would the server refuse some: give the parts that need less a smaller most"
        )
    return PoolPlan(
        per_process=size,
        processes=most,
        connections_max=allowed + figures.SERVER_RESERVED,
        needed_at_peak=needed,
        server=database.name,
        held_at_most=held,
        is_pooler_needed=at_peak > allowed,
        says=f"{says}. {amount(needed)} are busy at the peak.",
    )
