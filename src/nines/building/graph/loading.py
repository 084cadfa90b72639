"""`_generated/graph.py`: the graph over the operations, and how objects are read together that others lead to."""

from __future__ import annotations

from msgspec.structs import replace

from nines.building import names, python
from nines.building.resources import guards, keeping, shapes, values
from nines.building.resources.code import Code, Shared
from nines.building.resources.facts import Thing, blueprint_of, thing_of
from nines.model.blueprint import Limit
from nines.model.design import Design, PlannedQuery
from nines.model.design.graph import GRAPHQL, PlannedLink, PlannedLoad, field_name, links, loads, type_name

RUNTIME = "nines_runtime.web"
_KEYS = "keys"
"""The parameter with the identifiers."""


def text(design: Design) -> str:
    code = Code(design)
    code.imports.add(RUNTIME, "graph")
    code.imports.add("pathlib", "Path")
    code.runtime("Call", "Operations")
    code.generated("service", "Service")
    code.generated("settings", "GeneratedSettings")
    code.line()
    code.line('SCHEMA = Path(__file__).with_name("schema.graphql")')
    code.gap()
    _served(code)
    for load in loads(design):
        code.gap()
        _load(code, load)
    for link in links(design):
        if link.is_children:
            code.gap()
            _children(code, link)
    code.gap()
    _tables(code)
    return code.text("The graph: every operation as a field, and what objects lead to, read at once for each level.")


def _served(code: Code) -> None:
    parts = ("operations: Operations[Service]", "settings: GeneratedSettings")
    with code.block(python.Group(head="def with_graph", parts=parts, tail=" -> Operations[Service]")):
        code.doc("The operations, and POST /graphql that carries them out; its schema is told on a laptop alone")
        given: list[python.Part] = [
            'SCHEMA.read_text(encoding="utf-8")',
            "operations",
            "links=LINKS",
            "loads=LOADS",
            'introspection=settings.environment == "local"',
        ]
        limit = _limit(code.design)
        if limit is not None:
            code.runtime("Limit")
            given.append(python.named("limit", guards.limit(limit)))
        code.put(python.call("graph.Graph", *given), before="served: graph.Graph[Service] = ")
        code.line("return Operations(operations, served.operations)")


def _limit(design: Design) -> Limit | None:
    """Documents are counted as requests are that have no limit of their own; their operations are counted besides."""
    found = next((each for each in blueprint_of(design).limits if not each.operation), None)
    return replace(found, operation=GRAPHQL) if found else None


def _load(code: Code, load: PlannedLoad) -> None:
    thing, query = _of(code.design, load.resource, load.query)
    module = Shared(code, thing)
    name = _function(thing)
    parts = ("service: Service", "call: Call", f"{_KEYS}: list[str]")
    with code.block(python.Group(head=f"async def {name}", parts=parts, tail=" -> list[graph.Found]")):
        code.doc(f"{_plural(thing)} by their identifiers, as {load.endpoint} shows one")
        given = {**module.caller(), "id[]": _identifiers(module, thing)}
        code.put(module.send("service.database.fetch", query, given), before="rows = await ")
        _answered(module, thing, load.endpoint)


def _children(code: Code, link: PlannedLink) -> None:
    design = code.design
    thing, query = _of(design, link.target, link.query)
    parent = thing_of(design, link.resource)
    assert parent is not None
    module = Shared(code, thing)
    parts = ("service: Service", "call: Call", f"{_KEYS}: list[str]", "first: int")
    with code.block(
        python.Group(head=f"async def {_children_function(link)}", parts=parts, tail=" -> list[graph.Found]")
    ):
        code.doc(f"The first {_plural(thing).lower()} of each {parent.spoken}, as {link.endpoint} shows them")
        given = {**module.caller(), f"{link.column}[]": _identifiers(module, parent), "limit": "first"}
        code.put(module.send("service.database.fetch", query, given), before="rows = await ")
        _answered(module, thing, link.endpoint)


def _answered(module: Shared, thing: Thing, endpoint: str) -> None:
    """The rows as callers see them, with the lists that they have."""
    given: list[python.Part] = ["row", *(["service.cipher"] if values.is_sealed(thing) else [])]
    if thing.lists():
        module.line('ids = [row["id"] for row in rows]')
    for field in thing.lists():
        base = f"read-{names.kebab(field.name)}-of-{names.kebab(thing.table.name)}"
        query = next(each for each in thing.design.queries if endpoint in each.used_by and each.base == base)
        variable = keeping.lists_variable(field)
        sent = module.send("service.database.fetch", query, {query.parameters[0]: "ids"})
        module.put(sent, before=f"{variable} = await ")
        module.generated("shapes", "grouped")
        parent = python.quoted(query.parameters[0].removesuffix("[]"))
        module.line(f"{variable}_of = grouped({variable}, {parent})")
        given.append(f'{values.attribute(shapes.member(field))}={variable}_of.get(row["id"], ())')
    keeping.audit_read(module, id='"page"', changes='{"rows": len(rows)}')
    shown = python.flat(python.call(f"{module.shape(thing.shape)}.of", *given))
    version = ', row["version"]' if thing.is_versioned else ""
    whole = f"return [graph.Found({shown}{version}) for row in rows]"
    if len(whole) + len(python.INDENT) <= python.WIDTH:
        module.line(whole)
        return
    module.line("return [")
    module.line(f"{python.INDENT}graph.Found({shown}{version})")
    module.line(f"{python.INDENT}for row in rows")
    module.line("]")


def _tables(code: Code) -> None:
    """Links by the type and the field that they are in the schema."""
    design = code.design
    made = {}
    names_of = []
    for load in loads(design):
        thing, _ = _of(design, load.resource, load.query)
        name = f"_{names.constant(thing.table.name)}"
        made[load.resource] = name
        names_of.append(name)
        parts = (
            f"type={python.quoted(type_name(thing.shape))}",
            f"operation={python.quoted(load.endpoint)}",
            f"fetch={_function(thing)}",
        )
        code.put(python.call("graph.Load", *parts), before=f"{name} = ")
    code.put(python.row(*names_of), before="LOADS: tuple[graph.Load, ...] = ")
    found = [_link(design, each, made) for each in links(design)]
    code.put(python.row(*found), before="LINKS: tuple[graph.Link | graph.Children, ...] = ")


def _link(design: Design, link: PlannedLink, made: dict[str, str]) -> python.Group:
    parts = [f"type={python.quoted(type_name(link.resource))}", f"field={python.quoted(field_name(link.name))}"]
    if not link.is_children:
        return python.call("graph.Link", *parts, f"member={python.quoted(link.member)}", f"load={made[link.target]}")
    thing = thing_of(design, link.target)
    column = thing.table.column(link.column) if thing else None
    parts.append(f"member={python.quoted(column.member if column and column.member else link.column)}")
    parts += [f"operation={python.quoted(link.endpoint)}", f"fetch={_children_function(link)}"]
    return python.call("graph.Children", *parts, f"first={link.first}", f"first_max={link.first_max}")


def _of(design: Design, resource: str, query: str) -> tuple[Thing, PlannedQuery]:
    thing, found = thing_of(design, resource), design.query(query)
    assert thing is not None
    assert found is not None
    return thing, found


def _identifiers(module: Shared, thing: Thing) -> str:
    if not thing.prefix:
        module.imports.add("uuid", "UUID")
        return f"[UUID(each) for each in {_KEYS}]"
    module.runtime("as_identifier")
    return f"[as_identifier(each, {python.quoted(thing.prefix)}) for each in {_KEYS}]"


def _function(thing: Thing) -> str:
    return f"_{names.snake(thing.table.name)}"


def _children_function(link: PlannedLink) -> str:
    return f"_{link.name}_of_{names.snake(link.resource)}_by_{link.column}"


def _plural(thing: Thing) -> str:
    spoken = names.spoken(thing.table.name)
    return spoken[:1].upper() + spoken[1:]
