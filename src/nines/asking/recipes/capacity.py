"""How much load it carries: what was measured, what limits it by its traces, and how to find out."""

from __future__ import annotations

from nines.asking import parts
from nines.asking.answer import Answer, Basis, Claim, Open, Step, Sureness
from nines.asking.entities import EntityKind
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.model import words

_RULES = ("database/", "concurrency/", "transactions/remote-call", "deadlines/call-without")
_PATTERNS = ("load-shedding", "backpressure", "connection-pool", "autoscaling", "cache-aside", "read-replica")


def answer(asked: Asked, material: Material) -> Answer:
    report, measurement = material.review(), material.measurement()
    figures = parts.measured(measurement, "load/steady")
    findings = parts.chosen(report, parts.by_rules(*_RULES))
    wanted = next((entity for entity in asked.of(EntityKind.RATE)), None)
    patterns = parts.known_patterns(_PATTERNS, material)[:4]
    target = f" {wanted.text}" if wanted else ""
    head = (
        figures[0].says
        if figures
        else f"Whether it carries{target or ' its load'} is not shown: nobody has measured it."
    )
    where = material.where or "PATH"
    return Answer(
        question=asked.text,
        intent="capacity",
        understood=f"you ask how much load it carries{f', {wanted.text}' if wanted else ''}",
        headline=head,
        sureness=parts.sureness((), figures, measurement) if figures else Sureness.LOW,
        because=parts.because(findings, figures, measurement),
        reasoning=(
            *figures,
            *parts.claims(findings, 4),
            *(
                Claim(
                    says=f"**{each.title}**: {' '.join(each.summary.split())}",
                    basis=Basis.PAGE,
                    source=f"page {each.id}",
                )
                for each in patterns
            ),
        ),
        approaches=(*parts.ways(findings, 3), *parts.pattern_ways(patterns[:2])),
        standards=parts.pattern_standards(patterns),
        figures=(*_arithmetic(wanted.value if wanted else None), *parts.budgets(measurement)),
        questions=(
            Open(
                question="What does a second of the busiest minute look like, by operation?",
                assumed="every operation alike, reads before writes",
                matters="`[load]` in nines.toml: rate_hz and the weights of operations",
            ),
        ),
        steps=(
            *parts.steps(("load/steady",), material),
            Step(
                command=f"nines design --from {where} -o dossier",
                why="the capacity of what exists, as far as reading tells",
            ),
        ),
        not_examined=parts.left_out(report, *([] if figures else ["the service under load"])),
        pages=tuple(each.id for each in patterns),
    )


def _arithmetic(rate_hz: float | None) -> tuple[Claim, ...]:
    if not rate_hz:
        return ()
    says = f"{words.rate(rate_hz)} at 200 ms each are {words.count(rate_hz * 0.2)} requests in flight (Little's law); "
    says += f"a statement of 2 ms each needs {words.count(max(1.0, rate_hz * 0.002))} busy database connections."
    return (Claim(says=says, basis=Basis.DERIVED, source="arithmetic"),)
