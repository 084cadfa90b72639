"""Permissions of views, and those that look at the object."""

from __future__ import annotations

from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.machinery.frameworks.members import argument, member
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.naming.settings import setting
from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.entrances import call as call_value
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo
from nines.effects.nodes import RefineNode
from nines.effects.values import (
    NONE,
    UNKNOWN,
    ClassThing,
    ContainerThing,
    InstanceThing,
    LibraryThing,
    ObjectThing,
    Value,
    deep_sources,
    field,
)
from nines.model.origin import OriginKind


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
        # What the project's own method adds to the library's is not known where its answer is not.
        return found or [*_declared(frame, view, thing.info), UNKNOWN]
    return _declared(frame, view, thing.info)


def _declared(frame: Frame, view: Value, info: ClassInfo) -> list[Value]:
    """What the view's attribute names, or the settings."""
    listed = field(view, "permission_classes")
    if listed is None:
        listed = class_value(frame.world, info, "permission_classes")
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
    view, row = argument(call, 0), argument(call, 1)
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


MECHANISMS: dict[str, Mechanism] = {
    "framework_granted": _granted,
}
