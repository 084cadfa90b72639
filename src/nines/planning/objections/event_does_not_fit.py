"""What an event tells cannot be kept as it is meant to be."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Consumer, Resource
from nines.model.design import Objection
from nines.planning.data import consuming
from nines.planning.data.columns import is_child
from nines.planning.objecting import listed, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for consumer in blueprint.consumers:
        resource = blueprint.resource(consumer.on)
        if resource is None:
            continue
        yield from _other_kinds(blueprint, consumer, resource)
        if consumer.do is Action.CREATE:
            yield from _missing(blueprint, consumer, resource)
        elif resource.is_append_only:
            yield _appended(blueprint, consumer, resource)
        elif consumer.do is Action.UPDATE and not consumer.hook:
            yield from _nothing(blueprint, consumer, resource)


def _other_kinds(blueprint: Blueprint, consumer: Consumer, resource: Resource) -> Iterator[Objection]:
    told = consuming.members(blueprint, consumer)
    for name, member in consumer.sets:
        field = resource.field(name)
        if member not in told:
            says = f"{consumer.event} tells no {member}: it tells {listed(list(told))}"
        elif field is None or consuming.is_same_kind(told[member], field):
            continue
        elif is_child(field) or field.is_list:
            says = f"{name} of {resource.name} is a list; an event sets single values"
        else:
            is_told = told[member].of or told[member].kind
            says = f"{name} of {resource.name} holds {field.of or field.kind}, and {member} is {is_told}"
        yield objection(
            __name__,
            blueprint,
            f"consumes.{consumer.name}.set.{name}",
            says,
            (
                option(f"a member of the same kind for {name}", "is kept as it is told", "has to be told so"),
                option("hook: a function that takes it over", "may be turned into anything", "is yours to write"),
            ),
        )


def _missing(blueprint: Blueprint, consumer: Consumer, resource: Resource) -> Iterator[Objection]:
    """A new row needs every field that has neither a default nor may be missing, and has to be somebody's."""
    given = dict(consuming.taken_over(blueprint, consumer, resource))
    told = consuming.members(blueprint, consumer)
    needed = [
        field.name
        for field in resource.fields
        if not field.is_optional and field.default is None and not field.is_list and not is_child(field)
    ]
    needed += consuming.made_with(blueprint, resource)
    absent = [name for name in needed if (field := told.get(given.get(name, ""))) is None or field.is_optional]
    if consumer.hook:
        # The owner's function fills in the rest; whose the row is is decided before it.
        absent = [name for name in absent if name in consuming.made_with(blueprint, resource)]
    if not absent:
        return
    verb = "have" if len(absent) > 1 else "has"
    yield objection(
        __name__,
        blueprint,
        f"consumes.{consumer.name}",
        f"{consumer.name} makes {resource.name} of {consumer.event}, and {listed(absent)} {verb} no value then",
        (
            option(
                f"set: {{{', '.join(f'{name}: MEMBER' for name in absent)}}}, with that member among its data",
                "each new one is whole",
                "whoever tells the event has to tell this as well, and always",
            ),
            option("optional: true, or a default", "may be filled in later", "readers have to do without it"),
        ),
    )


def _appended(blueprint: Blueprint, consumer: Consumer, resource: Resource) -> Objection:
    return objection(
        __name__,
        blueprint,
        f"consumes.{consumer.name}",
        f"{consumer.name} changes {resource.name}, which is only ever appended to",
        (
            option("do: create", "what was is still seen", "readers add up two entries"),
            option("append_only: false", "can be changed", "what was is lost without an audit trail"),
        ),
    )


def _nothing(blueprint: Blueprint, consumer: Consumer, resource: Resource) -> Iterator[Objection]:
    if consuming.taken_over(blueprint, consumer, resource):
        return
    yield objection(
        __name__,
        blueprint,
        f"consumes.{consumer.name}",
        f"{consumer.name} changes a {resource.name} and sets nothing: no member of {consumer.event} is called like a "
        "field of it",
        (
            option("set: {field: member}", "says what is taken over", "has to follow when the event changes"),
            option("hook: a function that decides", "may take anything over", "is yours to write"),
        ),
    )
