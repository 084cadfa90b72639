"""What happens when something fails: experiments that were carried out, deadlines that were read, and how to try it."""

from __future__ import annotations

from nines.asking import parts
from nines.asking.answer import Answer, Basis, Claim, Open
from nines.asking.material import Material
from nines.asking.recognise import Asked

_RULES = ("deadlines/", "transactions/", "concurrency/")
_EXPERIMENTS = ("dependencies/dependency-stall", "dependencies/dependency-reset", "crash/durable-kill")
_CRASH = ("crash/durable-kill", "dependencies/dependency-reset", "dependencies/dependency-stall")
_PATTERNS = ("deadline", "circuit-breaker", "bulkhead", "fallback", "retry-with-jitter", "graceful-shutdown")


def answer(asked: Asked, material: Material) -> Answer:
    report, measurement = material.review(), material.measurement()
    wanted = _CRASH if any(word in asked.text.lower() for word in ("kill", "crash", "power", "pod")) else _EXPERIMENTS
    figures = parts.measured(measurement, *wanted)
    findings = parts.chosen(report, parts.by_rules(*_RULES))
    patterns = parts.known_patterns(_PATTERNS, material)[:5]
    calm = "Reading found nothing that would spread a failure; only trying it shows that."
    read = f"By reading: {findings[0].message}. {findings[0].consequence}" if findings else calm
    return Answer(
        question=asked.text,
        intent="resilience",
        understood="you ask what happens when a part fails",
        headline=figures[0].says if figures else read,
        sureness=parts.sureness(findings, figures, measurement),
        because=parts.because(findings, figures, measurement),
        reasoning=(
            *figures,
            *parts.claims(findings, 5),
            *(
                Claim(
                    says=f"**{each.title}**: {' '.join(each.summary.split())}",
                    basis=Basis.PAGE,
                    source=f"page {each.id}",
                )
                for each in patterns
            ),
        ),
        approaches=(*parts.ways(findings, 4), *parts.pattern_ways(patterns[:2])),
        standards=parts.standards(findings, material) or parts.pattern_standards(patterns),
        figures=parts.budgets(measurement),
        questions=(
            Open(
                question="What shall callers get meanwhile: an error at once, an old answer, or 202 and later?",
                assumed="an error at once (503 with Retry-After)",
                matters="the fallback decides what the failure costs",
            ),
        ),
        steps=parts.steps(wanted, material, 3),
        not_examined=parts.left_out(report, *([] if figures else ["the failure itself: it was not tried"])),
        pages=tuple(each.id for each in patterns),
    )
