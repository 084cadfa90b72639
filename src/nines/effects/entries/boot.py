"""Runs what modules do when they are imported, and application factories, so that routes get registered."""

from __future__ import annotations

import re
from collections.abc import Callable

from nines.effects.entries.task_classes import listed_tasks
from nines.effects.interpret.calling.binding import bind
from nines.effects.interpret.calling.summaries import activate
from nines.effects.interpret.libraries.registering import register
from nines.effects.interpret.naming.resolve import function_value
from nines.effects.interpret.state.entrances import call, evaluate, run_block
from nines.effects.interpret.state.frame import Frame, WorkLimit
from nines.effects.interpret.state.world import OutOfBudget, World
from nines.effects.link import ClassInfo, FunctionInfo, ModuleInfo
from nines.effects.values import ClassThing, DecoratorThing, FunctionThing, InstanceThing, Value
from nines.model import code

_FACTORIES_MAX = 400
_STATE = b"\xa5state"
"""The name as it stands in a packed body, after its length: not the beginning of a longer one."""


_JOBS = ("task", "schedule")
_TEXT = 0xA0
"""Before a short text in a packed body, with its length added."""
Recall = Callable[[ModuleInfo, re.Pattern[bytes]], tuple[int, ...]]
"""Which functions of a module may register something, by number, as `registering` finds them."""


def boot(world: World, recall: Recall) -> None:
    """Registers every route, mount and hook that importing the project would."""
    world.is_booting = True
    for module in list(world.linked.modules.values()):
        world.start_entry()
        try:
            _module(world, module)
        except (OutOfBudget, WorkLimit, RecursionError):
            continue
    _factories(world, recall)
    world.is_booting = False
    world.contexts.clear()


def _module(world: World, module: ModuleInfo) -> None:
    for function in module.functions:
        if function.node.decorators:
            function_value(world, function)
    for info in module.classes:
        _class_routes(world, info)
        listed_tasks(world, info)
        for method in info.methods.values():
            if method.node.decorators:
                function_value(world, method)
    frame = Frame(world, module)
    _body(frame, module.node.body)


def _class_routes(world: World, info: ClassInfo) -> None:
    """Registers a view's class that is decorated with its route."""
    for expression in info.node.decorators:
        frame = Frame(world, info.module)
        frame.line = getattr(expression, "line", 0) or info.node.line
        decorator = evaluate(frame, expression)
        thing = decorator.thing
        if isinstance(thing, FunctionThing) and thing.closure:
            # A project's own decorator may hand the class on to one of the library.
            call(frame, decorator, [Value(ClassThing(info))], {}, frame.line)
        elif isinstance(thing, DecoratorThing):
            signature = world.signatures.calls[thing.signature]
            arguments = dict(thing.arguments)
            register(frame, thing.signature, signature, thing.receiver, arguments, Value(ClassThing(info)), frame.line)


def _body(frame: Frame, body: tuple[code.Statement, ...]) -> None:
    for statement in body:
        if isinstance(statement, code.Evaluate) and not isinstance(statement.value, code.Constant):
            frame.line = statement.line
            evaluate(frame, statement.value)
        elif isinstance(statement, code.If):
            _body(frame, statement.then)
            _body(frame, statement.otherwise)
        elif isinstance(statement, code.Try | code.With):
            _body(frame, statement.body)
        elif isinstance(statement, code.For):
            run_block(frame, (statement,))
        frame.raised = False
        frame.nodes.clear()


def _factories(world: World, recall: Recall) -> None:
    """Functions that make applications or register routes on what they are given."""
    words = re.compile(b"|".join(map(re.escape, sorted(_registering_words(world)))) or b"(?!)")
    done = 0
    for module in list(world.linked.modules.values()):
        wanted = frozenset(recall(module, words))
        for function in _outermost(module) if wanted else ():
            if function.number in wanted and done < _FACTORIES_MAX:
                done += 1
                _factory(world, function, function.cls)


def _outermost(module: ModuleInfo) -> list[FunctionInfo]:
    """The functions of a module, and the methods of its classes."""
    return [*module.functions, *(method for info in module.classes for method in info.methods.values())]


def registering(words: re.Pattern[bytes], module: ModuleInfo) -> tuple[int, ...]:
    """The numbers of the functions whose text speaks of registering."""
    found: list[int] = []
    for function in _outermost(module):
        raw = bytes(function.node.body)
        if (function.node.decorators and _STATE in raw) or words.search(raw) is not None:
            found.append(function.number)
    return tuple(found)


def _registering_words(world: World) -> set[bytes]:
    """The names of methods that register, as they stand in packed bodies."""
    found: set[bytes] = set()
    for name, signature in world.signatures.calls.items():
        short = name.rpartition(".")[2]
        registers = signature.mount or signature.mechanism == "hook" or (signature.route and signature.route.handler)
        if registers and "_" in short:
            found.add(short.encode())
        elif signature.route and signature.route.handler and signature.route.kind in _JOBS and short[:1].isupper():
            # A class of jobs: its name as a whole, for it may be a part of many others.
            found.add(bytes([_TEXT + len(short)]) + short.encode())
        elif signature.route and signature.route.path and not signature.route.handler:
            found.add(f"@{short}".encode())
    for name, type in world.signatures.types.items():
        if type.router:
            found.add(name.rpartition(".")[2].encode())
    return found


def _factory(world: World, function: FunctionInfo, owner: ClassInfo | None) -> None:
    world.start_entry()
    frame = Frame(world, function.module)
    first: list[Value] = []
    if owner is not None:
        first = [Value(InstanceThing(owner))]
    try:
        env = bind(frame, function, first, {})
        activate(frame, function, env)
    except (OutOfBudget, WorkLimit, RecursionError):
        return
