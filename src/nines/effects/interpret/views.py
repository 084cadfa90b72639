"""What generic views do by themselves: list, fetch, save and delete what their class attributes name."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.building import query_of, start_entity
from nines.effects.interpret.fetching import emit_query, materialise, run_of
from nines.effects.interpret.library import MECHANISMS, LibraryCall
from nines.effects.interpret.mapping import mapped
from nines.effects.interpret.resolve import class_value, global_value
from nines.effects.link import ClassInfo
from nines.effects.nodes import ChangeNode
from nines.effects.queries import Condition, Query, Written
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    InstanceThing,
    Source,
    Value,
    field,
    unknown,
    with_field,
)
from nines.model.effect import Known, Rows
from nines.model.origin import OriginKind

_BODY = Source(OriginKind.CALLER, "data", "body")


def _of_class(call: LibraryCall, name: str) -> Value:
    thing = call.receiver.thing if call.receiver is not None else None
    if isinstance(thing, InstanceThing | ClassThing):
        found = class_value(call.world, thing.info, name)
        return found if found is not None else UNKNOWN
    return UNKNOWN


def _method(call: LibraryCall, name: str, arguments: list[Value]) -> Value:
    from nines.effects.interpret.attributes import attribute  # noqa: PLC0415
    from nines.effects.interpret.calls import call as call_value  # noqa: PLC0415

    bound = attribute(call.frame, call.receiver or UNKNOWN, name, call.line)
    return call_value(call.frame, bound, arguments, {}, call.line)


def _queryset(call: LibraryCall) -> Value:
    return _of_class(call, "queryset")


def is_paged(call: LibraryCall) -> bool:
    """Whether the view, or the project's settings, bounds its lists."""
    own = _of_class(call, "pagination_class")
    if own.has_constant and own.constant is None:
        return False
    if not own.is_unknown:
        return True
    setting = call.world.signatures.settings.get("pagination", "")
    name, _, key = setting.partition(".")
    for module in call.world.linked.modules.values():
        if name and name in module.bindings:
            held = field(global_value(call.world, module, name), key)
            if held is not None and held.constant is not None:
                return True
    return False


def _list(call: LibraryCall) -> Value:
    rows = _method(call, "get_queryset", [])
    query = query_of(rows)
    if query is not None and is_paged(call):
        from nines.effects.interpret.building import with_query  # noqa: PLC0415

        source = Source(OriginKind.CALLER, "page", "query")
        rows = with_query(rows, replace(query, limit=Known.SET, limit_sources=(source,)))
    return materialise(call.frame, rows, call.line, call.column)


def _object(call: LibraryCall) -> Value:
    rows = _method(call, "get_queryset", [])
    query = query_of(rows) or Query(known=False, limit=Known.UNKNOWN)
    lookup = _of_class(call, "lookup_field")
    table = mapped(call.world, query.entity) if query.entity is not None else None
    column = lookup.constant if isinstance(lookup.constant, str) and lookup.constant != "pk" else ""
    column = column or (table.key if table and table.key else "id")
    source = Source(OriginKind.CALLER, column, "path")
    fixed = replace(query, conditions=(*query.conditions, Condition(column, "=", (source,))), limit_one=True)
    how = run_of(call)
    how.begins = how.begins or "explicit"
    how.connection = "default" if how.connection.startswith(("rest", "")) and table else how.connection
    return emit_query(how, fixed, rows=Rows.ONE)[1]


def _retrieve(call: LibraryCall) -> Value:
    return _method(call, "get_object", [])


def _serializer(call: LibraryCall) -> Value:
    """The serializer of the view, holding the caller's data and perhaps a row."""
    thing = _of_class(call, "serializer_class").thing
    if not isinstance(thing, ClassThing):
        return unknown((_BODY,))
    made = Value(InstanceThing(thing.info), (_BODY,))
    row = next((v for v in call.arguments if isinstance(v.thing, InstanceThing) and v.thing.row), None)
    return with_field(made, "instance", row) if row is not None else made


def _create(call: LibraryCall) -> Value:
    serializer = _serializer(call)
    _method(call, "perform_create", [serializer])
    return UNKNOWN


def _update(call: LibraryCall) -> Value:
    row = _method(call, "get_object", [])
    call.arguments = [row]
    serializer = _serializer(call)
    _method(call, "perform_update", [serializer])
    return row


def _destroy(call: LibraryCall) -> Value:
    _method(call, "perform_destroy", [_method(call, "get_object", [])])
    return UNKNOWN


def _save(call: LibraryCall) -> Value:
    """`perform_create(serializer)` without an own definition saves the serializer."""
    from nines.effects.interpret.attributes import attribute  # noqa: PLC0415
    from nines.effects.interpret.calls import call as call_value  # noqa: PLC0415

    serializer = call.arguments[0] if call.arguments else UNKNOWN
    return call_value(call.frame, attribute(call.frame, serializer, "save", call.line), [], {}, call.line)


def _delete(call: LibraryCall) -> Value:
    from nines.effects.interpret.attributes import attribute  # noqa: PLC0415
    from nines.effects.interpret.calls import call as call_value  # noqa: PLC0415

    row = call.arguments[0] if call.arguments else UNKNOWN
    return call_value(call.frame, attribute(call.frame, row, "delete", call.line), [], {}, call.line)


def _model_of(call: LibraryCall, info: ClassInfo) -> ClassInfo | None:
    """The mapped class that a serializer declares in its Meta."""
    for each in call.world.linked.ancestry(info)[0]:
        meta = each.inner.get("Meta")
        value = class_value(call.world, meta, "model") if meta is not None else None
        if value is not None and isinstance(value.thing, ClassThing):
            return value.thing.info
    return None


def _serializer_save(call: LibraryCall) -> Value:
    """Saving a model's serializer inserts or updates a row with the caller's data and the keywords given."""
    thing = call.receiver.thing if call.receiver is not None else None
    if not isinstance(thing, InstanceThing):
        return UNKNOWN
    row = field(call.receiver or UNKNOWN, "instance")
    for name in ("update", "create"):
        method = call.world.linked.find_method(thing.info, name)
        if method is not None and (name == "update") == (row is not None):
            data = unknown((_BODY,))
            return _method(call, name, [row, data] if row is not None else [data])
    model = _model_of(call, thing.info)
    table = mapped(call.world, model) if model is not None else None
    if model is None or table is None:
        return unknown((_BODY,))
    written = [Written("*", (_BODY,))]
    written += [Written(table.column_of(k), v.sources) for k, v in call.keywords.items() if not k.startswith("*")]
    held = row.thing if row is not None else None
    token = held.row if isinstance(held, InstanceThing) else 0
    if token:
        own = (Source(OriginKind.DATABASE, table.key or "id", token=token),)
        node = ChangeNode(token, table.name, call.place, tuple(written), (), "default", "save", call.library)
        node.keys = (Condition(table.key or "id", "=", own),)
        node.is_active, node.begins, node.blocks_thread = True, "explicit", True
        call.frame.nodes.append(node)
        return row or UNKNOWN
    query = replace(start_entity(call.world, model, "default"), action="INSERT", written=tuple(written))
    how = run_of(call)
    how.begins, how.connection = "explicit", "default"
    return emit_query(how, query, rows=Rows.ONE)[1]


def _manager_of(call: LibraryCall) -> Value:
    """A query set class used as a manager."""
    thing = call.receiver.thing if call.receiver is not None else None
    return Value(InstanceThing(thing.info)) if isinstance(thing, ClassThing) else UNKNOWN


def _register(call: LibraryCall) -> Value:
    """A view set registered with a router."""
    from nines.effects.interpret.registering import site_of  # noqa: PLC0415

    prefix, view = call.argument("prefix"), call.argument("viewset")
    if view is not None:
        text = prefix.constant if prefix is not None and isinstance(prefix.constant, str) else ""
        call.world.registered.setdefault(site_of(call.receiver), []).append((text, view, call.place))
    return UNKNOWN


def _scope(call: LibraryCall) -> Value:
    """A transaction used as a decorator without arguments, or as a context manager."""
    from nines.effects.interpret.library import result  # noqa: PLC0415
    from nines.effects.interpret.registering import is_function  # noqa: PLC0415
    from nines.effects.interpret.remote import shape  # noqa: PLC0415
    from nines.effects.values import WrappedThing  # noqa: PLC0415

    first = call.arguments[0] if call.arguments else None
    if first is not None and is_function(first):
        return Value(WrappedThing(first, call.name, (), call.line, call.frame.module.file, shape(first)))
    return result(call)


def _page(call: LibraryCall) -> Value:
    rows = call.arguments[0] if call.arguments else UNKNOWN
    query = query_of(rows)
    if query is not None and is_paged(call):
        from nines.effects.interpret.building import with_query  # noqa: PLC0415

        rows = with_query(rows, replace(query, limit=Known.SET))
    return materialise(call.frame, rows, call.line, call.column)


MECHANISMS.update(
    {
        "view_queryset": _queryset,
        "view_list": _list,
        "view_object": _object,
        "view_retrieve": _retrieve,
        "view_serializer": _serializer,
        "view_create": _create,
        "view_update": _update,
        "view_destroy": _destroy,
        "view_save": _save,
        "view_delete": _delete,
        "view_page": _page,
        "serializer_save": _serializer_save,
        "manager_of": _manager_of,
        "register_view": _register,
        "transaction_scope": _scope,
    }
)
