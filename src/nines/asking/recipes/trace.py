"""What an entry point does: its trace."""

from __future__ import annotations

import re

from nines.asking.answer import Answer, Basis, Claim, Step, Sureness
from nines.asking.entities import EntityKind
from nines.asking.material import Material, Traced
from nines.asking.recognise import Asked
from nines.model import words

_TREES_MAX = 2
_LISTED_MAX = 30
_WORD = re.compile(r"[a-z_][\w/{}.-]{2,}", re.IGNORECASE)


def answer(asked: Asked, material: Material) -> Answer:
    everything = material.traces("") if material.where else ()
    wanted, found = _wanted(asked, material, everything)
    where = material.where or "PATH"
    is_listing = not wanted
    blind = sum(each.not_understood > 0 for each in found)
    head = (
        f"{words.many(len(found), 'entry point')}"
        if is_listing
        else f"{found[0].endpoint if found else wanted} in order"
    )
    return Answer(
        question=asked.text,
        intent="trace",
        understood=f"you ask what {wanted or 'entry points there are and what they do'}{' does' if wanted else ''}",
        headline=head
        if found
        else "There is no such entry point here: ask inside the backend's folder, or with --path.",
        sureness=(Sureness.MEDIUM if blind else Sureness.HIGH) if found else Sureness.LOW,
        because="for it was read in the code"
        + (f"; in {blind} of them something was not understood." if blind else " without a gap.")
        if found
        else "for nothing was read.",
        reasoning=tuple(_claim(each) for each in found[:_LISTED_MAX]),
        code="\n\n".join(each.tree for each in found[:_TREES_MAX]) if not is_listing else "",
        steps=(Step(command=f'nines trace {where} "{wanted}"'.replace(' ""', ""), why="the same, of all that match"),),
        not_examined=tuple(
            f"{each.endpoint}: {words.many(each.not_understood, 'place')} not understood"
            for each in found[:_TREES_MAX]
            if each.not_understood
        ),
    )


def _wanted(asked: Asked, material: Material, everything: tuple[Traced, ...]) -> tuple[str, tuple[Traced, ...]]:
    """The endpoint that is named, else the rarest word of the question that some entry point has in its name."""
    for entity in asked.of(EntityKind.ENDPOINT):
        found = material.traces(entity.text) or material.traces(entity.text.split()[-1])
        if found:
            return entity.text, found
    matches = [
        (word, found)
        for word in _WORD.findall(asked.text)
        if (found := tuple(each for each in everything if word.lower() in f"{each.endpoint} {each.tree[:200]}".lower()))
    ]
    rare = [match for match in matches if len(match[1]) <= max(1, len(everything) // 2)]
    return min(rare, key=lambda match: len(match[1]), default=("", everything))


def _claim(each: Traced) -> Claim:
    parts = [words.many(each.reads, "query", "queries"), words.many(each.writes, "write")]
    parts += [words.many(each.remote_calls, "remote call")] if each.remote_calls else []
    return Claim(says=f"{each.endpoint}: {', '.join(parts)}", basis=Basis.READ, source=f"trace {each.place}")
