"""Tasks, commands, consumers and scheduled jobs."""

from __future__ import annotations

from nines.effects.entries.entry import Entry, cut_short, entry_frame, flattened, root_nodes
from nines.effects.entries.gathered import Gathered
from nines.effects.entries.inject import filled_by_name
from nines.effects.interpret.libraries.retrying import policy
from nines.effects.interpret.state.entrances import call
from nines.effects.interpret.state.frame import WorkLimit
from nines.effects.interpret.state.records import Route
from nines.effects.interpret.state.world import OutOfBudget, World
from nines.effects.interpret.symbols.shapes import shape
from nines.effects.link import FunctionInfo
from nines.effects.nodes import BlindNode, ContextNode
from nines.effects.signatures import RouteRule
from nines.effects.values import UNKNOWN, FunctionThing, Source, Value, deep_sources, unknown
from nines.model.origin import OriginKind
from nines.model.service import Endpoint, EndpointKind, EndpointParameter


def job_entry(world: World, route: Route, rule: RouteRule, info: FunctionInfo, framework: str) -> Entry:
    """A task, a command, a consumer, a scheduled job."""
    kind = EndpointKind(rule.kind)
    arguments = dict(route.arguments)
    name = shape(arguments.get(rule.name)) if rule.name else ""
    frame = entry_frame(world, info.module, info.node.line)
    location = "message" if kind in (EndpointKind.TASK, EndpointKind.CONSUMER) else "argument"
    skip = 1 if info.cls is not None or _is_bound(arguments) else 0
    place = info.place
    parameters = []
    filled: dict[str, Value] = {}
    for parameter in info.node.parameters[skip:]:
        if parameter.kind in ("star", "double_star"):
            continue
        parameters.append(EndpointParameter(name=parameter.name, location=location, place=place))
        filled[parameter.name] = unknown((Source(OriginKind.CALLER, parameter.name, location),))
    value = UNKNOWN
    try:
        first = [UNKNOWN] if skip else []
        handler = route.handler
        if rule.fills and not skip:
            # What was bound beforehand is the framework's own, and known by its type.
            handler = Value(FunctionThing(info))
            filled = filled_by_name(frame, info, rule.fills, "", Gathered())
        value = call(frame, handler, first, filled, info.node.line)
    except (OutOfBudget, WorkLimit, RecursionError) as error:
        frame.nodes.append(BlindNode(cut_short(error), info.qualified, info.place))
    nodes = flattened(root_nodes(frame), info)
    if rule.retry is not None:
        draft = policy(world, rule.retry, arguments, route.place, route.signature)
        if draft is not None:
            nodes = [ContextNode(nodes, retry=draft)]
    endpoint = Endpoint(
        id=f"{kind.value} {name or info.qualified}",
        kind=kind,
        function=info.qualified,
        place=place,
        framework=framework,
        is_async=info.node.is_async,
        parameters=tuple(parameters),
        summary=info.node.summary,
    )
    return Entry(endpoint, nodes, deep_sources(value), "loop" if info.node.is_async else "")


def _is_bound(arguments: dict[str, Value]) -> bool:
    bind = arguments.get("bind")
    return bind is not None and bind.constant is True
