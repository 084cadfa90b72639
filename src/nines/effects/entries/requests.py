"""The request that a framework hands to a view."""

from __future__ import annotations

from nines.effects.interpret.naming.models import user_model
from nines.effects.interpret.state.world import World
from nines.effects.values import InstanceThing, ObjectThing, ScalarThing, Source, Value
from nines.model.origin import OriginKind

HANDLERS = ("get", "post", "put", "patch", "delete", "head", "options")
FIXED = ("fixed",)
"""Labels of a value that the entry point itself fixes, so that comparisons with it are decided."""


def fixed(text: str) -> Value:
    """A text that is certain for this entry point: its method, its action."""
    return Value(ScalarThing(FIXED), (), text)


def filled_request(world: World, method: str) -> Value:
    """The request, with its method, and the signed-in user as a row of the project's user class."""
    principal = (Source(OriginKind.PRINCIPAL, "user"),)
    info = user_model(world)
    user = Value(InstanceThing(info, connection="default"), principal) if info is not None else Value(sources=principal)
    return Value(ObjectThing("django.http.HttpRequest", fields=(("method", fixed(method)), ("user", user))))
