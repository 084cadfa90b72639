"""Generic views: their rows, the row that the path names, and pages."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.conditions import keyword_condition
from nines.effects.interpret.database.entities import limited, query_of, start_entity, with_query
from nines.effects.interpret.database.running import Run, emit_query
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.libraries.registering import site_of
from nines.effects.interpret.machinery.frameworks.members import argument, member
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.naming.settings import setting
from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo
from nines.effects.queries import Query
from nines.effects.values import (
    NONE,
    UNKNOWN,
    ClassThing,
    ContainerThing,
    LibraryThing,
    ObjectThing,
    Source,
    Value,
    constant,
    deep_sources,
    element_of,
    unknown,
    with_sources,
)
from nines.model.effect import Known, Rows
from nines.model.origin import OriginKind

_QUERY_SET = "django.db.models.QuerySet"


def _run(call: LibraryCall) -> Run:
    return Run(call.frame, call.place, _QUERY_SET, "default", "django", True)


def _all_rows(call: LibraryCall) -> Value:
    """What a generic view is about: its `queryset`, else all rows of its `model`."""
    view = argument(call, 0)
    listed = member(call.frame, view, "queryset")
    if query_of(listed) is not None:
        return listed
    thing = member(call.frame, view, "model").thing
    if isinstance(thing, ClassThing):
        made = attribute(call.frame, Value(thing), "objects", call.line)
        query = query_of(made) or start_entity(call.world, thing.info, "default")
        return Value(ObjectThing(_QUERY_SET, query=query))
    return Value(ObjectThing(_QUERY_SET, query=Query(known=False, limit=Known.UNKNOWN, connection="default")))


def _text(frame: Frame, view: Value, name: str) -> str:
    value = member(frame, view, name)
    return value.constant if isinstance(value.constant, str) else ""


def _row_of(call: LibraryCall) -> Value:
    """The row that the path names, among those of a query set."""
    view, rows = argument(call, 0), argument(call, 1)
    query = query_of(rows)
    if query is None:
        return element_of(rows)
    frame = call.frame
    given = member(frame, view, "kwargs")
    fields = given.thing.fields if isinstance(given.thing, ContainerThing) else ()
    column = _text(frame, view, "lookup_field") or "pk"
    name = _text(frame, view, "lookup_url_kwarg") or _text(frame, view, "pk_url_kwarg") or column
    held = dict(fields)
    value = held.get(name) or held.get("pk")
    slug = _text(frame, view, "slug_url_kwarg") or "slug"
    if value is None and slug in held:
        value, column = held[slug], _text(frame, view, "slug_field") or "slug"
    sources = deep_sources(value) if value is not None else (Source(OriginKind.CALLER, name, "path"),)
    query = keyword_condition(call.world, query, column, sources)
    return emit_query(_run(call), replace(query, limit_one=True, limit=Known.SET, is_loaded=False), rows=Rows.ONE)[1]


def _page_size(frame: Frame, view: Value) -> Value | None:
    """The size of a view's pages; None where its lists are not paged."""
    own = member(frame, view, "paginate_by")
    if own.has_constant and own.constant is not None:
        return own
    pages = member(frame, view, "pagination_class")
    world = frame.world
    if pages.has_constant and pages.constant is None:
        return None
    thing = pages.thing
    if pages.is_unknown or not isinstance(thing, ClassThing | LibraryThing):
        listed = setting(world, "rest", "DEFAULT_PAGINATION_CLASS")
        if listed is None or not isinstance(listed.constant, str):
            return None
        found = world.linked.dotted(listed.constant)
        info = next((each for each in found if isinstance(each, ClassInfo)), None)
        thing = ClassThing(info) if info is not None else LibraryThing(listed.constant)
    if isinstance(thing, ClassThing):
        for name in ("page_size", "default_limit", "max_page_size", "max_limit", "page_size_query_param"):
            held = class_value(world, thing.info, name)
            if held is not None and not (held.has_constant and held.constant is None):
                return held
        if any(name in thing.info.methods for name in ("paginate_queryset", "get_page_size", "get_limit")):
            return unknown()
    size = setting(world, "rest", "PAGE_SIZE")
    return None if size is None or size.constant is None else size


def _page_of_rows(call: LibraryCall) -> Value:
    view, rows = argument(call, 0), argument(call, 1)
    query = query_of(rows)
    size = _page_size(call.frame, view)
    if size is None:
        return NONE
    if query is None:
        return rows
    if query.limit is not Known.SET:
        emit_query(_run(call), replace(query, is_single=True, is_column=True), rows=Rows.ONE)
    asked = Source(OriginKind.CALLER, "page", "query")
    paged = limited(query, with_sources(size, (asked,)))
    return with_query(rows, replace(paged, limit=Known.SET, limit_one=False))


def _first_known(call: LibraryCall) -> Value:
    for value in call.arguments:
        kept = [each for each in value.alternatives() if not (each.has_constant and each.constant is None)]
        if kept:
            return value if len(kept) == len(value.alternatives()) else kept[0]
    return UNKNOWN


def _is_given(call: LibraryCall) -> Value:
    value = argument(call, 0)
    return constant(not (value.has_constant and value.constant is None))


def _view_registered(call: LibraryCall) -> Value:
    """A view set registered with a router."""
    view, prefix = call.argument("viewset"), call.argument("prefix")
    if view is not None:
        text = prefix.constant if prefix is not None and isinstance(prefix.constant, str) else ""
        call.world.registered.setdefault(site_of(call.receiver), []).append((text, view, call.place))
    return UNKNOWN


MECHANISMS: dict[str, Mechanism] = {
    "framework_all_rows": _all_rows,
    "framework_row_of": _row_of,
    "framework_page_of_rows": _page_of_rows,
    "framework_first_known": _first_known,
    "framework_is_given": _is_given,
    "register_view": _view_registered,
}
