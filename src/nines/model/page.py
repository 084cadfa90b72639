"""The Markdown page beside every rule and experiment: documentation, help text and tests in one file."""

from __future__ import annotations

import re

from nines.model.errors import SourceError
from nines.model.finding import Option
from nines.model.record import Record

_FENCE = re.compile(r"^(`{3,})\s*([\w-]*)\s*(.*)$")
_OPTION = re.compile(r"^(?:\d+\.|[-*])\s+\*\*(.+?)\*\*\s*(.*)$")


class Example(Record):
    """A fenced block: its language word, the words after it, its text, and the section it stands in."""

    language: str
    attributes: str
    text: str
    section: str
    line: int


class Section(Record):
    title: str
    text: str


class Page(Record):
    """A parsed page. The title is its only level-one heading; `lead` is what stands before the first section."""

    title: str
    lead: str
    sections: tuple[Section, ...]
    examples: tuple[Example, ...]

    def section(self, title: str) -> str:
        """The text under a heading, "" where there is none."""
        return next((s.text for s in self.sections if s.title.lower() == title.lower()), "")

    @property
    def options(self) -> tuple[Option, ...]:
        """The list under `## Options`: a bold title, then its trade-off."""
        found: list[Option] = []
        for line in self.section("Options").splitlines():
            item = _OPTION.match(line)
            if item:
                found.append(Option(title=item[1].rstrip("."), trade_off=item[2].strip(" .:—-")))
            elif found and line.strip():
                last = found.pop()
                found.append(Option(title=last.title, trade_off=f"{last.trade_off} {line.strip()}".strip()))
        return tuple(found)


def parse(text: str, where: str) -> Page:
    """Raises SourceError for a page without a title or with a fence that never closes."""
    title = ""
    lead: list[str] = []
    sections: list[tuple[str, list[str]]] = []
    examples: list[Example] = []
    current: tuple[str, list[str]] | None = None
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        line = lines[index]
        fence = _FENCE.match(line)
        taken = [line]
        if fence:
            end = next((i for i in range(index + 1, len(lines)) if lines[i].strip() == fence[1]), None)
            if end is None:
                raise SourceError("a fenced block never closes", where=f"{where}:{index + 1}")
            body = "\n".join(lines[index + 1 : end]) + "\n"
            section = current[0] if current else ""
            examples.append(Example(language=fence[2], attributes=fence[3], text=body, section=section, line=index + 1))
            taken = lines[index : end + 1]
        elif line.startswith("# ") and not title:
            title, taken = line[2:].strip(), []
        elif line.startswith("## "):
            if current:
                sections.append(current)
            current, taken = (line[3:].strip(), []), []
        (current[1] if current else lead).extend(taken)
        index += max(1, len(taken)) if fence else 1
    if current:
        sections.append(current)
    if not title:
        raise SourceError("a page starts with one level-one heading", where=where)
    return Page(
        title=title,
        lead="\n".join(lead).strip(),
        sections=tuple(Section(title=name, text="\n".join(body).strip()) for name, body in sections),
        examples=tuple(examples),
    )
