"""A graph's queries and mutations as operations, each with the method and the path that it would have by its meaning.

A query for one object by its identifier reads ENDPOINT/books/{id}, a mutation that makes one posts to ENDPOINT/books.
So whatever plans requests and tries experiments needs to know nothing of graphs."""

from __future__ import annotations

from collections.abc import Iterator

from nines.lab.graph import naming, values
from nines.lab.graph.selecting import Reach, Selecting
from nines.lab.requests.shapes import kind, settled, words
from nines.model.contract import Answer, Body, Contract, ContractParameter, Document, Operation, Schema
from nines.model.graph import GraphArgument, GraphField, GraphKind, GraphSchema
from nines.model.record import Record

OPERATIONS_MAX = 400
"""Of a larger graph the first queries and mutations are taken."""
_KEYS = ("idempotencykey", "clientmutationid")
_VERSIONS = ("version", "ifmatch", "etag", "lockversion", "expectedversion")
_MANY, _ONE = {"type": "array", "items": {"type": "object"}}, {"type": "string"}


class Place(Record):
    """An argument, or a member of the one input, that a path or a header stands for."""

    argument: GraphArgument
    variable: str
    """Dotted: "input.id"."""


def operations_of(
    schema: GraphSchema, endpoint: str, known: Contract, reach: dict[str, Reach] | None = None
) -> tuple[Operation, ...]:
    """`known` lends bounds and security of operations of the same name; `reach` says how far each may look."""
    writer = _Writer(schema, endpoint.rstrip("/") or "/graphql", known, reach or {})
    return tuple(writer.all())[:OPERATIONS_MAX]


class _Writer:
    def __init__(self, schema: GraphSchema, endpoint: str, known: Contract, reach: dict[str, Reach]) -> None:
        self._schema = schema
        self._endpoint = endpoint
        self._known = known
        self._reach = reach
        self._selecting = Selecting(schema)
        self._taken: set[tuple[str, str]] = set()
        self._inputs: values.Known = {}
        self._twins = {words(each.id): each for each in reversed(known.operations)}

    def all(self) -> Iterator[Operation]:
        # A list or a reading without demands is the one that others are known by.
        for field in sorted(self._schema.queries, key=self._demands):
            if not field.is_deprecated and not values.takes_file(self._schema, field.arguments):
                yield self._query(field)
        for field in sorted(self._schema.mutations, key=lambda field: naming.verb(field.name) != naming.CREATE):
            if not field.is_deprecated and not values.takes_file(self._schema, field.arguments):
                yield self._mutation(field)

    def _demands(self, field: GraphField) -> tuple[int, str]:
        return sum(argument.is_needed for argument in field.arguments), ""

    # --- what stands where ----------------------------------------------------------------------------

    def _query(self, field: GraphField) -> Operation:
        type, is_many = self._selecting.entity(field.type)
        needed = [argument for argument in field.arguments if argument.is_needed]
        named = naming.noun(type) if type else ()
        path = f"{self._endpoint}/{naming.kebab(words(field.name)) or field.name}"
        in_path: list[Place] = []
        if type and is_many and not needed:
            path = self._free("GET", f"{self._endpoint}/{naming.plural(named)}", path)
        elif type and not is_many:
            one = self._own_id(field, named, needed)
            if one is not None:
                wanted = f"{self._endpoint}/{naming.plural(named)}/{{{one.argument.name}}}"
                path = self._free("GET", wanted, f"{path}/{{{one.argument.name}}}")
                in_path = [one]
        return self._operation("query", "GET", path, field, in_path, is_many=is_many)

    def _own_id(self, field: GraphField, named: tuple[str, ...], needed: list[GraphArgument]) -> Place | None:
        """The one argument by which a query finds its object, however few of them are demanded."""
        if len(needed) > 1:
            return None
        among = needed or list(field.arguments)
        found = [each for each in among if not each.type.is_list and naming.names_id(each.name, named)]
        if not found and len(needed) == 1 and self._is_scalar(needed[0]) and words(needed[0].name)[-1:] == ("slug",):
            found = needed
        return Place(argument=found[0], variable=found[0].name) if found else None

    def _mutation(self, field: GraphField) -> Operation:
        verb = naming.verb(field.name)
        type = self._type_of(field)
        named = naming.noun(type) if type else naming.object_of(field.name)
        own = None if naming.is_door(field.name) else self._place_of_id(field, named)
        name = naming.kebab(words(field.name)) or field.name
        many = f"{self._endpoint}/{naming.plural(named)}" if named else f"{self._endpoint}/{name}"
        if naming.is_door(field.name) or not named:
            method, path = "POST", f"{self._endpoint}/{name}"
        elif own is not None:
            one = f"{many}/{{{own.argument.name}}}"
            method = verb if verb in (naming.CHANGE, naming.DELETE) else "POST"
            path = one if method != "POST" else f"{one}/{name}"
            path = self._free(method, path, f"{one}/{name}")
        elif verb in (naming.CHANGE, naming.DELETE):
            method, path = verb, f"{self._endpoint}/{naming.kebab(naming.object_of(field.name))}"
        else:
            method, path = "POST", self._free("POST", many, f"{many}/{name}")
        return self._operation("mutation", method, path, field, [own] if own else [], is_many=False)

    def _type_of(self, field: GraphField) -> str:
        """The type that a mutation is about: what it shows, or what its name speaks of."""
        stem = naming.object_of(field.name)
        named = [each.name for each in self._schema.objects() if naming.noun(each.name) == stem]
        found = next((name for name in named if self._selecting.identifier(name)), "")
        return found or self._selecting.entity(field.type)[0]

    def _place_of_id(self, field: GraphField, named: tuple[str, ...]) -> Place | None:
        for each in field.arguments:
            if self._is_scalar(each) and naming.names_id(each.name, named):
                return Place(argument=each, variable=each.name)
        for each in field.arguments:
            found = self._schema.type(each.type.name)
            if found is not None and found.kind is GraphKind.INPUT and not each.type.is_list:
                for inner in found.inputs:
                    if self._is_scalar(inner) and inner.type.is_required and naming.names_id(inner.name, named):
                        return Place(argument=inner, variable=f"{each.name}.{inner.name}")
        return None

    def _is_scalar(self, argument: GraphArgument) -> bool:
        found = self._schema.type(argument.type.name)
        return not argument.type.is_list and (found is None or found.kind is GraphKind.SCALAR)

    def _free(self, method: str, path: str, other: str) -> str:
        """The path that is meant, or another one where it is taken already."""
        key = (method, path.partition("{")[0] + path.rpartition("}")[2])
        if key in self._taken:
            return other
        self._taken.add(key)
        return path

    # --- the operation --------------------------------------------------------------------------------

    def _operation(
        self, root: str, method: str, path: str, field: GraphField, in_path: list[Place], *, is_many: bool
    ) -> Operation:
        twin = self._twin(field.name)
        held = {place.variable.partition(".")[0] for place in in_path if "." not in place.variable}
        rest = [each for each in field.arguments if each.name not in held]
        places = [(place.argument.name, place.variable) for place in in_path]
        parameters = [
            ContractParameter(name=p.argument.name, location="path", is_required=True, schema=self._sent(p.argument))
            for p in in_path
        ]
        for each in list(rest):
            header = _header_of(each) if root == "mutation" else ""
            if header or root == "query":
                rest.remove(each)
                parameters.append(
                    ContractParameter(
                        name=header or each.name,
                        location="header" if header else "query",
                        is_required=each.is_needed,
                        schema=self._sent(each),
                    )
                )
                places.append((header or each.name, each.name))
        body = self._body(rest, in_path, twin) if root == "mutation" else None
        kinds = [(p.name, kind(settled(p.schema))) for p in parameters if kind(settled(p.schema)) != "string"]
        return Operation(
            id=f"{root} {field.name}",
            method=method,
            path=path,
            summary=field.says,
            parameters=tuple(parameters),
            body=body,
            answers=(Answer(status="200", media_type="application/json", schema=self._shown(field, is_many=is_many)),),
            security=twin.security if twin is not None else self._security(),
            document=Document(
                endpoint=self._endpoint,
                text=self._text(root, field),
                template=path,
                places=tuple(places),
                kinds=tuple(kinds),
            ),
        )

    def _sent(self, argument: GraphArgument) -> Schema:
        return values.schema_of(self._schema, argument.type, self._inputs)

    def _body(self, rest: list[GraphArgument], in_path: list[Place], twin: Operation | None) -> Body | None:
        if not rest:
            return None
        schema = values.object_of(self._schema, tuple(rest), self._inputs)
        for place in in_path:
            around, _, inner = place.variable.partition(".")
            if inner:
                schema["properties"][around] = _without(schema["properties"][around], inner)
        if twin is not None and twin.body is not None:
            schema = values.bounded(schema, twin.body.schema)
            inputs = [name for name, rules in schema["properties"].items() if kind(settled(rules)) == "object"]
            for name in inputs[:1]:
                schema["properties"][name] = values.bounded(schema["properties"][name], twin.body.schema)
        return Body(media_type="application/json", schema=schema, is_required=True)

    def _shown(self, field: GraphField, *, is_many: bool) -> Schema:
        """As much of an answer as tells a list from a single object."""
        inner = _MANY if is_many else {"type": "object", "properties": {"id": _ONE}}
        return {"type": "object", "properties": {field.name: inner}}

    def _twin(self, name: str) -> Operation | None:
        """The operation of the contract that does the same, as its name says."""
        return self._twins.get(words(name))

    def _security(self) -> tuple[tuple[str, ...], ...]:
        found = self._known.at("POST", self._endpoint)
        return found.security if found is not None else ()

    def _text(self, root: str, field: GraphField) -> str:
        reach = self._reach.get(field.name, Reach.OBJECTS) if root == "query" else Reach.ITSELF
        return text_of(self._selecting, root, field, reach)


def text_of(selecting: Selecting, root: str, field: GraphField, reach: Reach) -> str:
    """The whole document; arguments that are not given have no value, as if they were not there."""
    # A variable that need not be given must not be demanded, though its argument would not take null.
    types = [(each.name, each.type.text if each.is_needed else each.type.text.rstrip("!")) for each in field.arguments]
    variables = ", ".join(f"${name}: {type}" for name, type in types)
    passed = ", ".join(f"{each.name}: ${each.name}" for each in field.arguments)
    head = f"{root} nines({variables})" if variables else f"{root} nines"
    selection = selecting.of(field.type.name, reach)
    return f"{head} {{ {field.name}{f'({passed})' if passed else ''} {selection}".rstrip() + " }"


def _without(held: Schema, member: str) -> Schema:
    inner = {name: rules for name, rules in held["properties"].items() if name != member}
    return {**held, "properties": inner, "required": [name for name in held["required"] if name != member]}


def _header_of(argument: GraphArgument) -> str:
    """Arguments that are headers elsewhere: a key that makes a request safe to repeat, the version that is changed."""
    plain = "".join(words(argument.name))
    if plain in _KEYS:
        return "Idempotency-Key"
    return "If-Match" if plain in _VERSIONS else ""
