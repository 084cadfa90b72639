"""sqlglot's parser, made harmless: it never raises, prints nothing, and serves one thread at a time."""

from __future__ import annotations

import logging
import threading

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_PARSING = threading.Lock()
"""sqlglot's logger is silenced for a moment, which two threads must not do at once."""
_LOGGER = logging.getLogger("sqlglot")
FAILURES = (SqlglotError, RecursionError, ValueError, AttributeError, KeyError, IndexError, TypeError)
"""Half-written SQL takes sqlglot's parser and trees to places that its own errors do not cover."""


def parsed(text: str) -> list[exp.Expression] | None:
    """The statements of a text in PostgreSQL's dialect; None where it cannot be parsed."""
    with _PARSING:
        was_disabled, _LOGGER.disabled = _LOGGER.disabled, True
        try:
            return [tree for tree in sqlglot.parse(text, dialect="postgres") if isinstance(tree, exp.Expression)]
        except FAILURES:
            return None
        finally:
            _LOGGER.disabled = was_disabled
