"""Reads a pattern's page strictly: the same headings in the same order, and ties that are ids and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nines.model import page as pages
from nines.model.errors import SourceError
from nines.model.page import Page
from nines.model.pattern import Pattern, PatternTopic, Source

SECTIONS = ("Problem", "When not", "Options", "Example", "Sources", "In nines")
TIES = ("Topic", "Also called", "Rules", "Experiments", "Objections", "Blueprint", "Built by", "Related")
OPTIONAL_TIES = frozenset({"Also called", "Objections", "Blueprint"})
OPTIONS_MIN = 2

_TIE = re.compile(r"^- ([A-Z][a-z ]+): (\S.*)$")
_ID = re.compile(r"^[a-z0-9][a-z0-9-]*(?:[/.][a-z0-9_-]+)*$")
_SOURCE = re.compile(r"^- \[([^\]]+)\]\((https://[^)\s]+)\): (\S.*)$")
_NONE = "none: "
"""Begins a tie that leads nowhere, and says why."""


def parse(text: str, id: str) -> Pattern:
    """Raises SourceError that names the page and what is wrong with it."""
    page = pages.parse(text, id)
    names = tuple(section.title for section in page.sections)
    if names != SECTIONS:
        raise _wrong(id, f"its sections are {', '.join(names) or 'none'}", f"They have to be {', '.join(SECTIONS)}.")
    empty = [section.title for section in page.sections if not section.text]
    if empty or not page.lead:
        raise _wrong(id, f"nothing stands under {', '.join(empty) or 'its title'}", "Every part has a text.")
    if len(page.options) < OPTIONS_MIN:
        raise _wrong(id, "it offers fewer than two options", "Write each as: - **Name.** What it gains and costs.")
    ties = _ties(page, id)
    examples = tuple(each for each in page.examples if each.section == "Example" and each.language == "python")
    if not examples:
        raise _wrong(id, "its example has no Python that could run", "Write a block fenced as python.")
    return Pattern(
        id=id,
        title=page.title,
        topic=_topic(ties["Topic"], id),
        summary=_first_sentence(page.lead),
        page=text,
        also_called=_words(ties.get("Also called", "")),
        rules=_ids(ties["Rules"], id),
        experiments=_ids(ties["Experiments"], id),
        objections=_ids(ties.get("Objections", ""), id),
        blueprint=_ids(ties.get("Blueprint", ""), id),
        built_by=ties["Built by"],
        related=_ids(ties["Related"], id),
        options=page.options,
        sources=_sources(page, id),
        examples=examples,
    )


def _ties(page: Page, id: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for item in _items(page.section("In nines")):
        tie = _TIE.match(item)
        if tie is None or tie[1] not in TIES or tie[1] in found:
            raise _wrong(id, f"this is no tie, or stands twice: {item}", f"There are: {', '.join(TIES)}.")
        found[tie[1]] = tie[2]
    missing = [name for name in TIES if name not in found and name not in OPTIONAL_TIES]
    if missing:
        raise _wrong(id, f"under `In nines` is missing: {', '.join(missing)}", "Where there is none, write: none: why.")
    if list(found) != [name for name in TIES if name in found]:
        raise _wrong(id, "its ties stand in another order", f"They come as: {', '.join(TIES)}.")
    return found


def _sources(page: Page, id: str) -> tuple[Source, ...]:
    found: list[Source] = []
    for item in _items(page.section("Sources")):
        source = _SOURCE.match(item)
        if source is None:
            raise _wrong(
                id, f"this is no source: {item}", "Write: - [Title](https://...): the fact that it is cited for."
            )
        found.append(Source(title=source[1], url=source[2], says=source[3]))
    return tuple(found)


def _items(text: str) -> list[str]:
    """The items of a list, each on one line."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("- ") or not found:
            found.append(line.rstrip())
        elif line.strip():
            found.append(f"{found.pop()} {line.strip()}")
    return [item for item in found if item]


def _topic(word: str, id: str) -> PatternTopic:
    try:
        return PatternTopic(word)
    except ValueError:
        raise _wrong(id, f"{word!r} is no topic", f"There are: {', '.join(PatternTopic)}.") from None


def _ids(text: str, id: str) -> tuple[str, ...]:
    """Ids in backticks with commas between them; nothing where it says none, and why."""
    if not text or text.startswith(_NONE):
        return ()
    found = tuple(each.strip() for each in text.split(","))
    wrong = [each for each in found if not (each.startswith("`") and each.endswith("`") and _ID.match(each[1:-1]))]
    if wrong or len(set(found)) < len(found):
        raise _wrong(id, f"these are no ids, or stand twice: {text}", "Write: `one-id`, `another/id`, or none: why.")
    return tuple(each[1:-1] for each in found)


def _words(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence, on one line."""
    joined = " ".join(text.split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", joined, maxsplit=1)[0]


def _wrong(id: str, what: str, hint: str) -> SourceError:
    return SourceError(what, where=f"patterns/{id}.md", hint=hint)
