"""Statements that a driver or a pool sends for itself, and that say nothing about the service."""

from __future__ import annotations

import re

from nines.lab.record.sqltext import without_comments

_FIRST_WORDS = frozenset(
    (
        "set",
        "show",
        "reset",
        "discard",
        "deallocate",
        "prepare",
        "listen",
        "unlisten",
        "close",
        "fetch",
        "move",
        "explain",
    )
)
_WHOLE = re.compile(
    r"""select \s+ (?:
        -?\d+ (?: \s+ as \s+ \w+ )?                            # select 1
      | '[^']*' (?: ::\w+ )? (?: \s+ as \s+ \w+ )?             # select 'ping'
      | null | true
      | (?: pg_catalog\. )? (?: version | current_schema | current_database | current_user | now
                              | pg_is_in_recovery | pg_backend_pid | txid_current ) (?: \(\) )?
        (?: \s+ as \s+ \w+ )?
      | current_setting \( [^)]* \) .*
      | (?: pg_catalog\. )? set_config \( .* \) .*
      | (?: pg_catalog\. )? pg_advisory_unlock_all \(\)
      | cast \( 'test .* \) .*
    ) \s* ;? \s* """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CATALOGUE = re.compile(
    r"\b(?:from|join|update|into)\s+\(?\s*(?:only\s+)?(?:pg_catalog\s*\.|information_schema\s*\.|\"?pg_(?:type|class|attribute|namespace"
    r"|index|constraint|proc|database|roles|range|enum|description|settings|extension|am|opclass|collation|locks"
    r"|stat_\w+|attrdef|sequence|tables|indexes|views|depend|inherits|timezone_names|available_extensions)\b)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'(?:[^']|'')*'")


def is_housekeeping(text: str) -> bool:
    """Settings, pings, and look-ups of types and tables in PostgreSQL's own catalogue."""
    bare = without_comments(text).strip().rstrip(";").strip()
    if not bare:
        return True
    if bare.split(None, 1)[0].lower() in _FIRST_WORDS:
        return True
    return _WHOLE.fullmatch(bare) is not None or _CATALOGUE.search(_QUOTED.sub("''", bare)) is not None
