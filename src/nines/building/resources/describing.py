"""What the docstring of an operation says, where the blueprint says nothing of it: more than its name does."""

from __future__ import annotations

from nines.building.resources.facts import Thing, operation_of, sources_of
from nines.building.resources.rows import article
from nines.model.blueprint import Action, GrantKind
from nines.model.design import PlannedEndpoint


def said(thing: Thing, endpoint: PlannedEndpoint) -> str:
    operation = operation_of(thing.design, endpoint)
    if operation is None or operation.says or operation.saga:
        return endpoint.summary
    one = article(thing.spoken)
    match endpoint.action:
        case Action.CREATE:
            return f"Makes {one}"
        case Action.READ:
            told = one
        case Action.LIST:
            told = f"A page of {thing.table.name.replace('_', ' ')}"
        case Action.UPDATE:
            told = f"Changes what is sent of {one}"
        case Action.DELETE:
            told = f"Removes {one}"
        case Action.TRANSITION:
            told = f"Moves {one} from {' or '.join(sources_of(thing, operation))} to {operation.to_state}"
        case _:
            return endpoint.summary
    return f"{told}{_whose(thing, endpoint)}"


def _whose(thing: Thing, endpoint: PlannedEndpoint) -> str:
    """Whose objects a caller reaches; empty: everybody's who comes so far."""
    kinds = {grant.kind for grant in endpoint.grants}
    own = {GrantKind.OWNER: "the caller's own", GrantKind.TENANT: "the tenant's"}
    found = [words for kind, words in own.items() if kind in kinds]
    if not found or kinds & {GrantKind.AUTHENTICATED, GrantKind.PUBLIC}:
        return ""
    roles = " or ".join(grant.role for grant in endpoint.grants if grant.kind is GrantKind.ROLE)
    everybody = "anybody's in the tenant" if thing.tenant else "anybody's"
    return f": {' or '.join(found)}{f', with the role {roles} {everybody}' if roles else ''}"
