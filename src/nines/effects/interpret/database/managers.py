"""Managers and query sets as classes, and the class of the signed-in user."""

from __future__ import annotations

from nines.effects.interpret.database.entities import query_of, start_entity
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.naming.models import user_model
from nines.effects.interpret.state.frame import Frame
from nines.effects.queries import Query
from nines.effects.values import UNKNOWN, ClassThing, InstanceThing, ObjectThing, Value, join


def _made_manager(call: LibraryCall) -> Value:
    """`MyQuerySet.as_manager()`."""
    thing = call.receiver.thing if call.receiver is not None else None
    if isinstance(thing, ClassThing):
        return Value(InstanceThing(thing.info))
    return Value(ObjectThing("django.db.models.Manager"))


def _joined_manager(call: LibraryCall) -> Value:
    """`Manager.from_queryset(MyQuerySet)`: a class with the methods of both."""
    values = [v for v in (call.receiver, *call.arguments[:1]) if v is not None]
    project = [v for v in values if isinstance(v.thing, ClassThing)]
    return join(project) if project else UNKNOWN


def _made_query(call: LibraryCall) -> Value:
    """`MyQuerySet(self.model)`: all rows of the class."""
    model = call.argument("model")
    thing = model.thing if model is not None else None
    type = "django.db.models.QuerySet"
    if isinstance(thing, ClassThing):
        return Value(ObjectThing(type, query=start_entity(call.world, thing.info, "default")))
    own = _receiver_query(call.frame)
    return Value(ObjectThing(type, query=own)) if own is not None else Value(ObjectThing(type))


def _receiver_query(frame: Frame) -> Query | None:
    """What the manager stands for in whose method a query set is made."""
    if frame.info is None or not frame.info.node.parameters:
        return None
    return query_of(frame.env.get(frame.info.node.parameters[0].name))


def _user_model(call: LibraryCall) -> Value:
    found = user_model(call.world)
    return Value(ClassThing(found)) if found is not None else UNKNOWN


MECHANISMS: dict[str, Mechanism] = {
    "made_manager": _made_manager,
    "joined_manager": _joined_manager,
    "made_query": _made_query,
    "user_model": _user_model,
}
