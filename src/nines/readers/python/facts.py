"""Turns the bytes of one file into facts that depend on nothing else, so that they can be cached by content."""

from __future__ import annotations

import ast
import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from nines.model.code import Allowance, Statement
from nines.model.record import NodeMeta
from nines.readers.python.allowances import allowances_of
from nines.readers.python.expressions import storable
from nines.readers.python.newer import rewritten
from nines.readers.python.statements import Statements

NEWEST_GRAMMAR = (3, 14)
"""From this version on an interpreter knows all the grammar that `newer` can rewrite."""
REASON_MAX = 200
"""Characters of a parser's message that are kept."""


class Facts(msgspec.Struct, metaclass=NodeMeta):
    """What one file says, without its name; a file that does not parse has a reason instead of a body."""

    body: tuple[Statement, ...] = ()
    lines: int = 0
    allowances: tuple[Allowance, ...] = ()
    imports: tuple[str, ...] = ()
    """The absolute dotted names that it imports, and the bare dots of its relative imports; sorted."""
    reason: str = ""
    reason_line: int = 0
    hint: str = ""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Facts)


def facts_of(source: bytes) -> Facts:
    """Never raises for what a file holds. Call it within `quiet()`."""
    try:
        tree, readable = _parsed(source)
        lowering = Statements(readable)
        _, statements = lowering.documented(tree.body)
        body = lowering.block(statements)
        facts = Facts(body, _lines(source), allowances_of(readable), tuple(sorted(lowering.imports)))
        # Encoding recurses as well; what cannot be encoded here must not surprise the cache.
        _ENCODER.encode(facts)
    except SyntaxError as error:
        return _unreadable(_worded(error), error.lineno or 0, "Correct it, or run nines on the Python of the project.")
    except (RecursionError, MemoryError):
        return _unreadable("the code is nested too deeply", 0, "Exclude the file if it is generated.")
    except (ValueError, LookupError) as error:
        return _unreadable(f"it is not Python: {error}", 0, "Exclude the file if it is not meant to be Python.")
    return facts


def _parsed(source: bytes) -> tuple[ast.Module, bytes]:
    """The tree, and the bytes that it was read from: in older words where this interpreter is too old for them."""
    try:
        return ast.parse(source), source
    except SyntaxError:
        older = rewritten(source) if sys.version_info < NEWEST_GRAMMAR else None
        if older is None:
            raise
        try:
            return ast.parse(older), older
        except (SyntaxError, ValueError):
            pass
        raise


def encode(facts: Facts) -> bytes:
    return _ENCODER.encode(facts)


def decode(blob: bytes | memoryview) -> Facts | None:
    """None for anything but encoded facts."""
    try:
        return _DECODER.decode(blob)
    except (msgspec.DecodeError, RecursionError):
        return None


@contextmanager
def quiet() -> Iterator[None]:
    """Silences warnings about the code that is read, and the garbage collector, which only slows down trees."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if was_enabled:
            gc.enable()


def _lines(source: bytes) -> int:
    return source.count(b"\n") + (not source.endswith(b"\n") if source else 0)


def _worded(error: SyntaxError) -> str:
    message = error.msg or "it cannot be parsed"
    return f"it is not valid Python: {message}"


def _unreadable(reason: str, line: int, hint: str) -> Facts:
    return Facts(reason=storable(reason)[:REASON_MAX], reason_line=line, hint=hint)
