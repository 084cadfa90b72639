"""An event is to change an object, and nothing tells which one."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Consumer, Resource
from nines.model.design import Objection
from nines.planning.data import consuming, facts
from nines.planning.data.names import snake
from nines.planning.objecting import listed, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for consumer in blueprint.consumers:
        resource = blueprint.resource(consumer.on)
        if resource is None or consumer.do is Action.CREATE:
            continue
        says = _what_is_missing(blueprint, consumer, resource)
        if says:
            yield _objection(blueprint, consumer, resource, says)


def _what_is_missing(blueprint: Blueprint, consumer: Consumer, resource: Resource) -> str:
    found = consuming.finding(blueprint, consumer)
    if not consuming.found_by(blueprint, consumer):
        told = list(consuming.members(blueprint, consumer))
        has = f"tells {listed(told)}" if told else "tells nothing that is looked at"
        return f"{consumer.name} is about one {resource.name}, and {consumer.event} {has}: none of it refers to one"
    sealed = [name for name, _ in found if (field := resource.field(name)) and field.is_encrypted]
    if sealed:
        return f"{consumer.name} finds its {resource.name} by {listed(sealed)}, which is kept encrypted"
    named = {name for name, _ in found}
    tenant = facts.tenant_column(blueprint, resource)
    keys = [{"id"}, *(set(key) for key in resource.unique)]
    if any(key <= named for key in keys):
        return ""
    if any(key - {tenant} <= named for key in keys):
        return _of_any_tenant(consumer, resource, tenant)
    by = listed([name for name, _ in found])
    return f"{consumer.name} finds its {resource.name} by {by}, and several may have the same"


def _of_any_tenant(consumer: Consumer, resource: Resource, tenant: str) -> str:
    return (
        f"{consumer.name} finds its {resource.name} by what is unique for one {tenant} only, and {consumer.event} does "
        f"not tell {tenant}"
    )


def _objection(blueprint: Blueprint, consumer: Consumer, resource: Resource, says: str) -> Objection:
    noun = snake(resource.name)
    unique = next((key for key in resource.unique), (f"{noun}_number",))
    named = ", ".join(f"{part}: {part}" for part in unique)
    return objection(
        __name__,
        blueprint,
        f"consumes.{consumer.name}",
        says,
        (
            option(
                f"data: {{{noun}: {{ref: {resource.name}}}}}",
                f"its member {noun}_id names the {resource.name} by its identifier",
                f"whoever tells it has to know the {resource.name} by the identifier that it has here",
            ),
            option(
                f"find: {{{named}}}",
                "it is found by what both services know",
                "has to be unique, so that it is one and the same",
            ),
            option("do: custom, without on", "the owner's function finds out what it is about", "which then is yours"),
        ),
    )
