"""A design: the nearest blueprint at the load that was asked for, with its figures, choices and open questions."""

from __future__ import annotations

from nines.asking import parts
from nines.asking.answer import Answer, Approach, Basis, Claim, Open, Risk, Step, Sureness
from nines.asking.entities import EntityKind
from nines.asking.material import Draft, Material
from nines.asking.recognise import Asked
from nines.asking.subjects import Subject, name_of, subject_of
from nines.model import words

_DECISIONS_MAX = 3
_PATTERNS_MAX = 8
_FILE = "blueprint.yaml"


def answer(asked: Asked, material: Material) -> Answer:
    name, subject = subject_of(asked)
    rate_hz = next((entity.value for entity in asked.of(EntityKind.RATE)), None)
    draft = material.draft(subject.blueprint, name_of(asked), rate_hz)
    patterns = parts.known_patterns(subject.patterns, material)[:_PATTERNS_MAX]
    rate = f" at {words.rate(rate_hz)}" if rate_hz else ""
    return Answer(
        question=asked.text,
        intent="design",
        understood=f"you ask for something new: {name if subject.blueprint else draft.name}{rate}",
        headline=_headline(draft),
        sureness=Sureness.LOW if draft.objections or not draft.is_shipped else Sureness.MEDIUM,
        because=_because(draft),
        reasoning=(
            *_claims(draft),
            *(
                Claim(
                    says=f"**{each.title}**: {' '.join(each.summary.split())}",
                    basis=Basis.PAGE,
                    source=f"page {each.id}",
                )
                for each in patterns
            ),
        ),
        approaches=(*_objected(draft), *_decided(draft)),
        standards=parts.pattern_standards(patterns),
        risks=tuple(
            Risk(says=says, mitigation=mitigation, source=f"design of {draft.name}")
            for says, mitigation in (*draft.failures[:3], *draft.threats[:3])
        ),
        figures=_figures(draft),
        questions=(*_load(rate_hz, draft), *_gaps(draft), *_unanswered(subject, rate_hz)),
        steps=_steps(asked, draft),
        not_examined=("nothing of it runs yet, so nothing is measured: every figure is arithmetic over the blueprint",),
        pages=tuple(each.id for each in patterns),
        blueprint=draft.text,
    )


def _headline(draft: Draft) -> str:
    if draft.objections:
        return f"{draft.name} cannot hold as it is asked for: {draft.objections[0].says}"
    load = f"{draft.steady} ordinarily, {draft.peak} at the peak"
    promised = f", forecast {words.share(draft.availability)} available" if draft.availability is not None else ""
    return f"A blueprint that nines designs without objection: {draft.name}, {load}{promised}"


def _because(draft: Draft) -> str:
    if draft.objections:
        return "for the blueprint contradicts itself; each objection holds the arithmetic and ways out."
    kind = "a blueprint that is shipped and tried" if draft.is_shipped else "a first blueprint, made of assumptions"
    return f"for it is {kind}, and its figures are arithmetic; `nines build` and `nines check` would measure them."


def _claims(draft: Draft) -> tuple[Claim, ...]:
    source = f"design of {draft.name}"
    found = []
    if draft.operations:
        shown = ", ".join(draft.operations[:12]) + (" …" if len(draft.operations) > 12 else "")
        says = (
            f"{words.many(len(draft.operations), 'operation')} over {words.many(len(draft.tables), 'table')}: {shown}."
        )
        found.append(Claim(says=says, basis=Basis.DERIVED, source=source))
    if draft.bottleneck:
        found.append(Claim(says=f"First bottleneck: {draft.bottleneck}.", basis=Basis.DERIVED, source=source))
    found += [
        Claim(says=f"{each.concern}: {each.chosen}. {each.because}", basis=Basis.DERIVED, source=source)
        for each in draft.decisions[:_DECISIONS_MAX]
    ]
    return tuple(found)


def _objected(draft: Draft) -> tuple[Approach, ...]:
    return tuple(
        Approach(title=name, trade_off=trade_off, source="objection", about=each.says)
        for each in draft.objections
        for name, trade_off in each.options
    )


def _decided(draft: Draft) -> tuple[Approach, ...]:
    return tuple(
        Approach(
            title=f"{name} (chosen)" if name == each.chosen else name,
            trade_off=trade_off,
            source=f"design of {draft.name}",
            about=each.concern,
        )
        for each in draft.decisions[:_DECISIONS_MAX]
        for name, trade_off in each.options[:3]
    )


def _figures(draft: Draft) -> tuple[Claim, ...]:
    source = f"design of {draft.name}"
    told = [*draft.limits]
    if draft.availability is not None and draft.promised is not None:
        holds = "holds" if draft.availability >= draft.promised else "does not hold"
        promised = words.share(draft.promised)
        told.append(f"Forecast {words.share(draft.availability)} available against {promised} promised: {holds}.")
    return tuple(Claim(says=each, basis=Basis.DERIVED, source=source) for each in told)


def _load(rate_hz: float | None, draft: Draft) -> tuple[Open, ...]:
    if rate_hz:
        return ()
    asked = "How many requests a second come in the busiest minute?"
    why = "pools, processes, limits and the first bottleneck"
    return (Open(question=asked, assumed=draft.peak, matters=why, is_decisive=True),)


def _gaps(draft: Draft) -> tuple[Open, ...]:
    return tuple(Open(question=asked, assumed=assumed, matters=why) for asked, assumed, why in draft.gaps[:6])


def _unanswered(subject: Subject, rate_hz: float | None) -> tuple[Open, ...]:
    """What the question has answered already is not asked again."""
    return tuple(
        each for each in subject.open if not (rate_hz and "a second" in each.question and "peak" in each.question)
    )


def _steps(asked: Asked, draft: Draft) -> tuple[Step, ...]:
    question = asked.text.replace('"', "'")
    first = Step(command=f'nines ask "{question}" --write {_FILE}', why="writes this blueprint; read it, and change it")
    dossier = Step(
        command=f"nines design {_FILE} -o dossier", why="contract, data, capacity, security, failure, operation"
    )
    built = Step(command=f"nines build {_FILE} -o {draft.name}", why="writes the service with its tests and deployment")
    checked = Step(command=f"nines check {draft.name}", why="measures what the design only computes", is_heavy=True)
    return (first, dossier) if draft.objections else (first, dossier, built, checked)
