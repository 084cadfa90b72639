"""Functions of the owner: where they are asked, with what, and the files in which they are first written."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import ports, rows, values
from nines.building.resources.code import Code, Module
from nines.building.resources.facts import LOCALS, Thing, blueprint_of, thing_of, things
from nines.model.blueprint import Action, Consumer, Field, FieldKind, Job, Operation
from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.design import Design, PlannedColumn, PlannedEndpoint

_OUTCOMES = 'Raise Problem("refused", "...") where it must not happen.'


def is_hooked(operation: Operation) -> bool:
    return bool(operation.hook) or operation.do is Action.CUSTOM


def module_name(asked: Operation | Job | Consumer) -> str:
    return names.snake(asked.hook or asked.name)


def function_name(design: Design, asked: Operation | Job | Consumer) -> str:
    """That of the hook; where several ask it, each has a function of its own."""
    users = [each for each in _all(design) if module_name(each) == module_name(asked)]
    return module_name(asked) if len(users) == 1 else names.snake(asked.name)


def _all(design: Design) -> list[Operation | Job | Consumer]:
    blueprint = blueprint_of(design)
    operations = [each for each in blueprint.operations if is_hooked(each) and each.do not in OF_ACCOUNTS]
    consumers = (each for each in blueprint.consumers if each.hook)
    return [*operations, *(job for job in blueprint.jobs if job.hook), *consumers]


def imported(code: Code, asked: Operation | Job | Consumer) -> str:
    """Imports the function and tells how it is called."""
    name, where = function_name(code.design, asked), module_name(asked)
    called = f"{where}_hook" if where in _names(code.design, asked) else where
    code.imports.add(f"{code.package}.operations", f"{where} as {called}" if called != where else where)
    return f"{called}.{name}"


def _names(design: Design, asked: Operation | Job | Consumer) -> frozenset[str]:
    """What functions and variables of generated modules are called."""
    inner = ("reserve",) if not isinstance(asked, Consumer) and asked.calls else ()
    functions = (names.snake(each.id) for each in design.endpoints)
    jobs = (names.snake(each.name) for each in design.jobs)
    nouns = (found.noun for found in things(design))
    lists = (names.snake(field.name) for found in things(design) for field in found.lists())
    return LOCALS.union(functions, jobs, nouns, lists, inner)


def ask(module: Module, operation: Operation, endpoint: PlannedEndpoint, *, row: str = "row") -> None:
    """Opens the locked row for the owner's function."""
    thing = module.thing
    module.line(f"{thing.noun} = {module.row_of(row)}")
    given = ["tx", "call", thing.noun, *(["body"] if endpoint.request else [])]
    before = "result = " if operation.gives else ""
    module.line(f"{before}await {imported(module, operation)}({', '.join(given)})")


def ask_without_row(module: Code, operation: Operation, endpoint: PlannedEndpoint) -> None:
    before = "result = " if operation.gives else ""
    given = ["tx", "call", *(["body"] if endpoint.request else []), *heard(module.design, operation)]
    module.line(f"{before}await {imported(module, operation)}({', '.join(given)})")


def heard(design: Design, operation: Operation) -> list[str]:
    """The variables of what others answered, for the owner's function."""
    found = ports.heard(design, operation)
    return [ports.told(index, len(found)) for index in range(len(found))]


def draft(module: Module, operation: Operation) -> None:
    """The new row as it would be, for the owner's function to change."""
    thing = module.thing
    columns = rows.columns(thing)
    parts = [python.named(values.attribute(column.name), _drafted(module, column)) for column in columns]
    module.put(python.call(module.shape(thing.kept), *parts), before=f"{thing.noun} = ")
    module.line(f"await {imported(module, operation)}(tx, call, {thing.noun}, body)")


def _drafted(module: Module, column: PlannedColumn) -> str:
    thing = module.thing
    if column.name == "id":
        return module.id
    if column.name == thing.tenant:
        return module.tenant()
    if column.name == "owner_id" and not column.member:
        return module.subject()
    if column.name == "status" and not column.member:
        return python.quoted(thing.resource.states[0].name)
    if column.name == "version" and not column.member:
        return column.default or "1"
    field = thing.field_of(column)
    if field is None or field.is_read_only:
        return values.blank(thing, column, module.imports)
    return values.opened_member(thing, column, "body", module.imports)


def merged(module: Module, operation: Operation, before: str) -> None:
    """The row with the change in it, for the owner's function."""
    module.line(f"{module.thing.noun} = {module.row_of(before)}")
    merge(module)
    module.line(f"await {imported(module, operation)}(tx, call, {module.thing.noun}, body)")


def merge(module: Module) -> None:
    """Whatever was sent stands in the row."""
    thing = module.thing
    module.imports.add("msgspec", "UNSET")
    for column in rows.columns(thing):
        field = thing.field_of(column)
        if field is None or field.is_read_only:
            continue
        head = values.attribute(column.member.partition(".")[0])
        value = values.opened_member(thing, column, "body", module.imports)
        value = f"({value})" if " if " in value else value
        kept = f"{thing.noun}.{values.attribute(column.name)}"
        module.lines += python.assigned(kept, f"{kept} if body.{head} is UNSET else {value}", depth=module.depth)


def decided(module: Module, column: PlannedColumn) -> str:
    """A column of the row after the owner's function saw it."""
    thing = module.thing
    name = column.name
    if values.is_digest(thing, column):
        field = thing.field_of(column)
        name = field.name if field else name
    value = f"{thing.noun}.{values.attribute(name)}"
    if column.is_encrypted or values.is_digest(thing, column):
        found = values.sealed(thing, column, value, module.id, module.imports)
        return f"None if {value} is None else {found}" if column.is_nullable else found
    return value


def write(design: Design) -> Iterator[File]:
    """The owner's files: one for each hook, created once."""
    blueprint = blueprint_of(design)
    found: dict[str, list[Operation | Job | Consumer]] = {}
    for each in _all(design):
        found.setdefault(module_name(each), []).append(each)
    for name, users in found.items():
        code = Code(design)
        for index, each in enumerate(users):
            code.gap() if index else code.line()
            if index == 0:
                code.line()
            if isinstance(each, Operation):
                _operation(code, each)
            elif isinstance(each, Consumer):
                _consumer(code, each)
            else:
                _job(code, each)
        asked = ", ".join(each.name for each in users)
        says = f"Yours: what {asked} asks before anything is written."
        yield File(path=names.source(design, f"operations/{name}.py"), text=code.text(says), is_owned=True)
    if found or any(each.posts for each in blueprint.operations):
        text = '"""Yours: what the blueprint leaves to be decided in Python."""\n'
        yield File(path=names.source(design, "operations/__init__.py"), text=text, is_owned=True)


def _operation(code: Code, operation: Operation) -> None:
    thing = thing_of(code.design, operation.on) if operation.on else None
    endpoint = code.design.endpoint(operation.name)
    assert endpoint is not None
    code.runtime("Call", "Connection")
    parts = ["tx: Connection", "call: Call"]
    has_row = thing is not None and operation.do is not Action.DELETE and gets_row(operation, endpoint)
    if thing is not None and has_row:
        parts.append(f"{thing.noun}: {code.shape(thing.kept)}")
    if endpoint.request:
        parts.append(f"body: {code.shape(endpoint.request)}")
    for each in heard(code.design, operation):
        code.imports.add("typing", "Any")
        parts.append(f"{each}: dict[str, Any]")
    result = code.shape(endpoint.success.shape) if operation.gives and endpoint.success else "None"
    head = python.Group(
        head=f"async def {function_name(code.design, operation)}", parts=tuple(parts), tail=f" -> {result}"
    )
    with code.block(head):
        default = _default(code, thing, operation) if thing is not None and has_row else []
        _says(code, operation, thing if has_row else None, is_decided=bool(default))
        for line in default:
            code.line(line)
        if operation.gives and not default:
            code.runtime("Problem")
            code.line(f'raise Problem("unavailable", "{operation.name} is not written yet.")')


def gets_row(operation: Operation, endpoint: PlannedEndpoint) -> bool:
    return operation.do is not Action.CUSTOM or "{" in endpoint.path


def _says(code: Code, operation: Operation, thing: Thing | None, *, is_decided: bool) -> None:
    what = operation.says or f"Decides whether {operation.name} may happen."
    lines = [what.rstrip(".") + "."]
    if thing is not None:
        lines.append(f"Whatever is changed in `{thing.noun}` is kept.")
    if not operation.gives:
        lines.append(_OUTCOMES)
        if not is_decided:
            lines.append("Nothing is decided here yet: every request that the contract allows goes through.")
    code.lines += _paragraphs(lines, code.depth)


def _paragraphs(sentences: list[str], depth: int) -> list[str]:
    """A first line, and the rest as a paragraph below it."""
    first, *rest = sentences
    if not rest:
        return python.docstring(first, depth=depth)
    indent = python.INDENT * depth
    opened = python.docstring(first, depth=depth)
    opened[-1] = opened[-1].removesuffix('"""').rstrip()
    body = python.comment(" ".join(rest), depth=depth)
    told = [each.replace(f"{indent}# ", indent, 1) for each in body]
    last = told[-1] + '"""'
    return [*opened, "", *told[:-1], last] if len(last) <= python.WIDTH else [*opened, "", *told, f'{indent}"""']


def _default(code: Code, thing: Thing, operation: Operation) -> list[str]:
    """An amount that is given back or taken is added to the member that counts it, within its invariant."""
    amounts = [field for field in operation.takes if field.kind in (FieldKind.INT32, FieldKind.INT64)]
    counters = [field for field in thing.resource.fields if field.is_read_only and field.default == 0]
    if len(amounts) != 1 or len(counters) != 1 or operation.do is Action.CREATE:
        return []
    counter, amount = counters[0], amounts[0]
    bound = next((each for each in thing.resource.invariants if each.startswith(f"{counter.name} <= ")), "")
    column = _column(thing, bound.partition(" <= ")[2]) if bound else ""
    if not column:
        return []
    code.runtime("Problem")
    noun, name, more = thing.noun, values.attribute(counter.name), f"body.{values.attribute(amount.name)}"
    return [
        "del tx, call  # Here when they are needed.",
        f"if {noun}.{name} + {more} > {noun}.{column}:",
        '    raise Problem("refused", "That is more than is left.")',
        f"{noun}.{name} += {more}",
    ]


def _column(thing: Thing, path: str) -> str:
    """The column of a path such as amount.amount_minor; "" where it is no plain path."""
    wanted = ".".join(names.column(part) for part in path.split("."))
    return next((c.name for c in thing.table.columns if c.member == wanted), "")


def _job(code: Code, job: Job) -> None:
    thing = thing_of(code.design, job.on) if job.on else None
    name = function_name(code.design, job)
    if thing is None or not job.from_state:
        code.runtime("Deadline")
        code.generated("service", "Service")
        with code.block(f"async def {name}(service: Service, deadline: Deadline) -> None:"):
            code.lines += _paragraphs(
                [job.says or f"What {job.name} does at each of its turns.", "Nothing is done here yet."], code.depth
            )
        return
    if job.calls:
        code.runtime("Deadline")
        code.generated("service", "Service")
        parts = ["service: Service", "deadline: Deadline", f"{thing.noun}: {code.shape(thing.kept)}"]
    else:
        code.runtime("Connection")
        parts = ["tx: Connection", f"{thing.noun}: {code.shape(thing.kept)}"]
    head = python.Group(head=f"async def {name}", parts=tuple(parts), tail=" -> None")
    with code.block(head):
        says = [job.says or f"Decides whether {job.name} may take it."]
        says.append("Raise TooEarly(wait_s) where its time has not come, GiveUp where it never comes.")
        expiry = _expiry(thing)
        if expiry:
            code.runtime("TooEarly")
            code.imports.add("datetime", "UTC", "datetime")
            code.lines += _paragraphs(says, code.depth)
            code.line(f"left = {thing.noun}.{expiry} - datetime.now(UTC)")
            with code.block("if left.total_seconds() > 0:"):
                code.line("raise TooEarly(left.total_seconds())")
        else:
            says.append("Nothing is decided here yet: each is taken at once.")
            code.lines += _paragraphs(says, code.depth)


def _consumer(code: Code, consumer: Consumer) -> None:
    thing = thing_of(code.design, consumer.on) if consumer.on else None
    planned = next(each for each in code.design.jobs if each.name == consumer.name)
    shape = planned.receives.shape if planned.receives else ""
    code.runtime("Connection")
    if not shape:
        code.runtime("Told")
    parts = ["tx: Connection", *([f"{thing.noun}: {code.shape(thing.kept)}"] if thing else [])]
    parts.append(f"data: {code.shape(shape)}" if shape else "told: Told")
    head = python.Group(head=f"async def {function_name(code.design, consumer)}", parts=tuple(parts), tail=" -> None")
    with code.block(head):
        says = [consumer.says or planned.says]
        if thing is not None:
            says.append(f"Whatever is changed in `{thing.noun}` is kept.")
        says.append("Raise GiveUp where it never will be taken, NotNow where it is to be tried again.")
        says.append("Nothing is decided here yet.")
        code.lines += _paragraphs(says, code.depth)


def _expiry(thing: Thing) -> str:
    """The member that tells when its time is over."""
    found: list[Field] = [f for f in thing.resource.fields if f.kind is FieldKind.TIMESTAMP and not f.is_optional]
    return next((names.snake(f.name) for f in found if names.snake(f.name) in ("expires_at", "due_at", "ends_at")), "")
