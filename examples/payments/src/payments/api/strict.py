"""What the framework leaves open: media types, unknown query parameters, and one shape for every error."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from payments.problems import MEDIA_TYPE, FieldError, Problem

ERRORS_MAX = 20


class StrictRoute(APIRoute):
    """A route that refuses what it does not know."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = {field.alias for field in self.dependant.query_params}
        has_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            unknown = [name for name in request.query_params if name not in known]
            if unknown:
                details = [FieldError(name[:64], "This parameter is not known.") for name in unknown[:ERRORS_MAX]]
                raise Problem(422, "invalid-request", "The request is not valid.", errors=details)
            if has_body and not _is_json(request.headers.get("content-type", "")):
                raise Problem(415, "unsupported-media-type", "The body must be application/json.")
            return await handle(request)

        return strict


def _is_json(content_type: str) -> bool:
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    return media_type.strip().lower() == "application/json" and charset in ("", "utf-8", "utf8")


def install(app: FastAPI) -> None:
    """Renders every error as problem details."""
    app.add_exception_handler(Problem, _render)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _render(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return Response(error.body(), error.status, media_type=MEDIA_TYPE, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: Sequence[Any] = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return await _render(request, Problem(400, "malformed-request", "The body is not valid JSON."))
    if any(one["loc"][0] == "path" for one in found):
        return await _render(request, Problem(404, "not-found", "There is no such object."))
    details = [FieldError(_pointer(one["loc"]), str(one["msg"])) for one in found[:ERRORS_MAX]]
    return await _render(request, Problem(422, "invalid-request", "The request is not valid.", errors=details))


def _pointer(location: Sequence[str | int]) -> str:
    """A JSON pointer into the body, or the name of a header or parameter."""
    place, *parts = location
    names = [str(part)[:64].replace("~", "~0").replace("/", "~1") for part in parts]
    return "".join(f"/{name}" for name in names) if place == "body" else ".".join(names)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = {
        400: ("malformed-request", "The request could not be read."),
        404: ("not-found", "There is nothing here."),
        405: ("method-not-allowed", "This method is not allowed here; see Allow."),
    }
    code, detail = known.get(error.status_code, ("refused", "The request was refused."))
    headers = {"allow": _allowed(request)} if error.status_code == 405 else dict(error.headers or {})
    return await _render(request, Problem(error.status_code, code, detail, headers=headers))


def _allowed(request: Request) -> str:
    """Of every operation with this path; the framework names only the first one's method."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    matching = (methods for path, methods in paths.items() if compile_path(path)[0].match(request.url.path))
    return ", ".join(sorted({method.upper() for methods in matching for method in methods}))
