"""The life of each resource that has states: which operation or job makes which move."""

from __future__ import annotations

from nines.dossier.diagrams import Move, States
from nines.model.blueprint import Action, Blueprint, Operation, Resource
from nines.model.design import Design

_CREATING = (Action.CREATE, Action.REGISTER)
_FAILED = "failed"


def lives(design: Design) -> tuple[tuple[Resource, States], ...]:
    blueprint = design.blueprint
    if blueprint is None:
        return ()
    return tuple((each, _life(blueprint, each)) for each in blueprint.resources if each.states)


def unmade(life: States) -> tuple[Move, ...]:
    """Moves that are allowed, and that nothing in the blueprint makes."""
    return tuple(move for move in life.moves if not move.says)


def _life(blueprint: Blueprint, resource: Resource) -> States:
    names = tuple(dict.fromkeys(name for state in resource.states for name in (state.name, *state.to)))
    moves = tuple(
        Move(source=state.name, target=target, says=_by(blueprint, resource, state.name, target))
        for state in resource.states
        for target in dict.fromkeys(state.to)
    )
    made = [each.name for each in blueprint.operations if each.on == resource.name and each.do in _CREATING]
    return States(
        title=f"States of {resource.name}",
        says=f"{resource.name} begins as {names[0]}; states: {len(names)}, moves between them: {len(moves)}.",
        states=names,
        moves=moves,
        begins_by=", ".join(made),
    )


def _by(blueprint: Blueprint, resource: Resource, source: str, target: str) -> str:
    """The operations and jobs that make the move; a hook may make any, so it is named where nothing else is."""
    operations = [each for each in blueprint.operations if each.on == resource.name]
    jobs = [job for job in blueprint.jobs if job.on == resource.name and job.from_state in ("", source)]
    found = [by for each in operations if (by := _by_operation(each, resource, source, target))]
    found += [job.name for job in jobs if job.to_state == target]
    found += [f"{job.name} gave up" for job in jobs if job.failed_state == target]
    if not found:
        free = [
            each.name for each in operations if each.do is Action.CUSTOM or (each.do is Action.UPDATE and each.hook)
        ]
        found = [*free, *(job.name for job in jobs if job.hook and not job.to_state)]
    return ", ".join(dict.fromkeys(found))


def _by_operation(operation: Operation, resource: Resource, source: str, target: str) -> str:
    """A call that is refused for good settles the row as failed, where its state has such a way out."""
    first = resource.states[0]
    is_refused = bool(operation.calls) and target == _FAILED
    if operation.do is Action.TRANSITION and (operation.to_state == target or is_refused):
        return operation.name if operation.to_state == target else f"{operation.name} refused"
    if operation.do is Action.CREATE and operation.calls and source == first.name:
        return f"{operation.name} refused" if is_refused else operation.name
    is_shown = operation.do is Action.VERIFY_CODE and source == first.name and first.to[:1] == (target,)
    return operation.name if is_shown else ""
