"""FastAPI and Starlette beside the edge: their failures as problem details, their routes with our callers.

app = FastAPI()
problems(app)

@app.get("/reports/{report_id}")
async def report(service: Service = Depends(service_of), caller: Caller = Depends(caller_with("auditor"))): ..."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from nines_runtime.web import middleware
from nines_runtime.web.asgi import Scope
from nines_runtime.web.caller import Authenticator, Caller
from nines_runtime.web.exchange import Exchange
from nines_runtime.web.problem import Problem

SERVICE, AUTHENTICATOR = "service", "authenticator"
"""Names in the state of a request."""
ERRORS_MAX = 20
_OF_STATUS = {
    400: "malformed-request", 401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    408: "request-timeout", 412: "precondition-failed", 413: "body-too-large", 415: "unsupported-media-type",
    422: "invalid-request", 428: "precondition-required", 429: "rate-limited", 503: "unavailable",
}  # fmt: skip


def problems(app: Starlette) -> None:
    """Every failure of the application becomes a problem detail; a handler that is there already stays."""
    handlers: dict[Any, Callable[..., Awaitable[Response]]] = {
        Problem: _problem,
        HTTPException: _http,
        RequestValidationError: _invalid,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        known = app.exception_handlers.get(kind)
        if known is None or getattr(known, "__module__", "").startswith("fastapi."):
            app.add_exception_handler(kind, handler)


def claims(app: Any, scope: Scope) -> bool:
    """Whether a route of the application takes this method on this path."""
    routes = getattr(getattr(app, "router", None), "routes", ())
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def service_of(request: Request) -> Any:
    """What the lifespan of the application made."""
    return getattr(request.state, SERVICE)


def caller_with(*roles: str) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: who asks, with one of the roles; without any, whoever showed who they are."""
    wanted = frozenset(roles)

    async def caller(request: Request) -> Caller:
        exchange = middleware.of(request.scope)
        authenticator: Authenticator = getattr(request.state, AUTHENTICATOR)
        found = await authenticator.authenticate(exchange.headers, address=exchange.address)
        if not found.subject:
            raise Problem("unauthorized", headers=((b"www-authenticate", b"Bearer"),))
        exchange.caller = found
        if wanted and found.roles.isdisjoint(wanted):
            raise Problem("forbidden")
        return found

    return caller


async def _problem(request: Request, problem: Problem) -> Response:
    exchange: Exchange = middleware.of(request.scope)
    exchange.problem = problem.kind.code
    answer = problem.answer(instance=exchange.path, request_id=exchange.request_id)
    response = Response(answer.body, status_code=answer.status, media_type=answer.media_type)
    response.raw_headers.extend(answer.headers)
    return response


async def _http(request: Request, error: HTTPException) -> Response:
    code = _OF_STATUS.get(error.status_code, "internal-error" if error.status_code >= 500 else "")
    if not code:
        return await _other(request, error)
    given: Mapping[str, str] = error.headers or {}
    headers = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.items())
    # Starlette's own words ("Not Found") say less than the catalogue's; the owner's say more.
    is_own = isinstance(error.detail, str) and error.detail.lower() != _phrase(error.status_code)
    return await _problem(request, Problem(code, error.detail if is_own else "", headers=headers))


async def _other(request: Request, error: HTTPException) -> Response:
    """A status that the catalogue has no code for: about:blank, as RFC 9457, 4.2.1 has it."""
    exchange = middleware.of(request.scope)
    body = {
        "type": "about:blank", "title": _phrase(error.status_code).capitalize(), "status": error.status_code,
        "instance": exchange.path, "request_id": exchange.request_id,
    }  # fmt: skip
    if error.status_code < 400 or error.status_code == 204:
        return Response(status_code=error.status_code, headers=dict(error.headers or {}))
    return Response(
        msgspec.json.encode(body),
        status_code=error.status_code,
        media_type="application/problem+json",
        headers=dict(error.headers or {}),
    )


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()[:ERRORS_MAX]
    of_body = [each for each in found if each["loc"][:1] == ("body",)]
    if any(each["type"] == "json_invalid" for each in found):
        return await _problem(request, Problem("malformed-request"))
    if of_body:
        errors = tuple((_pointer(each["loc"][1:]), f"{each['msg']}.") for each in of_body)
        return await _problem(request, Problem("invalid-request", errors=errors))
    errors = tuple((str(each["loc"][-1]), f"{each['msg']}.") for each in found)
    if any(each["loc"][:1] == ("path",) for each in found):
        return await _problem(request, Problem("not-found"))
    return await _problem(request, Problem("invalid-parameter", errors=errors))


async def _unexpected(request: Request, error: Exception) -> Response:
    middleware.of(request.scope).error = error
    return await _problem(request, Problem("internal-error"))


def _pointer(location: tuple[Any, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return "failed"
