"""Whether it is ready: the last verdict with its age, and what stands against it."""

from __future__ import annotations

from nines.asking import parts
from nines.asking.answer import Answer, Basis, Claim, Open, Step
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.model import words
from nines.model.tier import Tier

_PATTERNS = ("health-checks", "graceful-shutdown", "slo-burn-rate", "capacity-test", "backup-restore-drill")


def answer(asked: Asked, material: Material) -> Answer:
    report, measurement = material.review(), material.measurement()
    findings = parts.chosen(report, lambda finding: finding.tier.rank <= Tier.PERFORMANCE.rank)
    patterns = parts.known_patterns(_PATTERNS, material)
    where = material.where or "PATH"
    verdict = measurement.report.readiness.value if measurement and measurement.report.readiness else "NOT SHOWN"
    if findings and verdict != "NOT READY":
        verdict = "NOT READY"
    seen = parts.told_age(measurement) if measurement else "nothing was measured here"
    budgets = parts.budgets(measurement) or (
        Claim(says="No budget is shown: nobody has measured one.", basis=Basis.READ, source="no report"),
    )
    return Answer(
        question=asked.text,
        intent="ready",
        understood="you ask whether it will hold",
        headline=f"{verdict}: {words.many(len(findings), 'finding')} of performance or above; {seen}.",
        sureness=parts.sureness(findings, parts.measured(measurement), measurement),
        because=parts.because(findings, parts.measured(measurement), measurement),
        reasoning=(*parts.measured(measurement)[:6], *parts.claims(findings)),
        approaches=parts.choices(findings, patterns),
        standards=parts.cited(findings, patterns, material),
        figures=budgets,
        questions=(
            Open(
                question="What must it carry at its peak, and what does an hour of standstill cost?",
                assumed="the usual budgets: 99.9 %, 0.1 %, 200 ms, 5 min",
                matters="`[tool.nines.budgets]` and `[load]` decide what ready means here",
            ),
        ),
        steps=(
            Step(
                command=f"nines check {where} --format terminal --format json --output report.json",
                why="reads, runs, tries to break it, and gives the verdict",
                duration_s=300.0,
                is_heavy=True,
                experiments=tuple(each.id for each in material.experiments()),
            ),
        ),
        not_examined=parts.left_out(report, *([] if measurement else ["the running service"])),
        pages=tuple(dict.fromkeys((*(finding.rule for finding in findings), *(each.id for each in patterns)))),
    )
