"""The script of every operation and job, with ids that mean one text each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from msgspec.structs import replace

from nines.model.blueprint import Action, Blueprint, Operation
from nines.model.design import Design, FlowStep
from nines.planning.data import facts
from nines.planning.data.names import kebab
from nines.planning.flows import callers, linking, reading, sagas, signing, working, writing
from nines.planning.flows.draft import Draft, Script
from nines.planning.flows.statement import Statement

Named: TypeAlias = dict[tuple[str, str], str]
"""The final id of each id and text."""


def operation_scripts(design: Design) -> tuple[Script, ...]:
    if design.blueprint is None:
        return ()
    own = tuple(_operation(design, design.blueprint, each) for each in design.blueprint.operations)
    return (*own, *callers.scripts(design.blueprint, design.tables))


def job_works(design: Design) -> tuple[working.Work, ...]:
    return tuple(working.works(design.blueprint, design.tables)) if design.blueprint else ()


def named(scripts: Iterable[Script]) -> Named:
    """Two texts that came to the same id are told apart by the operation that sends the later one."""
    found: Named = {}
    taken: dict[str, str] = {}
    for script in scripts:
        for statement in script.statements:
            key = (statement.id, statement.text)
            if key in found:
                continue
            id = statement.id
            if id in taken:
                id = f"{statement.id}-in-{kebab(script.name)}"
            number = 2
            while id in taken:
                id = f"{statement.id}-in-{kebab(script.name)}-{number}"
                number += 1
            taken[id] = statement.text
            found[key] = id
    return found


def renamed(script: Script, names: Named) -> Script:
    """With the final ids, in its statements and in its steps."""
    texts = _texts(script)
    steps = tuple(
        replace(step, query=names[(step.query, texts[index])]) if step.query else step
        for index, step in enumerate(script.flow.steps)
    )
    statements = tuple(replace(each, id=names[(each.id, each.text)]) for each in script.statements)
    return replace(script, statements=statements, flow=replace(script.flow, steps=steps))


def _texts(script: Script) -> dict[int, str]:
    """The text behind the query of each step: the first statement with its id that no earlier step has taken."""
    left = list(script.statements)
    found: dict[int, str] = {}
    for index, step in enumerate(script.flow.steps):
        if step.query:
            statement = _take(left, step)
            found[index] = statement.text
    return found


def _take(left: list[Statement], step: FlowStep) -> Statement:
    at = next(index for index, each in enumerate(left) if each.id == step.query)
    return left.pop(at)


def _operation(design: Design, blueprint: Blueprint, operation: Operation) -> Script:
    endpoint = design.endpoint(operation.name)
    success = endpoint.success if endpoint else None
    draft = Draft(
        blueprint,
        design.tables,
        operation.name,
        status=success.status if success else None,
        grants=endpoint.grants if endpoint else (),
    )
    resource = blueprint.resource(operation.on)
    account = facts.account_of(blueprint)
    if operation.do in signing.ACTIONS:
        if account is not None:
            signing.sign(draft, operation, account)
        else:
            writing.custom(draft, operation, resource, has_object=False)
    elif operation.saga:
        sagas.orchestrate(draft, operation, resource)
    elif resource is None or operation.do is Action.CUSTOM:
        if endpoint is not None and endpoint.is_safe:
            reading.custom(draft, operation, resource)
        else:
            has_object = resource is not None and (endpoint is None or "{" in endpoint.path)
            writing.custom(draft, operation, resource, has_object=has_object)
    else:
        _on_resource[operation.do](draft, operation, resource)
        linking.link(draft, operation, resource)
    return draft.done()


_on_resource = {
    Action.CREATE: writing.create,
    Action.READ: reading.read,
    Action.LIST: reading.page,
    Action.UPDATE: writing.change,
    Action.DELETE: writing.remove,
    Action.TRANSITION: writing.move,
}


def statements(scripts: Iterable[Script]) -> Iterator[tuple[str, Statement]]:
    """Each with the operation or job that sends it."""
    for script in scripts:
        for statement in script.statements:
            yield script.name, statement
