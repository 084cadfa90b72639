"""Whether the design keeps its promises, with the figures, and what is still open; told once for every front page."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.markdown import sentence
from nines.model import words
from nines.model.blueprint import DependencyKind
from nines.model.design import Design, FailureMode, ScalePoint
from nines.model.record import Record

_CRASH = "refusing"
_DISASTERS = frozenset({"the region"})


class Promise(Record):
    """One budget beside what the design comes to."""

    name: str
    target: str
    found: str = ""
    """Empty: nothing was computed for it."""
    holds: bool | None = None
    says: str = ""
    """What decides it."""


class Open(Record):
    """Something that a person still has to answer or to accept."""

    kind: str
    says: str
    assumed: str = ""


def promises(design: Design) -> tuple[Promise, ...]:
    return (_availability(design), _latency(design), _load(design), _recovery(design), _loss(design))


def verdict(design: Design) -> bool | None:
    """Whether all hold; None where one is not known."""
    found = [promise.holds for promise in promises(design)]
    if False in found:
        return False
    return None if None in found else True


def _availability(design: Design) -> Promise:
    target = words.share(design.budgets.availability)
    if design.forecast is None:
        return Promise(name="Availability", target=target)
    largest = next(iter(design.forecast.contributions), None)
    mode = next((each for each in design.failures if largest and each.id == largest[0]), None)
    return Promise(
        name="Availability",
        target=words.share(design.forecast.target),
        found=words.share(round(design.forecast.availability, 6)),
        holds=design.forecast.availability >= design.forecast.target,
        says=f"most of what is lost: {_told(mode)}" if mode else "",
    )


def _told(mode: FailureMode) -> str:
    return f"{mode.dependency}: {mode.mode} ({mode.id})"


def _at_peak(design: Design) -> ScalePoint | None:
    points = design.capacity.points if design.capacity else ()
    return min(points, key=lambda point: abs(point.factor - 1), default=None)


def _latency(design: Design) -> Promise:
    target = design.budgets.latency_p95_s
    point = _at_peak(design)
    if point is None or (point.latency_p95_s is None and point.utilisation <= 1):
        return Promise(name="p95 latency", target=words.duration(target))
    if point.latency_p95_s is None:
        return Promise(
            name="p95 latency",
            target=words.duration(target),
            found="none",
            holds=False,
            says=f"{words.rate(point.rate_hz)} cannot be carried: {point.bottleneck}",
        )
    return Promise(
        name="p95 latency",
        target=words.duration(target),
        found=words.duration(point.latency_p95_s),
        holds=point.latency_p95_s <= target,
        says=f"simulated at {words.rate(point.rate_hz)}",
    )


def _load(design: Design) -> Promise:
    target = words.rate(design.demand.peak_hz) if design.demand else "not said"
    points = design.capacity.points if design.capacity else ()
    peak = _at_peak(design)
    if peak is None:
        return Promise(name="Peak load", target=target)
    first = next((point for point in sorted(points, key=lambda each: each.factor) if point.bottleneck), None)
    says = (
        f"first to give way: {first.bottleneck} at {words.count(first.factor)} × the peak"
        if first
        else "nothing gives way"
    )
    return Promise(
        name="Peak load",
        target=target,
        found=f"{words.share(round(peak.utilisation, 3))} used",
        holds=not peak.bottleneck and peak.utilisation <= 1,
        says=says,
    )


def _recovery(design: Design) -> Promise:
    """The promise is about a crash of our own parts: what others run, and disasters, come back in their own time."""
    target = words.duration(design.budgets.recovery_s)
    others = {each.name for each in design.dependencies if each.is_external} | _DISASTERS
    crashes = [
        mode for mode in design.failures if mode.mode == _CRASH and mode.share > 0 and mode.dependency not in others
    ]
    if not crashes:
        return Promise(name="Recovery", target=target)
    longest = max(crashes, key=lambda mode: mode.lasts_s)
    return Promise(
        name="Recovery",
        target=target,
        found=words.duration(longest.lasts_s),
        holds=longest.lasts_s <= design.budgets.recovery_s,
        says=f"the slowest to be back after a crash: {longest.dependency} ({longest.id})",
    )


def _loss(design: Design) -> Promise:
    target = words.duration(design.budgets.loss_s)
    kept = next((each for each in design.dependencies if each.kind is DependencyKind.POSTGRES), None)
    if kept is None or not kept.replication:
        return Promise(name="Data loss", target=target)
    is_safe = kept.replication == "synchronous"
    return Promise(
        name="Data loss",
        target=target,
        found="0 s"
        if is_safe
        else "the lag of the replica"
        if kept.replication == "asynchronous"
        else "back to the last copy",
        holds=True if is_safe else None if design.budgets.loss_s else False,
        says=f"{kept.name} replicates: {kept.replication}",
    )


def still_open(design: Design) -> tuple[Open, ...]:
    return tuple(
        Open(kind=each.kind, says=sentence(each.says), assumed=sentence(each.assumed)) for each in _still_open(design)
    )


def _still_open(design: Design) -> Iterator[Open]:
    for objection in design.warnings:
        yield Open(kind="warning", says=objection.says)
    for gap in design.gaps:
        yield Open(kind=gap.kind, says=gap.question, assumed=gap.assumed)
    for threat in design.threats:
        if threat.is_open:
            yield Open(kind="threat", says=f"{threat.id}: {threat.says}")
    for mode in design.failures:
        if mode.is_open:
            yield Open(kind="failure", says=f"{_told(mode)}: the caller sees {mode.caller_sees}")
