"""Functions, classes and imports inside functions."""

from __future__ import annotations

from nines.effects.interpret.naming.decorate import decorate
from nines.effects.interpret.naming.resolve import found_value
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.link.names import imported_names
from nines.effects.values import ClassThing, FunctionThing, Value
from nines.model import code


def bind_imports(frame: Frame, node: code.Import) -> str:
    for name, binding in imported_names(node, frame.module):
        if name == "*" or "\0" in name:
            continue
        found = frame.world.linked.imported(binding)
        if found:
            frame.env[name] = found_value(frame.world, found[0], frame.module)
    return ""


def define_function(frame: Frame, node: code.Function) -> str:
    """A nested function: it takes the names around it with it."""
    info = _nested_function(frame, node)
    raw = bytes(node.body)
    taken = {
        name: value
        for name, value in {**frame.closure, **frame.env}.items()
        if name.partition(".")[0].partition("[")[0].encode() in raw
    }
    taken.pop(node.name, None)
    value = Value(FunctionThing(info, closure=tuple(sorted(taken.items(), key=lambda item: item[0]))))
    if node.decorators:
        value = decorate(frame, value, info)
    frame.env[node.name] = value
    return ""


def _nested_function(frame: Frame, node: code.Function) -> FunctionInfo:
    parent = frame.info.qualified if frame.info else frame.module.name
    key = (frame.module.name, node.line, f"{parent}.{node.name}")
    found = frame.world.nested.get(key)
    if found is None:
        found = FunctionInfo(node, frame.module, None, parent)
        frame.world.nested[key] = found
    info: FunctionInfo = found
    return info


def define_class(frame: Frame, node: code.Class) -> str:
    parent = frame.info.qualified if frame.info else frame.module.name
    key = (frame.module.name, node.line, f"class {parent}.{node.name}")
    found = frame.world.nested.get(key)
    if found is None:
        found = ClassInfo(node, frame.module, parent)
        frame.world.nested[key] = found
    frame.env[node.name] = Value(ClassThing(found))
    return ""
