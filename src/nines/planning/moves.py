"""Who moves a resource from one state to another: operations, the settling of their calls, jobs, events and hooks."""

from __future__ import annotations

from typing import TypeAlias

from nines.model.blueprint import Action, Blueprint, Resource

_BY_PEOPLE = frozenset({Action.REGISTER, Action.VERIFY_CODE})
"""What an account does beside transitions: it is made, and its address is shown to be theirs."""

Moves: TypeAlias = set[tuple[str, str]]


def moves(blueprint: Blueprint, resource: Resource) -> frozenset[tuple[str, str]]:
    """The transitions of a resource, as (from, to), that something carries out."""
    found: set[tuple[str, str]] = set()
    allowed = {(state.name, to) for state in resource.states for to in state.to}
    first = resource.states[0].name if resource.states else ""
    for operation in blueprint.operations:
        if operation.on != resource.name:
            continue
        if operation.do is Action.TRANSITION:
            found |= {move for move in allowed if move[1] == operation.to_state}
            # A call that is refused for good settles the row as failed, where its state has such a way out.
            found |= {move for move in allowed if operation.calls and move[1] == "failed"}
        elif operation.do is Action.CREATE and operation.calls:
            found |= {move for move in allowed if move[0] == first}
        elif operation.do in _BY_PEOPLE:
            found |= {move for move in allowed if move == _verified(resource)}
        elif operation.do is Action.CUSTOM or (operation.do is Action.UPDATE and operation.hook):
            found |= allowed
    found |= _by_jobs(blueprint, resource, allowed) | _by_events(blueprint, resource, allowed)
    return frozenset(found & allowed)


def _by_jobs(blueprint: Blueprint, resource: Resource, allowed: Moves) -> Moves:
    found: Moves = set()
    for job in blueprint.jobs:
        if job.on != resource.name:
            continue
        ends = {job.to_state, job.failed_state} - {""}
        found |= {move for move in allowed if move[1] in ends and job.from_state in ("", move[0])}
        if job.hook and not job.to_state:
            found |= allowed
    return found


def _by_events(blueprint: Blueprint, resource: Resource, allowed: Moves) -> Moves:
    found: Moves = set()
    for consumer in blueprint.consumers:
        if consumer.on != resource.name:
            continue
        if consumer.to_state:
            found |= {move for move in allowed if move[1] == consumer.to_state}
        elif consumer.hook:
            found |= allowed
    return found


def _verified(resource: Resource) -> tuple[str, str]:
    first = resource.states[0]
    return first.name, first.to[0] if first.to else ""


def reachable(resource: Resource, steps: frozenset[tuple[str, str]]) -> frozenset[str]:
    """The states that a new row can come to by these transitions."""
    if not resource.states:
        return frozenset()
    found, waiting = {resource.states[0].name}, [resource.states[0].name]
    while waiting:
        here = waiting.pop()
        for start, end in sorted(steps):
            if start == here and end not in found:
                found.add(end)
                waiting.append(end)
    return frozenset(found)
