"""Understands SQL texts, each only once."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec.structs import replace
from sqlglot import exp

from nines.model.effect import Rows
from nines.model.statement import Comparison, Statement, Written
from nines.readers.sql.parsing import FAILURES, parsed
from nines.readers.sql.scan import DEPTH_MAX, SLOT_NAME, Scan, Slot, scan
from nines.readers.sql.session import session_statement
from nines.readers.sql.tree import Understood, understand

TEXT_MAX = 100_000
"""Characters of a text that is still looked at."""
TEMPLATE_MAX = 20_000
"""Characters of a template, which has no values and no long lists, that is still parsed."""
TEXTS_MAX = 4_096
TEMPLATES_MAX = 4_096
"""Texts and templates whose statements are remembered, each."""
GUESSED_TABLES_MAX = 8
CACHED_TEXT_MAX = 10_000
"""Longer texts are not remembered themselves, only their templates are."""

_ACTIONS = {
    "select": "SELECT",
    "with": "SELECT",
    "values": "SELECT",
    "table": "SELECT",
    "insert": "INSERT",
    "update": "UPDATE",
    "delete": "DELETE",
    "merge": "UPSERT",
    "replace": "UPSERT",
}
"""What the first word tells of a statement that is otherwise not understood."""
_NAMED_TABLE = re.compile(
    r'\b(?:from|into|join|^update)\s+(?:only\s+)?(?:"?\w+"?\.)?"?(?!select\b|set\b|lateral\b)([a-z_]\w*)"?(?![\w(])'
)
_WRAPPED = re.compile(
    r"\s*(?:declare\s+\S+(?:\s+\w+){0,5}\s+for|explain\s+(?:analyze|\([^)]{0,200}analyze[^)]{0,200}\)))\s+(?=[\w(])",
    re.IGNORECASE,
)


def read(text: str) -> Statement:
    """What a statement does; never raises. A text of several statements shows the first that matters."""
    return _read_cached(text) if len(text) <= CACHED_TEXT_MAX else _read(text)


def _read(text: str) -> Statement:
    if len(text) > TEXT_MAX:
        short = scan(text[:CACHED_TEXT_MAX])
        return _guess(short.words, short.shape)
    scanned = scan(text)
    session = session_statement(scanned)
    if session is not None:
        return session
    wrapped = _WRAPPED.match(text)
    if wrapped is not None:
        # A cursor's or an analysed statement does what the statement inside does.
        return _read(text[wrapped.end() :])
    if scanned.depth > DEPTH_MAX or len(scanned.template) > TEMPLATE_MAX:
        return _guess(scanned.words, scanned.shape)
    understood = _parsed(scanned.template, scanned.inserted_rows)
    if understood is None:
        return _guess(scanned.words, scanned.shape)
    return _filled(understood, scanned)


_read_cached = lru_cache(maxsize=TEXTS_MAX)(_read)


def _guess(words: tuple[str, ...], shape: str) -> Statement:
    """What can be said of a text that is broken or unfinished: its kind, and the tables that it names."""
    action = _ACTIONS.get(words[0], "") if words else ""
    found = _NAMED_TABLE.findall(shape) if action else []
    return Statement(action=action, tables=tuple(dict.fromkeys(found))[:GUESSED_TABLES_MAX], shape=shape)


@lru_cache(maxsize=TEMPLATES_MAX)
def _parsed(template: str, inserted_rows: int) -> Understood | None:
    """The statement of a template; None where it is not understood."""
    trees = parsed(template)
    if trees is None:
        return None
    try:
        understood = [understand(tree, inserted_rows) for tree in trees if _is_understood(tree)]
    except FAILURES:
        return None
    if not understood:
        return None
    if len(trees) == 1:
        return understood[0]
    main = next((found for found in understood if found.statement.action != "SELECT"), understood[0])
    return replace(main, statement=replace(main.statement, is_understood=False))


def _is_understood(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Query | exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.Subquery)


def _filled(understood: Understood, scanned: Scan) -> Statement:
    """The template's statement with the values of this text, and their meaning for the number of rows."""
    slots = {f"{SLOT_NAME}{number}": slot for number, slot in enumerate(scanned.slots)}
    statement = understood.statement
    limit = slots.get(understood.limit_slot)
    return replace(
        statement,
        comparisons=tuple([_compared(comparison, slots) for comparison in statement.comparisons]),
        written=tuple([_written(written, slots) for written in statement.written]),
        rows=Rows.ONE if limit is not None and limit.literal == "1" else statement.rows,
        shape=scanned.shape,
    )


def _compared(comparison: Comparison, slots: dict[str, Slot]) -> Comparison:
    slot = slots.get(comparison.parameter)
    return comparison if slot is None else replace(comparison, parameter=slot.parameter, literal=slot.literal)


def _written(written: Written, slots: dict[str, Slot]) -> Written:
    slot = slots.get(written.parameter)
    return written if slot is None else replace(written, parameter=slot.parameter)
