"""One transaction is to span two services."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        here, there = blueprint.module_of(operation.on), blueprint.module_of(operation.posts)
        if not operation.posts or here == there or operation.saga:
            continue
        if not any(module is not None and module.is_separate for module in (here, there)):
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}.posts",
            f"{operation.name} changes {operation.on} ({here.name if here else 'the rest'}) and posts to "
            f"{operation.posts} ({there.name if there else 'the rest'}), which have databases of their own: one may "
            "commit without the other",
            (
                option("both in one module", "one transaction", "they are deployed together", "money hangs on it"),
                option(
                    "an event through the outbox, from which the other posts",
                    "both happen, one a little later",
                    "readers may see one without the other for a moment",
                ),
                option("a saga", "each step is undone when a later one fails", "more states, and more to try"),
            ),
        )
    yield from _deletions(blueprint)


def _deletions(blueprint: Blueprint) -> Iterator[Objection]:
    """For references whose on_delete no database carries out."""
    for resource in blueprint.resources:
        for field in resource.fields:
            here, there = blueprint.module_of(resource.name), blueprint.module_of(field.of)
            path = f"resources.{resource.name}.fields.{field.name}.on_delete"
            is_said = dict(blueprint.places).get(path) is not None
            if here == there or not is_said or not any(m is not None and m.is_separate for m in (here, there)):
                continue
            yield objection(
                __name__,
                blueprint,
                path,
                f"{resource.name}.{field.name} says what happens when a {field.of} goes, and that is in another "
                "database, which asks nobody",
                (
                    option(
                        "leave on_delete out", "the reference is an identifier, and may lead nowhere", "readers cope"
                    ),
                    option(f"an event when a {field.of} goes", "this service reacts", "a moment later"),
                ),
                is_fatal=False,
            )
