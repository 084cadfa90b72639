"""Makes an object of a project class: its fields as __init__ or its declaration sets them."""

from __future__ import annotations

from nines.effects.interpret.calling.binding import bind
from nines.effects.interpret.calling.summaries import call_function
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.libraries.arguments import OPEN, everything, named
from nines.effects.interpret.libraries.library import call_library
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo
from nines.effects.nodes import ChangeNode
from nines.effects.queries import Written
from nines.effects.values import (
    SITE,
    InstanceThing,
    ObjectThing,
    Value,
    deep_sources,
    merge_sources,
    only_sources,
    sorted_fields,
    with_field,
)


def construct(  # noqa: PLR0917
    frame: Frame, info: ClassInfo, arguments: list[Value], keywords: dict[str, Value], line: int, column: int
) -> Value:
    """An instance; a new row when the class is mapped to a table; a router remembers where it was made."""
    made = _construct(frame, info, arguments, keywords, line, column)
    bases = frame.world.linked.ancestry(info)[1]
    if any(frame.world.signatures.trait(base, "router") for base in bases):
        made = with_field(made, SITE, Value(constant=frame.site(line, column)))
    return made


def _construct(  # noqa: PLR0917
    frame: Frame, info: ClassInfo, arguments: list[Value], keywords: dict[str, Value], line: int, column: int
) -> Value:
    world = frame.world
    world.calls += 1
    table = mapped(world, info)
    if table is not None:
        return new_row(frame, info, keywords, line, column)
    method = world.linked.find_method(info, "__init__")
    bases = world.linked.ancestry(info)[1]
    sources = merge_sources(*(deep_sources(v) for v in (*arguments, *keywords.values())))
    if method is not None:
        me = Value(InstanceThing(info))
        env = bind(frame, method, [me, *arguments], keywords)
        _, after = call_function(frame, method, env, line, column)
        first = method.node.parameters[0].name if method.node.parameters else "self"
        made = after.get(first, me)
        return only_sources(made, sources) if _is_data(frame, bases) else made
    if bases:
        made_by_library = _library_made(frame, info, bases, arguments, keywords, line, column)
        if made_by_library is not None:
            return made_by_library
    fields = _declared_order(frame, info)
    bound = named(tuple(fields), arguments, keywords)
    known = {name: value for name, value in bound.items() if not name.startswith("*")}
    if OPEN in bound:
        return Value(InstanceThing(info), deep_sources(everything(bound)))
    return Value(InstanceThing(info, tuple(sorted_fields(known))), sources)


def _is_data(frame: Frame, bases: list[str]) -> bool:
    return any(frame.world.signatures.trait(base, "data") for base in bases)


def _library_made(  # noqa: PLR0917
    frame: Frame,
    info: ClassInfo,
    bases: list[str],
    arguments: list[Value],
    keywords: dict[str, Value],
    line: int,
    column: int,
) -> Value | None:
    """A subclass of a library's class keeps what the library's constructor keeps."""
    for base in bases:
        if base in frame.world.signatures.calls:
            made = call_library(frame, base, None, arguments, keywords, line, column, {})
            if isinstance(made.thing, ObjectThing):
                return Value(InstanceThing(info, made.thing.fields), made.sources)
    return None


def _declared_order(frame: Frame, info: ClassInfo) -> list[str]:
    """The annotated fields of a dataclass-like class, inherited ones first."""
    names: dict[str, None] = {}
    for each in reversed(frame.world.linked.ancestry(info)[0]):
        names.update((name, None) for name, b in each.attributes.items() if b.annotation is not None)
    return list(names)


def new_row(frame: Frame, info: ClassInfo, keywords: dict[str, Value], line: int, column: int) -> Value:
    """An object of a mapped class that is not in the database yet."""
    table = mapped(frame.world, info)
    assert table is not None
    token = frame.world.fresh()
    written = []
    for name, value in keywords.items():
        if name == OPEN:
            written.append(Written("*", deep_sources(value)))
            continue
        column_name = table.column_of(name)
        written.append(Written(column_name, deep_sources(value)))
    place = frame.place(line, column)
    active = frame.world.signatures.trait(table.base, "model") == "active"
    frame.nodes.append(ChangeNode(token, table.name, place, tuple(written), verb="new", is_active=active))
    fields = tuple(sorted_fields({name: value for name, value in keywords.items() if name != OPEN}))
    sources = merge_sources(*(deep_sources(value) for value in keywords.values()))
    return Value(InstanceThing(info, fields, row=token), sources)
