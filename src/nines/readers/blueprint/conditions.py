"""Conditions over the fields of one row: a small part of SQL, so that they can stand in a CHECK as they are."""

from __future__ import annotations

import re

from nines.readers.blueprint.document import Node
from nines.readers.blueprint.reading import Reading, shown

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)|(?P<word>[A-Z]+)|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<text>'(?:[^'\\\x00]|'')*')|(?P<sign><=|>=|<>|!=|=|<|>|\+|-|\*|/|%|\|\||\(|\)|,))"
)
_WORDS = {"and", "or", "not", "is", "null", "in", "between", "like", "true", "false", "case", "when", "then", "else"}
_WORDS |= {"end", "distinct", "from"}
_FUNCTIONS = {"length", "char_length", "octet_length", "lower", "upper", "abs", "coalesce", "mod", "num_nonnulls"}
_COMPARISONS = {"<=", ">=", "<>", "!=", "=", "<", ">"}


def columns_of(text: str, node: Node, reading: Reading) -> str:
    """The condition as it stands, with the fields that it speaks of referred to."""
    position, depth, compares = 0, 0, False
    text = " ".join(text.split())
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise reading.refuse(
                node, f"{shown(text[position:])} cannot stand in a condition: it holds fields, figures and comparisons"
            )
        position = match.end()
        name, sign = match["name"], match["sign"]
        depth += {"(": 1, ")": -1}.get(sign or "", 0)
        if depth < 0:
            break
        word = (name or match["word"] or "").lower()
        compares = compares or sign in _COMPARISONS or word in ("is", "in", "between", "like")
        if word and word not in _WORDS and not (word in _FUNCTIONS and text[position : position + 1] == "("):
            reading.refer("column", name or word, node, of=reading.scope)
    if depth:
        raise reading.refuse(node, f"the parentheses of {shown(text)} do not match")
    if not compares:
        raise reading.refuse(node, f"{shown(text)} compares nothing: write a condition such as paid_minor <= due_minor")
    return text
