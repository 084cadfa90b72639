"""What a given rate would take, for a service of which nobody said how much is asked of it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.design import Design, Need, PlannedEndpoint, StepKind
from nines.model.words import amount, moment
from nines.planning.capacity.asking import endpoint_piece
from nines.planning.capacity.pieces import Piece
from nines.planning.capacity.telling import cores

RATE_HZ = 100.0
_TELLING = (StepKind.QUERY, StepKind.CALL, StepKind.COMMIT, StepKind.PUBLISH, StepKind.CACHE, StepKind.ENQUEUE)


def needs(design: Design) -> tuple[Need, ...]:
    """One for each operation whose steps are known, the one that asks most of the database first."""
    found = [_need(design, endpoint) for endpoint in design.endpoints if _is_known(endpoint)]
    return tuple(sorted(found, key=lambda need: (-need.connections, -need.processors, need.operation)))


def _is_known(endpoint: PlannedEndpoint) -> bool:
    return any(step.kind in _TELLING for step in endpoint.flow.steps)


def _need(design: Design, endpoint: PlannedEndpoint) -> Need:
    piece = endpoint_piece(design, endpoint)
    return Need(
        operation=endpoint.id,
        processors=RATE_HZ * piece.cpu_s,
        connections=RATE_HZ * piece.held_s,
        writes=RATE_HZ * piece.commits,
        says="; ".join(_says(piece, endpoint)),
    )


def _says(piece: Piece, endpoint: PlannedEndpoint) -> Iterator[str]:
    yield f"{RATE_HZ:.0f}/s × {moment(piece.cpu_s)} = {cores(RATE_HZ * piece.cpu_s)}"
    if piece.held_s:
        yield f"{RATE_HZ:.0f}/s × {moment(piece.held_s)} = {amount(RATE_HZ * piece.held_s)} connections"
    for target in dict.fromkeys(step.target for step in endpoint.flow.calls):
        is_held = any(step.target == target and step.transaction is not None for step in endpoint.flow.calls)
        held = ", and the connection is held meanwhile: add that time" if is_held else ""
        yield f"the caller waits for {target} besides, for as long as nobody said{held}"
    if any(step.is_repeated for step in endpoint.flow.steps):
        yield "a step is repeated for each row, and how many rows there are is not known: taken as two"
    if not endpoint.flow.is_complete:
        yield "at least, for not all of its steps were understood"
