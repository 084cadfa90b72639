"""Markdown, put together so that a cell, a link or a code fence cannot break the page around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def heading(level: int, text: str) -> str:
    return f"{'#' * level} {line(text)}"


def line(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def sentence(text: str) -> str:
    """The text with a full stop, where it does not end by itself."""
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def code(text: str) -> str:
    """An inline code span, whatever backquotes the text holds."""
    text = line(text)
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fence(language: str, text: str) -> str:
    ticks = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def link(text: str, path: str) -> str:
    return f"[{line(text)}]({path})"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; "" where there is no row, for an empty table tells nothing."""
    cells = [[line(cell).replace("|", "\\|") for cell in row] for row in rows]
    if not cells:
        return ""
    head = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
    return "\n".join([head, *(f"| {' | '.join(row)} |" for row in cells)])


def anchor(title: str) -> str:
    """Where a heading is found within its page, as GitHub and the page of all chapters name it."""
    return re.sub(r"[^\w\- ]", "", line(title).lower()).replace(" ", "-")


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {line(item)}" for item in items)


def page(*blocks: str) -> str:
    """The blocks that are not empty, a blank line between them, and one line feed at the end."""
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip()) + "\n"
