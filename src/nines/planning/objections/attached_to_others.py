"""Whoever may see an object may add parts to it, although only its owner may change it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Field, FieldKind, GrantKind, OnDelete, Operation, Resource
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option

_WIDE = (GrantKind.TENANT, GrantKind.AUTHENTICATED, GrantKind.PUBLIC)


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        resource = blueprint.resource(operation.on)
        if operation.do is not Action.CREATE or operation.hook or resource is None:
            continue
        for field in resource.fields:
            whole = _whole(blueprint, operation, field)
            if whole is None:
                continue
            yield objection(
                __name__,
                blueprint,
                f"operations.{operation.name}",
                f"{operation.name} lets {listed(operation.roles)} add a {resource.name} to the {whole.name} of "
                f"somebody else: a reference asks who may read a {whole.name}, and only its owner may change one "
                "(API1:2023)",
                (
                    option(
                        "hook: a function that refuses where owner_id is another's",
                        f"only owners add to their own {whole.name}",
                        "a few lines of Python, and a test",
                    ),
                    option(
                        "leave it",
                        "nothing to write",
                        f"others can fill a {whole.name}",
                        f"a {resource.name} is what others have to say about a {whole.name}",
                    ),
                ),
                is_fatal=False,
            )


def _whole(blueprint: Blueprint, operation: Operation, field: Field) -> Resource | None:
    """What the new object becomes a part of, where the same people make both and many see what only one may change."""
    is_part = field.kind is FieldKind.REFERENCE and field.on_delete is OnDelete.CASCADE and not field.is_read_only
    found = blueprint.resource(field.of) if is_part else None
    if found is None or not operation.roles:
        return None
    owned = bool(found.access.write) and all(each.kind is GrantKind.OWNER for each in found.access.write)
    is_seen = any(each.kind in _WIDE for each in found.access.read)
    makers = [each.roles for each in blueprint.operations if each.on == found.name and each.do is Action.CREATE]
    is_shared = any(set(operation.roles) <= set(roles) for roles in makers)
    return found if owned and is_seen and is_shared else None
