"""Limits: how often callers may ask."""

from __future__ import annotations

import re
from typing import Any

from nines.model.blueprint import Limit
from nines.readers.blueprint.document import Node
from nines.readers.blueprint.reading import Reading
from nines.readers.blueprint.records import Table
from nines.readers.blueprint.shapes import Word
from nines.readers.blueprint.units import PERIODS_S
from nines.readers.blueprint.vocabulary import names

_PER = {
    "subject": "each caller",
    "address": "each address",
    "account": "each account that is tried to sign in to",
    "tenant": "each customer",
    "all": "all callers together",
}
_LIMIT_TEXT = re.compile(rf"([1-9][0-9]{{0,8}}) ?/ ?(s|min|m|h|d)(?: per ({'|'.join(_PER)}))?")


def _limit_of(text: str) -> dict[str, Any]:
    match = _LIMIT_TEXT.fullmatch(text)
    assert match is not None
    return {"count": int(match[1]), "period_s": PERIODS_S[match[2]], "per": match[3] or "subject"}


_LIMIT = Word(
    f'a limit such as "100/m per subject" (per {", ".join(_PER)})',
    pattern=_LIMIT_TEXT.pattern,
    convert=_limit_of,
    examples=("100/m per subject", "20/m per address", "5/h per account", "1000/s per all"),
)


def _limit(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Limit:
    if name != "default":
        reading.refer("operation", name, node, also=("default",))
    return Limit(operation="" if name == "default" else name, place=reading.place(node.mark), **told)


LIMITS = Table("limits", _LIMIT, _limit, pattern=names.CAMEL, style=f"default, or an operation; {names.CAMEL_STYLE}")
