"""What told frameworks cannot say as code: lookups by path, pages, fields of serializers and forms, permissions."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.calling.construct import new_row
from nines.effects.interpret.database.building import keyword_condition, limited, query_of, start_entity, with_query
from nines.effects.interpret.database.fetching import Run, emit_query, materialise
from nines.effects.interpret.database.mapping import mapped, relation_of
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.library import LibraryCall, Mechanism
from nines.effects.interpret.libraries.registering import site_of
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.naming.settings import setting
from nines.effects.interpret.objects.assigning import set_member
from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.entrances import call as call_value
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.refusing import is_refusal
from nines.effects.link import ClassInfo
from nines.effects.mapped import Mapped
from nines.effects.nodes import RefineNode
from nines.effects.queries import Query
from nines.effects.values import (
    NONE,
    UNKNOWN,
    ClassThing,
    ContainerThing,
    FunctionThing,
    InstanceThing,
    LibraryThing,
    ObjectThing,
    ScalarThing,
    Source,
    Sources,
    Value,
    constant,
    deep_sources,
    element_of,
    field,
    merge_sources,
    sanitised,
    sorted_fields,
    unknown,
    with_field,
    with_sources,
)
from nines.model.effect import Known, Rows
from nines.model.origin import OriginKind

_QUERY_SET = "django.db.models.QuerySet"
_CLEAN = {"int": ("sql", "int", "path", "html", "command", "url"), "uuid": ("sql", "uuid", "path", "html", "url"),
          "date": ("sql", "date", "path", "html", "url")}  # fmt: skip


def _argument(call: LibraryCall, index: int) -> Value:
    return call.arguments[index] if index < len(call.arguments) else UNKNOWN


def member(frame: Frame, owner: Value, name: str, line: int = 0) -> Value:
    """An attribute of a view, serializer or form."""
    return attribute(frame, owner, name, line or frame.line)


def _run(call: LibraryCall) -> Run:
    return Run(call.frame, call.place, _QUERY_SET, "default", "django", True)


def _all_rows(call: LibraryCall) -> Value:
    """What a generic view is about: its `queryset`, else all rows of its `model`."""
    view = _argument(call, 0)
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
    view, rows = _argument(call, 0), _argument(call, 1)
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
    view, rows = _argument(call, 0), _argument(call, 1)
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
    value = _argument(call, 0)
    return constant(not (value.has_constant and value.constant is None))


def _credential(call: LibraryCall) -> Value:
    """Whether somebody is signed in at all: that says nothing of what they may do."""
    call.frame.facts.add("credential")
    return UNKNOWN


def _decides(call: LibraryCall) -> Value:
    call.frame.facts.update(("credential", "decides"))
    return unknown(call.sources)


def _answered(call: LibraryCall) -> Value:
    """An answer; one that says "not you" turns the caller away as an exception would."""
    status = call.argument("status") or call.argument("status_code")
    action = call.signature.action
    target = call.argument("to")
    to = str(target.constant).lower() if target is not None and target.has_constant else ""
    named = any(s.kind is OriginKind.SETTING and "LOGIN" in s.name for s in (target.sources if target else ()))
    turns_away = action == "refuses" or (action == "redirects" and ("login" in to or "signin" in to or named))
    if turns_away or is_refusal(status):
        call.frame.facts.add("refuses")
    return unknown(call.sources)


# --- serializers and forms ---------------------------------------------------------------------------


def _model(frame: Frame, info: ClassInfo) -> ClassInfo | None:
    """The mapped class that an inner Meta names."""
    for owner in frame.world.linked.ancestry(info)[0]:
        meta = owner.inner.get("Meta")
        value = class_value(frame.world, meta, "model") if meta is not None else None
        if value is not None and isinstance(value.thing, ClassThing):
            return value.thing.info
    return None


def _named_fields(frame: Frame, info: ClassInfo, table: Mapped | None) -> list[str]:
    """The fields that an inner Meta lists."""
    for owner in frame.world.linked.ancestry(info)[0]:
        meta = owner.inner.get("Meta")
        value = class_value(frame.world, meta, "fields") if meta is not None else None
        if value is None:
            continue
        if isinstance(value.constant, str) and table is not None:
            return [*table.columns, *(name for name, r in table.relations.items() if r.is_many)]
        thing = value.thing
        if isinstance(thing, ContainerThing):
            return [str(e.constant) for e in thing.entries or () if isinstance(e.constant, str)]
    return []


def _declared(frame: Frame, info: ClassInfo) -> dict[str, Value]:
    """Fields that the class and its project bases declare, by name."""
    found: dict[str, Value] = {}
    for owner in reversed(frame.world.linked.ancestry(info)[0]):
        if owner.module.file.startswith("<"):
            continue
        for name in owner.attributes:
            value = class_value(frame.world, owner, name)
            if value is not None and isinstance(value.thing, InstanceThing):
                found[name] = value
    return found


def _kind(frame: Frame, value: Value) -> str:
    """Which of the told fields a declared one is."""
    thing = value.thing
    names = [c.name for c in frame.world.linked.ancestry(thing.info)[0]] if isinstance(thing, InstanceThing) else []
    for name in ("SerializerMethodField", "BaseSerializer", "RelatedField", "PrimaryKeyRelatedField", "Field"):
        if name in names:
            return name
    return ""


def _represent(call: LibraryCall) -> Value:
    """One row as a serializer shows it: its methods are called, nested serializers walk relations."""
    serializer, row = _argument(call, 0), _argument(call, 1)
    thing = serializer.thing
    if not isinstance(thing, InstanceThing):
        return unknown(deep_sources(row))
    frame = call.frame
    sources: list[Sources] = [row.sources]
    declared = _declared(frame, thing.info)
    for name, value in declared.items():
        sources.append(_shown(call, serializer, row, name, value))
    _undeclared(frame, thing.info, row, set(declared), call.line)
    return Value(ContainerThing("dict"), merge_sources(*sources))


def _shown(call: LibraryCall, serializer: Value, row: Value, name: str, value: Value) -> Sources:
    frame = call.frame
    kind = _kind(frame, value)
    given = field(value, "source")
    path = given.constant if given is not None and isinstance(given.constant, str) else name
    if kind == "SerializerMethodField":
        named = field(value, "method_name")
        method = named.constant if named is not None and isinstance(named.constant, str) else f"get_{name}"
        bound = attribute(frame, serializer, method, call.line)
        if isinstance(bound.thing, FunctionThing):
            result = call_value(frame, bound, [row], {}, call.line)
            frame.raised = False
            return deep_sources(result)
        return ()
    if kind in ("BaseSerializer", "RelatedField"):
        held = walked(frame, row, path, call.line)
        if kind == "RelatedField":
            return materialise(frame, held, call.line).sources
        shown = attribute(frame, with_field(value, "instance", held), "data", call.line)
        return deep_sources(shown)
    if kind == "PrimaryKeyRelatedField":
        many = field(value, "many")
        if many is not None and many.constant is True:
            return materialise(frame, walked(frame, row, path, call.line), call.line).sources
        return ()
    return walked(frame, row, path, call.line).sources if "." in path else ()


def walked(frame: Frame, row: Value, path: str, line: int) -> Value:
    """`source="author.profile.name"`."""
    value = row
    for part in path.split("."):
        if part != "*":
            value = attribute(frame, value, part, line)
            if isinstance(value.thing, FunctionThing):
                value = call_value(frame, value, [], {}, line)
    return value


def _undeclared(frame: Frame, info: ClassInfo, row: Value, done: set[str], line: int) -> None:
    """Properties and many-to-many relations that Meta.fields names cost what looking at them costs."""
    model = _model(frame, info)
    table = mapped(frame.world, model) if model is not None else None
    if model is None or table is None:
        return
    for name in _named_fields(frame, info, table):
        if name in done or name in table.columns:
            continue
        relation = relation_of(frame.world, table, name)
        method = frame.world.linked.find_method(model, name)
        if (relation is not None and relation.is_many) or method is not None:
            materialise(frame, walked(frame, row, name, line), line)


def _data_of(call: LibraryCall) -> Value:
    """The caller's data as a serializer lets it through, by field; own `validate_x` methods are called."""
    serializer, given = _argument(call, 0), _argument(call, 1)
    thing = serializer.thing
    sources = deep_sources(given) or (Source(OriginKind.CALLER, "data", "body"),)
    if not isinstance(thing, InstanceThing):
        return unknown(sources)
    fields = _field_values(call.frame, thing.info, sources)
    for name, value in list(fields.items()):
        method = call.world.linked.find_method(thing.info, f"validate_{name}")
        if method is not None:
            bound = attribute(call.frame, serializer, f"validate_{name}", call.line)
            made = call_value(call.frame, bound, [value], {}, call.line)
            call.frame.raised = False
            fields[name] = with_sources(made, value.sources) if not made.is_unknown else value
    return Value(ContainerThing("dict", None, tuple(sorted_fields(fields)), is_open=not fields), sources)


def _field_values(frame: Frame, info: ClassInfo, sources: Sources) -> dict[str, Value]:
    model = _model(frame, info)
    table = mapped(frame.world, model) if model is not None else None
    declared = _declared(frame, info)
    readonly = _readonly(frame, info)
    found: dict[str, Value] = {}
    for name in dict.fromkeys([*declared, *_named_fields(frame, info, table)]):
        value = declared.get(name)
        only = field(value, "read_only") if value is not None else None
        if name in readonly or (only is not None and only.constant is True) or name in ("id", "pk"):
            continue
        if value is not None and _kind(frame, value) == "SerializerMethodField":
            continue
        given = field(value, "source") if value is not None else None
        column = given.constant if given is not None and isinstance(given.constant, str) else name
        key = name if "." in column or column == "*" else column
        own = tuple(s._replace(name=key) if s.kind is OriginKind.CALLER else s for s in sources)
        labels = _labels(frame, value, table, key)
        found[key] = Value(ScalarThing(labels), sanitised(own, labels)) if labels else unknown(own)
    return found


def _labels(frame: Frame, value: Value | None, table: Mapped | None, name: str) -> tuple[str, ...]:
    thing = value.thing if value is not None else None
    if isinstance(thing, InstanceThing):
        clean = class_value(frame.world, thing.info, "nines_clean")
        return _CLEAN.get(str(clean.constant), ()) if clean is not None and clean.has_constant else ()
    column = table.columns.get(name) if table is not None else None
    kinds = {"integer": "int", "numeric": "int", "boolean": "int", "uuid": "uuid", "timestamp": "date", "date": "date"}
    return _CLEAN.get(kinds.get(column.type, ""), ()) if column is not None else ()


def _readonly(frame: Frame, info: ClassInfo) -> set[str]:
    for owner in frame.world.linked.ancestry(info)[0]:
        meta = owner.inner.get("Meta")
        value = class_value(frame.world, meta, "read_only_fields") if meta is not None else None
        if value is not None and isinstance(value.thing, ContainerThing):
            return {str(e.constant) for e in value.thing.entries or () if e.has_constant}
    return set()


def _form_of(call: LibraryCall) -> Value:
    """The form of a view: of its class, or made from its model."""
    view, declared, keywords = _argument(call, 0), _argument(call, 1), _argument(call, 2)
    fields = dict(keywords.thing.fields) if isinstance(keywords.thing, ContainerThing) else {}
    held = field(view, "object")
    if held is not None and not (held.has_constant and held.constant is None):
        fields.setdefault("instance", held)
    if isinstance(declared.thing, ClassThing):
        return call_value(call.frame, declared, [], fields, call.line)
    form = next((c for c in call.world.linked.classes.values() if c.qualified == "django.forms.ModelForm"), None)
    if form is None:
        return UNKNOWN
    made = call_value(call.frame, Value(ClassThing(form)), [], fields, call.line)
    return with_field(made, "nines_model", member(call.frame, view, "model"))


def _cleaned(call: LibraryCall) -> Value:
    form, data = _argument(call, 0), _argument(call, 1)
    sources = deep_sources(data) or (Source(OriginKind.CALLER, "data", "form"),)
    thing = form.thing
    fields: dict[str, Value] = {}
    if isinstance(thing, InstanceThing):
        for method in thing.info.methods.values():
            if method.short == "clean" or method.short.startswith("clean_"):
                call_value(call.frame, attribute(call.frame, form, method.short, call.line), [], {}, call.line)
                call.frame.raised = False
        fields = _field_values(call.frame, thing.info, sources)
    return Value(ContainerThing("dict", None, tuple(sorted_fields(fields))), sources)


def _form_row(call: LibraryCall) -> Value:
    """The row that a model's form saves: the one it was given, or a new one."""
    form, row = _argument(call, 0), _argument(call, 1)
    thing = form.thing
    model = _model(call.frame, thing.info) if isinstance(thing, InstanceThing) else None
    named = field(form, "nines_model")
    if model is None and named is not None and isinstance(named.thing, ClassThing):
        model = named.thing.info
    data = member(call.frame, form, "data")
    sources = deep_sources(data) or (Source(OriginKind.CALLER, "data", "form"),)
    if isinstance(row.thing, InstanceThing) and row.thing.row:
        return set_member(call.frame, row, "*", unknown(sources), call.line) or row
    if model is None:
        return UNKNOWN
    return new_row(call.frame, model, {OPEN: unknown(sources)}, call.line, call.column)


# --- permissions and routers -------------------------------------------------------------------------


def permissions(frame: Frame, view: Value) -> list[Value]:
    """The permission classes of a view, as classes or objects; a setting speaks where the view is silent."""
    thing = view.thing
    if not isinstance(thing, InstanceThing):
        return []
    method = frame.world.linked.find_method(thing.info, "get_permissions")
    listed: Value | None = None
    if method is not None:
        with frame.capture():
            listed = call_value(frame, attribute(frame, view, "get_permissions", frame.line), [], {}, frame.line)
        frame.raised = False
        found = entries_of(listed)
        if found:
            return found
    listed = field(view, "permission_classes")
    if listed is None:
        listed = class_value(frame.world, thing.info, "permission_classes")
    if listed is None:
        listed = setting(frame.world, "rest", "DEFAULT_PERMISSION_CLASSES")
    return [] if listed is None else (entries_of(listed) or ([listed] if not _is_empty(listed) else []))


def _is_empty(value: Value) -> bool:
    return isinstance(value.thing, ContainerThing) and value.thing.items is None


def entries_of(value: Value) -> list[Value]:
    found: list[Value] = []
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing):
            found.extend(thing.entries or ())
            if thing.items is not None:
                found.extend(thing.items.alternatives())
    return found


def named_permission(frame: Frame, entry: Value) -> tuple[str, ClassInfo | None]:
    """The library's name, or the project's class, of a permission."""
    thing = entry.thing
    if isinstance(thing, ClassThing | InstanceThing):
        return "", thing.info
    if isinstance(entry.constant, str):
        found = frame.world.linked.dotted(entry.constant)
        info = next((each for each in found if isinstance(each, ClassInfo)), None)
        return ("", info) if info is not None else (frame.world.signatures.canonical(entry.constant), None)
    if isinstance(thing, LibraryThing):
        return thing.name, None
    return (thing.type, None) if isinstance(thing, ObjectThing) else ("", None)


def _granted(call: LibraryCall) -> Value:
    """Permissions that look at the object: one that knows the caller checks the row."""
    view, row = _argument(call, 0), _argument(call, 1)
    frame = call.frame
    request = member(frame, view, "request")
    for entry in permissions(frame, view):
        _, info = named_permission(frame, entry)
        if info is None or frame.world.linked.find_method(info, "has_object_permission") is None:
            continue
        bound = attribute(frame, Value(InstanceThing(info)), "has_object_permission", call.line)
        value = call_value(frame, bound, [request, view, row], {}, call.line)
        frame.raised = False
        callers = tuple(s for s in deep_sources(value) if s.kind is OriginKind.PRINCIPAL)
        checked = tuple((s, callers) for s in row.sources if s.kind is OriginKind.DATABASE)
        if callers and checked:
            frame.nodes.append(RefineNode(0, checked=checked))
    return NONE


def _view_registered(call: LibraryCall) -> Value:
    """A view set registered with a router."""
    view, prefix = call.argument("viewset"), call.argument("prefix")
    if view is not None:
        text = prefix.constant if prefix is not None and isinstance(prefix.constant, str) else ""
        call.world.registered.setdefault(site_of(call.receiver), []).append((text, view, call.place))
    return UNKNOWN


MECHANISMS: dict[str, Mechanism] = {
    "answered": _answered,
    "framework_all_rows": _all_rows,
    "framework_row_of": _row_of,
    "framework_page_of_rows": _page_of_rows,
    "framework_first_known": _first_known,
    "framework_is_given": _is_given,
    "framework_credential": _credential,
    "framework_decides": _decides,
    "framework_represent": _represent,
    "framework_data_of": _data_of,
    "framework_form_of": _form_of,
    "framework_cleaned": _cleaned,
    "framework_form_row": _form_row,
    "framework_granted": _granted,
    "register_view": _view_registered,
}
