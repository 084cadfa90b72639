"""The schema, bound: every field of it is a member, an operation, a link to other objects, or somebody's own function.

What cannot be bound is refused when the process starts, not when somebody asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from nines_runtime.web.graph.links import Children, Link, Load
from nines_runtime.web.graph.naming import camel, snake
from nines_runtime.web.graph.running import VERSION, Run
from nines_runtime.web.inside import Asked
from nines_runtime.web.operations import Operation
from nines_runtime.web.problem import Problem

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

KEY, IF_MATCH, BODY = "idempotencyKey", "version", "input"
Resolver = Callable[..., Any]
"""async (run, source, **arguments): for fields that no operation carries out; arguments in snake case."""
Info: TypeAlias = "GraphQLResolveInfo[Run]"
_encode = msgspec.json.Encoder().encode


def bound(
    text: str,
    operations: Mapping[str, Operation],
    links: Sequence[Link | Children],
    loads: Sequence[Load],
    resolvers: Mapping[str, Mapping[str, Resolver]],
) -> GraphQLSchema:
    """Raises ValueError where a field of Query or Mutation has nothing behind it."""
    schema = build_schema(text)
    roots = [each for each in (schema.query_type, schema.mutation_type) if each]
    by_field = {(each.type, each.field): each for each in links}
    versions = {each.type: each for each in loads}
    for each in schema.type_map.values():
        if each.name.startswith("__"):
            continue
        if isinstance(each, GraphQLInputObjectType):
            for name, member in each.fields.items():
                member.out_name = snake(name)
        for name, field in each.fields.items() if isinstance(each, GraphQLObjectType) else ():
            own = resolvers.get(each.name, {}).get(name)
            if own is not None:
                _bind_own(field, own)
            elif each in roots:
                _bind_operation(name, field, operations, is_change=each is schema.mutation_type)
            else:
                link = by_field.pop((each.name, name), None)
                field.resolve = _followed(link) if link else _told(name, versions.get(each.name))
    if by_field:
        type, name = next(iter(by_field))
        raise ValueError(f"The schema has no field {type}.{name}, and there is a link for it.")
    return schema


def _followed(link: Link | Children) -> Resolver:
    return _linked(link) if isinstance(link, Link) else _listed(link)


def _told(name: str, load: Load | None) -> Resolver:
    """A member, or the version."""
    if name != IF_MATCH:
        return _member(snake(name))
    return _versioned(load) if load else _version


def _bind_own(field: GraphQLField, own: Resolver) -> None:
    for name, argument in field.args.items():
        argument.out_name = snake(name)

    def resolve(source: Any, info: Info, **given: Any) -> Any:
        return own(info.context, source, **given)

    field.resolve = resolve


def _bind_operation(name: str, field: GraphQLField, operations: Mapping[str, Operation], *, is_change: bool) -> None:
    operation = operations.get(name)
    if operation is None:
        raise ValueError(f"The schema has a field {name}, and there is neither an operation nor a resolver for it.")
    if operation.source == "form":
        raise ValueError(f"{name} takes a form; a graph sends none.")
    places = dict(_places(operation))
    for argument in field.args:
        if argument not in places:
            raise ValueError(f"The field {name} has an argument {argument}, which its operation does not take.")
    missing = [each for each in _needed(operation) if not _is_required(field.args.get(each))]
    if missing:
        raise ValueError(f"The field {name} must require {', '.join(missing)}, as its operation does.")

    async def resolve(source: Any, info: Info, **given: Any) -> Any:  # noqa: ARG001 -- a root
        run = info.context
        return await run.carry_out(operation.id, _asked(places, given), is_change=is_change)

    field.resolve = resolve


def _places(operation: Operation) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every argument with where it goes."""
    for part in operation.path.split("/"):
        if part.startswith("{"):
            yield camel(part[1:-1]), ("path", part[1:-1])
    if operation.source == "query":
        for field in msgspec.structs.fields(operation.body):
            yield camel(field.encode_name), ("query", field.encode_name)
    if operation.source == "body":
        yield BODY, ("body", "")
    if operation.key is not None:
        yield KEY, ("header", "idempotency-key")
    yield IF_MATCH, ("header", "if-match")


def _needed(operation: Operation) -> Iterator[str]:
    for name, (place, _) in _places(operation):
        is_key = name == KEY and operation.key is not None and operation.key.is_required
        if place in ("path", "body") or is_key or (name == IF_MATCH and operation.needs_if_match):
            yield name


def _is_required(argument: GraphQLArgument | None) -> bool:
    return argument is not None and str(argument.type).endswith("!")


def _asked(places: Mapping[str, tuple[str, str]], given: Mapping[str, Any]) -> Asked:
    parameters: dict[str, str] = {}
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body = b""
    for name, value in given.items():
        place, member = places[name]
        if place == "body":
            body = _body(value)
            headers["content-type"] = "application/json"
        elif value is None:
            continue
        elif isinstance(value, str) and "\0" in value:
            raise Problem("invalid-parameter", errors=((member or name, "Must not hold U+0000."),))
        elif place == "path":
            parameters[member] = str(value)
        elif place == "query":
            query[member] = _text(value)
        else:
            headers[member] = f'"{value}"' if member == "if-match" else str(value)
    return Asked(parameters=parameters, query=query, headers=headers, body=body)


def _body(value: Any) -> bytes:
    try:
        return _encode(value)
    except (OverflowError, ValueError, TypeError, RecursionError):
        raise Problem("invalid-request", "The input holds what JSON cannot.") from None


def _text(value: Any) -> str:
    """As a query string has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)


def _member(key: str) -> Resolver:
    def resolve(source: Any, info: Info) -> Any:  # noqa: ARG001 -- as graphql-core calls it
        return source.get(key)

    return resolve


def _version(source: Any, info: Info) -> Any:
    """Where it cannot be read again it is told where it is known; a type without versions may call a member so."""
    return source.get(VERSION, source.get(info.field_name))


def _linked(link: Link) -> Resolver:
    def resolve(source: Any, info: Info) -> Any:
        held = source.get(link.member)
        run = info.context
        if isinstance(held, list):
            return [run.load(link.load, each) for each in held]
        return None if held is None else run.load(link.load, held)

    return resolve


def _listed(children: Children) -> Resolver:
    def resolve(source: Any, info: Info, first: int | None = None) -> Any:
        size = children.first if first is None else first
        if not 1 <= size <= children.first_max:
            raise Problem("invalid-parameter", errors=(("first", f"Must be from 1 to {children.first_max:,}."),))
        return info.context.children(children, source["id"], size)

    return resolve


def _versioned(load: Load) -> Resolver:
    """Of an object on a page, which comes without it, the version is read with all others of the page."""

    def resolve(source: Any, info: Info) -> Any:
        return source[VERSION] if VERSION in source else _later(info.context.load(load, source["id"]))

    return resolve


async def _later(found: Awaitable[Any]) -> Any:
    value = await found
    return None if value is None else value[VERSION]
