"""Forms: made by a view, cleaned, saved as a row."""

from __future__ import annotations

from nines.effects.interpret.calling.construct import new_row
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.machinery.frameworks.fields import field_values, model_of
from nines.effects.interpret.machinery.frameworks.members import argument, member
from nines.effects.interpret.objects.assigning import set_member
from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.entrances import call as call_value
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    ContainerThing,
    InstanceThing,
    Source,
    Value,
    deep_sources,
    field,
    sorted_fields,
    unknown,
    with_field,
)
from nines.model.origin import OriginKind


def _form_of(call: LibraryCall) -> Value:
    """The form of a view: of its class, or made from its model."""
    view, declared, keywords = argument(call, 0), argument(call, 1), argument(call, 2)
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
    form, data = argument(call, 0), argument(call, 1)
    sources = deep_sources(data) or (Source(OriginKind.CALLER, "data", "form"),)
    thing = form.thing
    fields: dict[str, Value] = {}
    if isinstance(thing, InstanceThing):
        for method in thing.info.methods.values():
            if method.short == "clean" or method.short.startswith("clean_"):
                call_value(call.frame, attribute(call.frame, form, method.short, call.line), [], {}, call.line)
                call.frame.raised = False
        fields = field_values(call.frame, thing.info, sources)
    return Value(ContainerThing("dict", None, tuple(sorted_fields(fields))), sources)


def _form_row(call: LibraryCall) -> Value:
    """The row that a model's form saves: the one it was given, or a new one."""
    form, row = argument(call, 0), argument(call, 1)
    thing = form.thing
    model = model_of(call.frame, thing.info) if isinstance(thing, InstanceThing) else None
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


MECHANISMS: dict[str, Mechanism] = {
    "framework_form_of": _form_of,
    "framework_cleaned": _cleaned,
    "framework_form_row": _form_row,
}
