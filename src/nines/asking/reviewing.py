"""An answer made of findings: all of them, or those of some rules, with what settles them."""

from __future__ import annotations

from nines.asking import parts
from nines.asking.answer import Answer, Claim, Open, Step, Sureness
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.model import words
from nines.model.finding import Finding
from nines.model.tier import Tier


def reviewed(
    asked: Asked,
    material: Material,
    *,
    intent: str,
    understood: str,
    experiments: tuple[str, ...] = (),
    prefixes: tuple[str, ...] = (),
    patterns: tuple[str, ...] = (),
    questions: tuple[Open, ...] = (),
    nothing: str = "",
) -> Answer:
    """The findings of some rules, with what settles them."""
    report, measurement = material.review(), material.measurement()
    findings = parts.chosen(report, parts.by_rules(*prefixes) if prefixes else _any)
    figures = parts.measured(measurement, *experiments) if experiments else ()
    known = parts.known_patterns(patterns, material)
    where = material.where or "PATH"
    steps = [] if not asked.has("change") else [_since(where)]
    return Answer(
        question=asked.text,
        intent=intent,
        understood=understood,
        headline=_headline(findings, figures, material, nothing),
        sureness=parts.sureness(findings, figures, measurement) if material.where else Sureness.LOW,
        because=parts.because(findings, figures, measurement) if material.where else "for no code is here to look at.",
        reasoning=(*figures, *parts.claims(findings)),
        approaches=parts.choices(findings, known),
        standards=parts.cited(findings, known, material),
        questions=questions,
        steps=(
            *steps,
            Step(command=f"nines review {where}", why="lists every finding with its path from the entry point"),
            *parts.steps((*experiments, *parts.deciding(findings, material)), material, 3),
        ),
        not_examined=parts.left_out(report),
        pages=tuple(dict.fromkeys((*(finding.rule for finding in findings), *(each.id for each in known)))),
    )


def _any(_: Finding) -> bool:
    return True


def _since(where: str) -> Step:
    return Step(command=f"nines review {where} --since origin/main", why="reports only what the change brings")


def _headline(findings: tuple[Finding, ...], figures: tuple[Claim, ...], material: Material, nothing: str) -> str:
    if not material.where:
        return "There is no backend here to look at: ask inside its folder, or name it with --path."
    if figures and ": broken." in figures[0].says:
        return f"Broken when it was tried: {figures[0].says}"
    if not findings:
        return nothing or "Nothing was found by reading; that is no proof, see what was not examined."
    counts = {tier: sum(each.tier is tier for each in findings) for tier in Tier}
    told = ", ".join(f"{count} of {tier.value}" for tier, count in counts.items() if count)
    first = findings[0]
    place = f" at {first.place}" if first.place else ""
    return f"{words.many(len(findings), 'finding')} ({told}); first of all: {first.message}{place}"
