"""Reads the pages of this folder: the engineer, and one page for each task; being there is enough."""

from __future__ import annotations

import functools
import re
from importlib import resources

from nines.model.errors import SourceError
from nines.model.page import Page, Section, parse
from nines.model.record import Record

_PACKAGE = "nines.personas"
_SHORT = "In short"
_INPUTS = "Inputs"
_INPUT = re.compile(r"^- `(\w+)`: (.+)$")
_NEEDED = "(needed)"


class Persona(Record):
    """The engineer as a whole."""

    title: str
    when: str
    """When it is to be used, unasked as well: what an agent's host chooses by."""
    in_short: str
    """For those who offer a paragraph."""
    text: str
    """Everything else, as Markdown with level-two headings."""
    sections: tuple[Section, ...] = ()

    def section(self, title: str) -> str:
        """The text under a heading of `text`; "" where there is none."""
        return next((section.text for section in self.sections if section.title == title), "")


class Input(Record):
    """What a task is given."""

    name: str
    says: str
    is_required: bool = False


class Task(Record):
    """Something the engineer is asked to do: a prompt, a skill."""

    name: str
    title: str
    says: str
    """What it is and when to use it, in one paragraph."""
    inputs: tuple[Input, ...]
    text: str


@functools.cache
def engineer() -> Persona:
    page = parse(_read("engineer.md"), f"{_PACKAGE}/engineer.md")
    return Persona(
        title=page.title,
        when=" ".join(page.lead.split()),
        in_short=page.section(_SHORT),
        text=_sections(page, without=(_SHORT,)),
        sections=page.sections,
    )


@functools.cache
def tasks() -> tuple[Task, ...]:
    """Every task, sorted by name; raises SourceError for a page without a first paragraph or with a broken input."""
    folder = resources.files(_PACKAGE).joinpath("tasks")
    names = sorted(each.name.removesuffix(".md") for each in folder.iterdir() if each.name.endswith(".md"))
    return tuple(_task(name) for name in names)


def _task(name: str) -> Task:
    where = f"{_PACKAGE}/tasks/{name}.md"
    page = parse(_read("tasks", f"{name}.md"), where)
    if not page.lead:
        raise SourceError("a task says in its first paragraph when it is used", where=where)
    inputs = tuple(_input(line, where) for line in page.section(_INPUTS).splitlines() if line.strip())
    text = _sections(page, without=(_INPUTS,))
    return Task(name=name, title=page.title, says=" ".join(page.lead.split()), inputs=inputs, text=text)


def _input(line: str, where: str) -> Input:
    found = _INPUT.match(line)
    if found is None:
        raise SourceError(f"an input is written as - `name`: what it is; this is not: {line}", where=where)
    says = found[2].removesuffix(_NEEDED).strip()
    return Input(name=found[1], says=says, is_required=found[2].endswith(_NEEDED))


def _sections(page: Page, *, without: tuple[str, ...]) -> str:
    kept = (section for section in page.sections if section.title not in without)
    return "\n\n".join(f"## {section.title}\n\n{section.text}" for section in kept)


def _read(*parts: str) -> str:
    return resources.files(_PACKAGE).joinpath(*parts).read_text(encoding="utf-8")
