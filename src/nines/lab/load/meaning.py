"""What the answer of a graph means: its errors become the status that they speak of, its version an entity tag.

A graph may answer 200 to everything; whatever judges exchanges knows statuses."""

from __future__ import annotations

import json
import re
from typing import Any

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SMALL_BYTES = 400
"""In a larger answer without errors there is more than one null."""
_NOT_FOUND, _UNPROCESSABLE, _INTERNAL = 404, 422, 500
_STATUS_OF_CODE = {
    "UNAUTHENTICATED": 401,
    "UNAUTHORIZED": 401,
    "NOT_AUTHENTICATED": 401,
    "INVALID_TOKEN": 401,
    "FORBIDDEN": 403,
    "PERMISSION_DENIED": 403,
    "ACCESS_DENIED": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "UNIQUE": 409,
    "TOO_MANY_REQUESTS": 429,
    "RATE_LIMITED": 429,
    "INTERNAL_SERVER_ERROR": 500,
    "INTERNAL_ERROR": 500,
    "INTERNAL": 500,
    "SERVICE_UNAVAILABLE": 503,
    "UNAVAILABLE": 503,
    "TIMEOUT": 504,
}
"""What servers and frameworks write into `extensions.code`, in capitals; what is not here is the caller's fault."""
_STATUS_OF_WORDS = (
    (r"not (be )?(authenticated|logged in|signed in)|unauthenticated|authentication|log ?in|credentials", 401),
    (r"permission|forbidden|not allowed|not authori[sz]ed|unauthori[sz]ed|access denied", 403),
    (r"not found|does(n't| not) exist|no such|matching query", 404),
)
"""Where an error has no code, its message is all there is."""
_INSIDE = re.compile(
    r"Traceback|psycopg|asyncpg|sqlalchemy|sqlite3|IntegrityError|OperationalError|DataError|ProgrammingError"
    r"|object has no attribute|unexpected keyword|NoneType|list index|internal (server )?error|unexpected error"
    r"|invalid input (for query|syntax)|badly formed hexadecimal|invalid literal for|division by zero"
    r"|duplicate key value|violates [a-z-]+ constraint|out of range for type|can't be encoded|codec can't",
    re.IGNORECASE,
)
"""Messages of failures that nobody foresaw: what a server without masking tells of its own exceptions."""
_ERROR_LISTS = ("errors", "userErrors", "fieldErrors")


def status_of(status: int | None, body: bytes) -> int | None:
    """What an answer's errors say, else what HTTP said: a graph may answer 200 to everything.

    A part that failed within a whole that succeeded is no failure, unless it is one of the service."""
    if status is None or not 200 <= status < 500 or not _may_fail(body):
        return status
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return status
    if not isinstance(answer, dict):
        return status
    errors = [each for each in answer.get("errors") or () if isinstance(each, dict)]
    data = answer.get("data")
    shown = list(data.values()) if isinstance(data, dict) else []
    has_whole = bool(shown) and all(value is not None for value in shown)
    found = [_status(each) for each in errors]
    worst = max((each for each in found if each >= _INTERNAL), default=0)
    if worst or (found and not has_whole):
        return worst or found[0]
    if status >= 400:
        return status
    if shown and not has_whole:
        return _NOT_FOUND
    return _refusal(shown[0]) or status if shown else status


def _may_fail(body: bytes) -> bool:
    return len(body) < _SMALL_BYTES or b'rrors"' in body or b"rror" in body[:_SMALL_BYTES]


def _status(error: dict[str, Any]) -> int:
    """Of one error: what it says itself, what its code means, or what its message speaks of."""
    extensions = error.get("extensions")
    told = extensions if isinstance(extensions, dict) else {}
    http = told.get("http")
    for value in (told.get("status"), told.get("statusCode"), http.get("status") if isinstance(http, dict) else None):
        if isinstance(value, int) and 400 <= value < 600:
            return value
    message = str(error.get("message"))
    code = told.get("code") or (told["exception"].get("code") if isinstance(told.get("exception"), dict) else None)
    if isinstance(code, str) and (known := _STATUS_OF_CODE.get("_".join(_WORD.findall(code)).upper() or code)):
        return known
    if "path" in error and _INSIDE.search(message):
        return _INTERNAL
    return next(
        (status for words, status in _STATUS_OF_WORDS if re.search(words, message, re.IGNORECASE)), _UNPROCESSABLE
    )


def _refusal(shown: Any) -> int | None:
    """What a payload says that failed without an error: {"ok": false}, {"errors": [{...}]}."""
    if not isinstance(shown, dict):
        return None
    for name in _ERROR_LISTS:
        listed = shown.get(name)
        if isinstance(listed, list) and listed:
            return _status({"message": str(listed[0]), "extensions": listed[0] if isinstance(listed[0], dict) else {}})
    is_refused = any(shown.get(name) is False for name in ("ok", "success"))
    if is_refused or re.search(r"Error|Problem|Failure", str(shown.get("__typename", ""))):
        return _status({"message": str(shown.get("message", ""))})
    return None


def tag_of(body: bytes) -> str:
    """The version of the one object that an answer shows, as an entity tag would tell it; "" where there is none."""
    try:
        data = json.loads(body)["data"]
        (shown,) = data.values()
        version = next(shown[name] for name in ("version", "etag", "lockVersion", "revision") if shown.get(name))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
        return ""
    return f'"{version}"' if isinstance(version, str | int) else ""
