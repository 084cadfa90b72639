"""Failures in a graph: errors whose extensions hold the code, the status and the retry_after of the same problem."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from graphql import GraphQLError

from nines_runtime.web.graph.naming import pointer
from nines_runtime.web.problem import RETRY_AFTER_S, Problem

ERRORS_MAX = 50
"""Of one answer: a list of hundreds may fail as one."""
HINT = re.compile(r" Did you mean .*\Z", re.DOTALL)
"""What graphql-core tells of the names that a schema has."""


def problem_of(error: BaseException) -> Problem:
    """What a caller is told about what was raised; of what nobody expected nothing."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TimeoutError):
        return Problem("unavailable", "It took longer than a request may.")
    return Problem("internal-error")


def told(problem: Problem, request_id: str, *, message: str = "") -> dict[str, Any]:
    """One error without its place."""
    kind = problem.kind
    extensions: dict[str, Any] = {"code": kind.code, "status": kind.status, "request_id": request_id}
    after_s = problem.retry_after_s if problem.retry_after_s is not None else RETRY_AFTER_S if kind.passes else None
    if after_s is not None:
        extensions["retry_after"] = max(1, math.ceil(after_s))
    if problem.errors:
        extensions["errors"] = [{"pointer": pointer(at), "detail": detail} for at, detail in problem.errors]
    return {"message": message or problem.detail or kind.detail, "extensions": extensions}


def of_execution(
    errors: Iterable[GraphQLError], request_id: str, unexpected: Callable[[BaseException], None]
) -> Iterator[dict[str, Any]]:
    """Those that arose while fields were carried out, each with its path; `unexpected` is told what nobody expected."""
    for number, error in enumerate(errors):
        if number >= ERRORS_MAX:
            return
        original = error.original_error
        if original is None or isinstance(original, GraphQLError):
            # graphql-core itself refuses an argument or a variable, in its own words: nothing of ours is in them.
            found = told(Problem("invalid-request"), request_id, message=HINT.sub("", error.message))
        else:
            problem = problem_of(original)
            if problem.kind.code == "internal-error":
                unexpected(original)
            found = told(problem, request_id)
        yield found | _place(error)


def of_document(message: str, error: GraphQLError, problem: Problem, request_id: str) -> dict[str, Any]:
    """One that its document has, and where."""
    return told(problem, request_id, message=message) | _place(error)


def _place(error: GraphQLError) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if error.locations:
        found["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path:
        found["path"] = error.path
    return found
