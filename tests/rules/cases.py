"""A rule's page as test cases: which files to write, and which lines must be reported with what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nines.model import page as page_model
from nines.model.page import Example
from nines.model.rule import Rule

SHARED = "files that the examples share"
CLEAN_SECTIONS = ("good", "silent when")
_MARK = re.compile(r"#\s*<-\s*(\S.*?)\s*$")


@dataclass(frozen=True)
class Mark:
    """A line that must be reported, with a part of the message."""

    file: str
    line: int
    part: str


@dataclass(frozen=True)
class Case:
    """One example of a page: the fences between two level-three headings, or one observed trace."""

    rule: Rule
    section: str
    title: str
    files: dict[str, str] = field(default_factory=dict)
    observed: Example | None = None

    @property
    def name(self) -> str:
        kind = "observed" if self.observed else "read"
        return (
            f"{self.rule.id} {self.section}: {self.title} ({kind} at {self.observed.line})"
            if self.observed
            else (f"{self.rule.id} {self.section}: {self.title}")
        )

    @property
    def is_clean(self) -> bool:
        return self.section.lower() in CLEAN_SECTIONS

    @property
    def marks(self) -> tuple[Mark, ...]:
        if self.observed:
            return tuple(marks_of("", self.observed.text))
        return tuple(mark for file, text in self.files.items() for mark in marks_of(file, text))


def marks_of(file: str, text: str) -> Iterator[Mark]:
    for number, line in enumerate(text.splitlines(), start=1):
        found = _MARK.search(line)
        if found:
            yield Mark(file, number, found[1])


def without_mark(line: str) -> str:
    return _MARK.sub("", line).rstrip()


def cases(rule: Rule) -> tuple[Case, ...]:
    """Every case of a page, in its order."""
    page = page_model.parse(rule.page, rule.id)
    headings = _headings(rule.page)
    shared = {e.attributes: e.text for e in page.examples if e.section.lower() == SHARED and e.language == "python"}
    found: dict[tuple[str, str], dict[str, str]] = {}
    ordered: list[Case] = []
    for example in page.examples:
        section = example.section.lower()
        title = next((text for line, text in reversed(headings) if line < example.line), "")
        if example.language == "observed":
            ordered.append(Case(rule, section, title, observed=example))
        elif example.language == "python" and section != SHARED:
            key = (section, title)
            if key not in found:
                found[key] = dict(shared)
                ordered.append(Case(rule, section, title, files=found[key]))
            found[key][example.attributes] = example.text
    return tuple(ordered)


def _headings(page: str) -> list[tuple[int, str]]:
    """The headings below the title with their lines, those inside fences left out."""
    found: list[tuple[int, str]] = []
    is_fenced = False
    for number, line in enumerate(page.splitlines(), start=1):
        if line.startswith("```"):
            is_fenced = not is_fenced
        elif not is_fenced and line.startswith(("## ", "### ")):
            found.append((number, line.lstrip("# ").strip()))
    return found
