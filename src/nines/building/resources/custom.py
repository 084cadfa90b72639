"""Operations that are the owner's own: on an object, on a resource as a whole, or on nothing that is kept."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import asking, carrying, guards, hooks, keeping, ports
from nines.building.resources.code import Code, Module
from nines.building.resources.facts import operation_of
from nines.building.resources.reading import with_depth
from nines.model.blueprint import Fallback, Operation
from nines.model.design import Design, PlannedEndpoint


def on_resource(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    """On one object, where its path names one."""
    thing = module.thing
    has_object = "{" in endpoint.path
    if endpoint.is_safe:
        _read(module, endpoint, operation, has_object=has_object)
        return
    carrying.begun(module, endpoint, operation)
    if not has_object:
        _without_row(module, endpoint, operation)
        module.depth -= 1
        return
    module.line(f"{module.id} = {module.find_id(endpoint)}")
    if operation.calls:
        asking.move(module, endpoint, operation)
        module.depth -= 1
        return
    with carrying.transaction(module, operation, is_last=carrying.is_last(module, operation)):
        keeping.claim(module, endpoint)
        carrying.locked(module, endpoint, operation)
        query = thing.query(endpoint.id, f"store-{names.kebab(thing.resource.name)}")
        if query is not None:
            module.imports.add("typing", "Any")
            written = module.send("tx.fetchrow", query, carrying.stored(module, query, ""))
            module.put(written, before="await " if operation.gives else "row: Any = await ")
        if operation.gives:
            _kept_result(module, endpoint)
        else:
            row = "row" if query is not None else "before"
            carrying.answered(module, endpoint, operation, changes='{"is_changed": True}', row=row, posted=thing.noun)
    carrying.left(module, operation, is_returned=carrying.is_last(module, operation))
    module.depth -= 1


def _kept_result(module: Code, endpoint: PlannedEndpoint) -> None:
    module.is_returned = endpoint.idempotency is None
    before = "return " if module.is_returned else "answer = "
    module.put(python.call("Answer.of", "result", *_cache(endpoint)), before=before)
    keeping.finish(module, endpoint)


def _cache(endpoint: PlannedEndpoint) -> list[str]:
    return [f"cache={python.quoted(endpoint.cache_control)}"] if endpoint.cache_control not in ("", "no-store") else []


def _without_row(module: Code, endpoint: PlannedEndpoint, operation: Operation) -> None:
    if operation.calls:
        with module.block("async with service.database.transaction(call.deadline) as tx:"):
            keeping.claim(module, endpoint)
        _ask(module, endpoint, operation)
    with carrying.transaction(module, operation, is_last=True):
        if not operation.calls:
            keeping.claim(module, endpoint)
        hooks.ask_without_row(module, operation, endpoint)
        if operation.gives:
            _kept_result(module, endpoint)
        else:
            module.is_returned = endpoint.idempotency is None
            module.line(f"{'return' if module.is_returned else 'answer ='} Answer.nothing()")
            keeping.finish(module, endpoint)


def _ask(module: Code, endpoint: PlannedEndpoint, operation: Operation) -> None:
    """Others are asked in their order, outside of any transaction; the owner's function hears what they answer."""
    heard = ports.heard(module.design, operation)
    for verb in operation.calls:
        given = [
            "call.deadline",
            *(["body"] if endpoint.request else []),
            "key=call.idempotency_key or call.request_id",
        ]
        asked = python.call(f"await service.{ports.attribute(module.design, verb, '')}", *given)
        told = ports.told(heard.index(verb), len(heard)) if verb in heard else ""
        name = verb.partition(".")[0]
        dependency = module.design.dependency(name)
        if not told or dependency is None or dependency.fallback is not Fallback.DEFAULT:
            module.put(asked, before=f"{told} = " if told else "")
            continue
        module.runtime("Unanswered")
        with module.block("try:"):
            module.put(asked, before=f"{told} = ")
        with module.block("except Unanswered:"):
            module.comment(f"Without {name} it goes on, and without what that would have told.")
            module.line(f"{told} = {{}}")


def _read(module: Module, endpoint: PlannedEndpoint, operation: Operation, *, has_object: bool) -> None:
    guards.opened(module, endpoint, takes=f"body: {module.shape(endpoint.request)}" if endpoint.request else "")
    with_depth(module)
    module.doc(endpoint.summary)
    if not has_object:
        _ask(module, endpoint, operation)
    opened = python.call("service.database.transaction", "call.deadline", 'isolation="repeatable_read"')
    with module.block(opened, before="async with ", after=" as tx:"):
        query = module.thing.query(endpoint.id, f"read-{names.kebab(module.thing.resource.name)}")
        if has_object and query is not None:
            given = {**module.caller(), "id": module.find_id(endpoint)}
            module.existing(module.send("tx.fetchrow", query, given))
            hooks.ask(module, operation, endpoint)
        else:
            hooks.ask_without_row(module, operation, endpoint)
    if operation.gives:
        module.put(python.call("Answer.of", "result", *_cache(endpoint)), before="return ")
    elif has_object:
        module.put(keeping.shown_expression(module, "row"), before=f"{module.thing.noun} = ")
        module.put(carrying.shown_answer(module, endpoint), before="return ")
    else:
        module.line("return Answer.nothing()")
    module.depth -= 1


def others(design: Design) -> Iterator[File]:
    """The operations that belong to no resource."""
    mine = [each for each in design.endpoints if names.module(design, each) == names.OTHERS]
    if not mine:
        return
    code = Code(design)
    code.runtime("Answer", "Call", "Operations")
    code.generated("service", "Service")
    for endpoint in mine:
        code.gap()
        operation = operation_of(design, endpoint)
        guards.opened(code, endpoint, takes=f"body: {code.shape(endpoint.request)}" if endpoint.request else "")
        with_depth(code)
        code.doc(endpoint.summary)
        if operation is None:
            code.runtime("Problem")
            code.comment("Whatever is accepted here has a status of its own; nothing is kept under this path.")
            code.line("del service, call")
            code.line('raise Problem("not-found")')
        elif endpoint.is_safe:
            _ask(code, endpoint, operation)
            opened = python.call("service.database.transaction", "call.deadline", 'isolation="repeatable_read"')
            with code.block(opened, before="async with ", after=" as tx:"):
                hooks.ask_without_row(code, operation, endpoint)
            given = "Answer.of(result)" if operation.gives else "Answer.nothing()"
            code.line(f"return {given}")
        else:
            _without_row(code, endpoint, operation)
        code.depth -= 1
    code.lines = ["", "operations: Operations[Service] = Operations()", *code.lines]
    text = code.text("Operations that belong to nothing that is kept.")
    yield File(path=names.source(design, f"_generated/{names.OTHERS}.py"), text=text)
