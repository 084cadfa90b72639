"""The protocol's server: lists what was found, calls it, and makes of every error one that says what to do next."""

from __future__ import annotations

import traceback
from typing import Any

import anyio
import mcp_types as types
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from nines import __version__
from nines.mcp import prompts, resources, tool
from nines.mcp.call import Call
from nines.mcp.desk import Desk
from nines.mcp.roots import Roots
from nines.mcp.tool import Tool
from nines.mcp.workshop import Tell, Workshop
from nines.model.errors import NinesError, UsageError
from nines.model.record import Record
from nines.verbs.reading import is_debugging

NAME = "nines"
_ROOTS_LIMIT_S = 5.0
_ROOTS_KEY = "roots"
_RESOURCES_AT_ONCE = 100
_CACHE_MS = 60_000
_PATH_CHARACTERS_MAX = 4_096

Context = ServerRequestContext[Any, Any]


class Engineer:
    """One server: its allowed folders, its desk, its workshop."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._desk = Desk()
        self._workshop = Workshop()

    def server(self) -> Server[Any]:
        return Server(
            NAME,
            version=__version__,
            title="nines, a backend reliability engineer",
            instructions=prompts.instructions(),
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
        )

    async def _list_tools(self, _: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(each) for each in tool.discover()], ttl_ms=_CACHE_MS)

    async def _call_tool(
        self, context: Context, asked: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        wanted = next((each for each in tool.discover() if each.name == asked.name), None)
        if wanted is None:
            there = ", ".join(each.name for each in tool.discover())
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no tool {asked.name!r}; there are: {there}")
        try:
            roots = await self._allowed(context, asked)
            if isinstance(roots, types.InputRequiredResult):
                return roots
            return await self._called(context, wanted, asked.arguments or {}, roots)
        except NinesError as error:
            return _failed(str(error))
        except Exception as error:
            if is_debugging():
                traceback.print_exc()
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            return _failed(
                f"something unexpected went wrong: {said}\nThis is a defect of nines: call it on the command line with "
                "NINES_DEBUG=1, and report what it prints, please."
            )

    async def _called(
        self, context: Context, wanted: Tool, arguments: dict[str, Any], roots: Roots
    ) -> types.CallToolResult:
        call = Call(desk=self._desk, roots=roots, workshop=self._workshop, tell=_telling(context))
        return _answered(await wanted.run(call, wanted.understood(arguments)))

    async def _allowed(self, context: Context, asked: types.CallToolRequestParams) -> Roots | types.InputRequiredResult:
        """The owner's folders and those of the client, which is asked only where a path is outside the first."""
        if _stays_inside(self._roots, asked.arguments or {}):
            return self._roots
        capabilities = context.session.client_capabilities
        if capabilities is None or capabilities.roots is None:
            return self._roots
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            answer = (asked.input_responses or {}).get(_ROOTS_KEY)
            if answer is None:
                return types.InputRequiredResult(input_requests={_ROOTS_KEY: types.ListRootsRequest()})
            return self._roots.with_uris(_uris(answer))
        with anyio.move_on_after(_ROOTS_LIMIT_S):
            found = await context.session.send_request(types.ListRootsRequest(), types.ListRootsResult)
            return self._roots.with_uris(_uris(found))
        return self._roots

    async def _list_prompts(self, _: Context, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=prompts.listed(), ttl_ms=_CACHE_MS)

    async def _get_prompt(self, _: Context, asked: types.GetPromptRequestParams) -> types.GetPromptResult:
        with _as_protocol_error():
            return prompts.filled(asked.name, asked.arguments or {})

    async def _list_resources(
        self, _: Context, asked: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        everything = resources.listed(self._desk)
        with _as_protocol_error():
            offset = resources.offset_of(asked.cursor if asked else None)
        end = offset + _RESOURCES_AT_ONCE
        return types.ListResourcesResult(
            resources=everything[offset:end],
            next_cursor=resources.cursor_at(end) if end < len(everything) else None,
        )

    async def _list_templates(
        self, _: Context, __: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=resources.templates(), ttl_ms=_CACHE_MS)

    async def _read_resource(self, _: Context, asked: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        with _as_protocol_error():
            return resources.read(self._desk, str(asked.uri))


class _as_protocol_error:  # noqa: N801 -- used like a function
    """Prompts and resources have no results that are errors: theirs are the protocol's."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NinesError):
            raise MCPError(code=types.INVALID_PARAMS, message=str(error)) from None


def _described(each: Tool) -> types.Tool:
    return types.Tool(
        name=each.name,
        title=each.info.title,
        description=each.info.says,
        input_schema=each.input_schema,
        output_schema=each.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=each.info.is_read_only,
            destructive_hint=False,
            idempotent_hint=each.info.is_read_only,
            open_world_hint=False,
        ),
    )


def _answered(result: Record) -> types.CallToolResult:
    text = msgspec.json.encode(result).decode()
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=msgspec.to_builtins(result))


def _failed(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)


def _telling(context: Context) -> Tell:
    """Progress in seconds since the call began; its total is what is expected, where that is known."""
    begun_s = anyio.current_time()

    async def tell(text: str, remaining_s: float | None) -> None:
        elapsed_s = anyio.current_time() - begun_s
        total_s = elapsed_s + remaining_s if remaining_s is not None else None
        # Nothing that a client does with progress may end the work.
        try:
            await context.session.report_progress(elapsed_s, total_s, text)
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    return tell


def _stays_inside(roots: Roots, arguments: dict[str, Any]) -> bool:
    """Whether no argument could be a path that leaves the owner's folders; only such a one is a reason to ask."""
    for value in arguments.values():
        if isinstance(value, str) and "\0" not in value and len(value) <= _PATH_CHARACTERS_MAX:
            try:
                roots.inside(value)
            except UsageError:
                return False
    return True


def _uris(answer: object) -> tuple[str, ...]:
    found = answer if isinstance(answer, types.ListRootsResult) else None
    return tuple(str(root.uri) for root in found.roots) if found else ()
