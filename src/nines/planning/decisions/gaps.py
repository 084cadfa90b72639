"""What nobody said and what hangs on it: defaults that change a design are questions, not facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nines.model import words
from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Design, Gap
from nines.model.record import Record
from nines.planning.capacity import figures


class Default(Record):
    """A path that was left out, and what was taken instead."""

    path: str
    question: str
    assumed: Callable[[Blueprint], str]
    matters: str


_DEFAULTS = (
    Default(
        path="load.steady",
        question="How many requests come on an ordinary day?",
        assumed=lambda b: words.rate(b.load.steady_hz),
        matters="storage, partitions and the bill grow with it",
    ),
    Default(
        path="load.peak",
        question="And in the busiest minute?",
        assumed=lambda b: words.rate(b.load.peak_hz),
        matters="pools, processes and limits are made for it; every figure of the chapter on capacity hangs on it",
    ),
    Default(
        path="load.growth",
        question="By what does the load grow in a year?",
        assumed=lambda b: f"{b.load.growth_per_year:g} times",
        matters="when a replica, a partition or a second primary becomes due",
    ),
    Default(
        path="load.payload",
        question="How large is a body?",
        assumed=lambda b: words.size(b.load.payload_bytes),
        matters="the network, the limits on bodies, and the size of pages",
    ),
    Default(
        path="budgets.rpo",
        question="How much of what was acknowledged may a disaster take?",
        assumed=lambda b: words.duration(b.budgets.loss_s) if b.budgets.loss_s else "nothing",
        matters="whether a commit waits for a second copy",
    ),
    Default(
        path="deploy.zones",
        question="Over how many zones is it spread?",
        assumed=lambda b: f"{b.deploy.zones}",
        matters="how many processes stand by, and at which use one is added",
    ),
    Default(
        path="deploy.replicas",
        question="How few and how many processes may run?",
        assumed=lambda b: f"{b.deploy.replicas_min} to {b.deploy.replicas_max}",
        matters="what a sudden peak meets, and how many connections are held",
    ),
)


def gaps(design: Design) -> Iterator[Gap]:
    """What was left open, beyond the questions that the blueprint itself names."""
    blueprint = design.blueprint
    if blueprint is None or not blueprint.places:
        return
    said = dict(blueprint.places)
    asked = {gap.where for gap in design.gaps}
    found = [*_defaults(blueprint), *_dependencies(blueprint), *_shares(blueprint), *_database(blueprint)]
    for gap in found:
        if gap.where not in said and gap.where not in asked:
            yield gap


def _defaults(blueprint: Blueprint) -> Iterator[Gap]:
    for each in _DEFAULTS:
        yield Gap(question=each.question, assumed=each.assumed(blueprint), matters=each.matters, where=each.path)


def _dependencies(blueprint: Blueprint) -> Iterator[Gap]:
    calls = [call for each in blueprint.operations for call in each.calls]
    calls += [call for each in blueprint.jobs for call in each.calls]
    called = {call.partition(".")[0] for call in calls}
    for each in blueprint.dependencies:
        path = f"dependencies.{each.name}"
        if each.name in called and each.latency_p95_s is None:
            assumed = f"as long as its timeout, {words.duration(each.timeout_s)}" if each.timeout_s else ""
            yield Gap(
                question=f"How long does {each.name} take (p95)?",
                assumed=assumed,
                matters="calls in flight, bulkheads, and whether callers can wait for it",
                where=f"{path}.p95",
            )
        if each.name in called and each.is_external and each.rate_max_hz is None:
            yield Gap(
                question=f"How many calls a second does {each.name} allow?",
                assumed="as many as are made",
                matters="whether the peak has to be spread, and what its provider answers to it",
                where=f"{path}.rate",
            )
        if each.availability is None and each.is_hard:
            yield Gap(
                question=f"What availability does {each.name} promise?",
                matters="the forecast multiplies the availability of everything that is needed",
                where=f"{path}.availability",
            )


def _shares(blueprint: Blueprint) -> Iterator[Gap]:
    unsaid = [each.name for each in blueprint.operations if each.share is None]
    if unsaid and len(blueprint.operations) > 1:
        each = blueprint.rate_hz(next(o for o in blueprint.operations if o.share is None), at_peak=True)
        names = ", ".join(unsaid[:_NAMED_MAX]) + (f" and {len(unsaid) - _NAMED_MAX} more" * (len(unsaid) > _NAMED_MAX))
        yield Gap(
            question=f"How much of the load is {names}?",
            assumed=f"equal parts of what the others leave: {words.rate(each)} each at the peak",
            matters="the mixture decides which resource gives way first",
            where=f"operations.{unsaid[0]}.share",
        )


def _database(blueprint: Blueprint) -> Iterator[Gap]:
    found = blueprint.database
    if found is None or found.kind is not DependencyKind.POSTGRES:
        return
    path = f"dependencies.{found.name}"
    yield Gap(
        question=f"How many connections does {found.name} allow?",
        assumed=f"{figures.CONNECTIONS_USUAL}, PostgreSQL's default",
        matters="how many processes can start",
        where=f"{path}.connections",
    )
    yield Gap(
        question="How many connections does each process hold?",
        assumed=f"{figures.POOL_USUAL}",
        matters="what waits for a connection at the peak",
        where=f"{path}.pool",
    )
    yield Gap(
        question=f"Where does a second copy of {found.name} stand, and do commits wait for it?",
        assumed="as what may be lost asks for",
        matters="each commit takes 1.5 ms more, or the last moments may be lost",
        where=f"{path}.replication",
    )


_NAMED_MAX = 3
