"""What to consider: the patterns of the subject with their choices, what may break, and how it is tried."""

from __future__ import annotations

from nines.asking import parts
from nines.asking.answer import Answer, Approach, Basis, Claim, Risk, Step, Sureness
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.asking.subjects import ANY, Subject, subject_of
from nines.model.finding import Finding
from nines.model.pattern import Pattern

_PATTERNS_MAX = 8
_RISKS_MAX = 6


def answer(asked: Asked, material: Material) -> Answer:
    name, subject = subject_of(asked)
    patterns = _patterns(asked, material, subject)
    draft = material.draft(subject.blueprint, subject.blueprint, None) if subject.blueprint else None
    findings = _here(material, subject)
    about = name if name != ANY else "an endpoint"
    own = f" Your code has {len(findings)} findings there already." if findings else ""
    return Answer(
        question=asked.text,
        intent="consider",
        understood=f"you ask what to consider for {about}",
        headline=f"{len(patterns)} things decide whether {about} holds; first: {_first(patterns)}.{own}",
        sureness=Sureness.MEDIUM if patterns else Sureness.LOW,
        because="for it is what pages with sources and the design of a like service say; "
        "your service was read where findings are named, and nothing was measured.",
        reasoning=(
            *(Claim(says=_told(each), basis=Basis.PAGE, source=f"page {each.id}") for each in patterns),
            *parts.claims(findings, 4),
        ),
        approaches=(*parts.ways(findings, 2), *_choices(patterns)),
        standards=parts.pattern_standards(patterns),
        risks=_risks(subject, draft.failures[:3] if draft else (), draft.threats[:3] if draft else ()),
        figures=_figures(draft.limits if draft else (), draft.name if draft else ""),
        questions=subject.open,
        steps=_steps(material, subject),
        not_examined=("whatever is special about your service: the questions above ask for it",),
        pages=tuple(each.id for each in patterns),
        blueprint=draft.text if draft else "",
    )


def _patterns(asked: Asked, material: Material, subject: Subject) -> tuple[Pattern, ...]:
    """Those that the question names go first."""
    text = asked.text.lower()
    named = [
        each.id for each in material.patterns() if any(word.lower() in text for word in (each.title, *each.also_called))
    ]
    return parts.known_patterns(dict.fromkeys((*named, *subject.patterns)), material)[:_PATTERNS_MAX]


def _first(patterns: tuple[Pattern, ...]) -> str:
    return "; ".join(each.title.lower() for each in patterns[:3]) or "nothing that nines has a page about"


def _told(pattern: Pattern) -> str:
    return f"**{pattern.title}**: {' '.join(pattern.summary.split())}"


def _choices(patterns: tuple[Pattern, ...]) -> tuple[Approach, ...]:
    """Two options of each of the first three: enough to see what there is to decide."""
    return parts.pattern_ways(patterns[:3])


def _here(material: Material, subject: Subject) -> tuple[Finding, ...]:
    """What the project that there is does wrong at entry points of this subject."""
    report = material.review()
    if report is None or not subject.words:
        return ()

    def is_wanted(finding: Finding) -> bool:
        names = " ".join((finding.endpoint, *finding.endpoints)).lower()
        is_there = any(word in names for word in subject.words)
        return is_there and any(finding.rule.startswith(prefix) for prefix in subject.rules)

    return parts.chosen(report, is_wanted)


def _risks(
    subject: Subject,
    failures: tuple[tuple[str, str], ...],
    threats: tuple[tuple[str, str], ...],
) -> tuple[Risk, ...]:
    source = f"design of the blueprint {subject.blueprint}"
    found = [Risk(says=says, mitigation=mitigation, source=source) for says, mitigation in (*failures, *threats)]
    return tuple(found[:_RISKS_MAX])


def _figures(limits: tuple[str, ...], name: str) -> tuple[Claim, ...]:
    return tuple(Claim(says=limit, basis=Basis.DERIVED, source=f"blueprint {name}") for limit in limits)


def _steps(material: Material, subject: Subject) -> tuple[Step, ...]:
    found: list[Step] = []
    if subject.blueprint:
        found.append(
            Step(
                command=f'nines ask "design {subject.blueprint}" --write blueprint.yaml',
                why="a blueprint of such a service to begin with; then nines design, then nines build",
            )
        )
    if material.where:
        found.append(Step(command=f"nines review {material.where}", why="what your code does of it today"))
    return (*found, *parts.steps(subject.experiments, material, 3))
