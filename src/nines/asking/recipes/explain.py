"""An explanation: the page that is called so, or those that speak of it."""

from __future__ import annotations

import re

from nines.asking.answer import Answer, Approach, Basis, Claim, Step, Sureness
from nines.asking.material import Hit, Material
from nines.asking.recognise import Asked
from nines.model import page as pages
from nines.model.errors import SourceError

_LEADING = re.compile(
    r"^(?:please\s+)?(?:what(?:'s| is| are| does)?|explain|define|describe|tell me about|how (?:does|do|can|to)|"
    r"when (?:should|do) (?:i|we) use|teach me about|difference between|i do(?:n't| not) understand)\b[\s:]*"
    r"(?:is )?(?:meant by )?(?:the |an? )?(?:rule |experiment |pattern )?",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"\b(?:pattern|mean|means|work|works|do|help|to me|deployments?|delivery)?\s*\??\s*$", re.IGNORECASE
)
_SHOWN_MAX = 5


def answer(asked: Asked, material: Material) -> Answer:
    words = _TRAILING.sub("", _LEADING.sub("", asked.text)).strip(" .?!'\"")
    hits = material.pages(words) or material.pages(asked.text)
    if not hits:
        return Answer(
            question=asked.text,
            intent="explain",
            understood=f"you ask for an explanation of {words!r}",
            headline=f"No page of nines speaks of {words!r}.",
            sureness=Sureness.LOW,
            because="for nothing was found.",
            steps=(Step(command="nines explain", why="lists everything that there is a page about"),),
        )
    first = hits[0]
    return Answer(
        question=asked.text,
        intent="explain",
        understood=f"you ask for an explanation of {words!r}",
        headline=f"{first.title}: {' '.join(first.summary.split())}",
        sureness=Sureness.HIGH,
        because=f"for there is a page ({first.kind} {first.id}) with its sources.",
        reasoning=_problem(first),
        approaches=_options(first),
        standards=_sources(first),
        steps=(Step(command=f"nines explain {first.id}", why="the whole page with its example"),),
        pages=tuple(hit.id for hit in hits[:_SHOWN_MAX]),
    )


def _parsed(hit: Hit) -> pages.Page | None:
    try:
        return pages.parse(hit.page, hit.id)
    except SourceError:
        return None


def _problem(hit: Hit) -> tuple[Claim, ...]:
    found = _parsed(hit)
    text = (found.section("Problem") or found.lead) if found else ""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n") if part.strip() and not part.startswith("```")]
    return tuple(Claim(says=part, basis=Basis.PAGE, source=f"page {hit.id}") for part in paragraphs[:2])


def _options(hit: Hit) -> tuple[Approach, ...]:
    found = _parsed(hit)
    options = found.options if found else ()
    return tuple(Approach(title=each.title, trade_off=each.trade_off, source=f"page {hit.id}") for each in options)


def _sources(hit: Hit) -> tuple[str, ...]:
    found = _parsed(hit)
    lines = found.section("Sources").splitlines() if found else []
    return tuple(line.removeprefix("- ").strip() for line in lines if line.startswith("- "))
