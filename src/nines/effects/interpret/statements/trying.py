"""`try`: what may fail, what handles it, and what holds afterwards."""

from __future__ import annotations

from nines.effects.interpret.libraries.retrying import error_names
from nines.effects.interpret.state.entrances import evaluate, run_block
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.environments import joined
from nines.effects.interpret.symbols.text import written
from nines.effects.nodes import HandlerDraft, TryNode
from nines.effects.values import Value, unknown
from nines.model import code


def run_try(frame: Frame, node: code.Try) -> str:
    frame.line = node.line
    before = dict(frame.env)
    with frame.capture() as body:
        ends = run_block(frame, node.body)
    after_body = frame.env
    reached = joined(before, after_body)
    handlers: list[HandlerDraft] = []
    finished: list[dict[str, Value]] = []
    how: list[str] = []
    for handler in node.handlers:
        frame.env = dict(reached)
        handlers.append(_handler(frame, handler, how))
        if not how[-1]:
            finished.append(frame.env)
    frame.env = after_body
    otherwise_nodes = []
    if node.otherwise and not ends:
        with frame.capture() as otherwise_nodes:
            ends = run_block(frame, node.otherwise)
    for env in finished:
        frame.env = joined(frame.env, env)
    if ends and finished:
        frame.env = finished[0]
        for env in finished[1:]:
            frame.env = joined(frame.env, env)
    with frame.capture() as final:
        final_ends = run_block(frame, node.final)
    if body or otherwise_nodes or final or any(h.nodes for h in handlers):
        place = frame.place(node.line)
        frame.nodes.append(TryNode(body, handlers, otherwise_nodes, final, place, ends))
    if final_ends:
        return final_ends
    return ends if ends and all(how) else ""


def _handler(frame: Frame, handler: code.Except, how: list[str]) -> HandlerDraft:
    frame.line = handler.line
    with frame.capture() as nodes:
        names: list[str] = []
        for error in handler.errors:
            value = evaluate(frame, error)
            names.extend(error_names(frame.world, value) or [written(error)])
        if handler.name:
            frame.env[handler.name] = unknown()
        ends = run_block(frame, handler.body)
    how.append(ends)
    words = {"raise": "raises", "return": "returns"}
    return HandlerDraft(tuple(names), frame.place(handler.line), words.get(ends, "continues"), nodes)
