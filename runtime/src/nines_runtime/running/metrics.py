"""Metrics in the text format of Prometheus, small and quick: a count is one addition, no lock, no lookup by labels.

    metrics = Metrics()
    shed = metrics.counter("http_requests_shed_total", "Requests refused.", ("reason",), start=[("full",)])
    shed.of("full").add()

All of it happens in one event loop, which is why nothing is locked."""

from __future__ import annotations

import os
import resource
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import process_time, time
from typing import Any, Generic, TypeVar

from nines_runtime.running import sharing
from nines_runtime.running.sharing import Child as Told
from nines_runtime.running.sharing import Metric

CHILDREN_MAX = 2_000
"""Of one metric; what comes beyond is counted under the label value "other", so that no caller fills the memory."""
OTHER = "other"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Counter:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, amount: float = 1.0) -> None:
        self.value += amount


class Gauge:
    __slots__ = ("read", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.read: Callable[[], float] | None = None
        """Asked when the metrics are, instead of the value."""

    def set(self, value: float) -> None:
        self.value = value

    def add(self, amount: float = 1.0) -> None:
        self.value += amount


class Histogram:
    __slots__ = ("counts", "edges", "exemplars", "sum")

    def __init__(self, edges: Sequence[float] = BUCKETS_S) -> None:
        self.edges = edges
        self.counts = [0] * (len(edges) + 1)
        self.sum = 0.0
        self.exemplars: dict[int, tuple[str, float, float]] = {}

    def observe(self, value: float, trace_id: str = "") -> None:
        """With the trace that shows it, where one is kept."""
        at = bisect_left(self.edges, value)
        self.counts[at] += 1
        self.sum += value
        if trace_id:
            self.exemplars[at] = (trace_id, value, time())


Child = TypeVar("Child", bound="Counter | Gauge | Histogram")


class Family(Generic[Child]):
    """One metric, with a child for each combination of its labels' values."""

    def __init__(
        self,
        name: str,
        says: str,
        labels: tuple[str, ...],
        kind: str,
        make: Callable[[], Child],
        *,
        edges: tuple[float, ...] = (),
        is_highest: bool = False,
    ) -> None:
        self.name, self.says, self.labels, self.kind = name, says, labels, kind
        self.edges, self.is_highest = edges, is_highest
        self._make = make
        self.children: dict[tuple[str, ...], Child] = {}

    def of(self, *values: str) -> Child:
        """The child with these values of the labels."""
        child = self.children.get(values)
        return child if child is not None else self._new(values)

    def _new(self, values: tuple[str, ...]) -> Child:
        if len(values) != len(self.labels):
            raise ValueError(f"{self.name} has the labels {', '.join(self.labels) or '(none)'}.")
        if len(self.children) >= CHILDREN_MAX:
            values = (OTHER,) * len(values)
            if values in self.children:
                return self.children[values]
        child = self.children[values] = self._make()
        return child


class Metrics:
    """All metrics of a process. Asking again for a name gives the same metric."""

    def __init__(self, *, is_process_told: bool = True) -> None:
        self._families: dict[str, Family[Any]] = {}
        self._folder: Path | None = None
        if is_process_told:
            self.gauge("process_cpu_seconds_total", "Processor time.", kind="counter").of().read = process_time
            self.gauge("process_resident_memory_bytes", "Memory in use.").of().read = _resident_bytes

    def counter(
        self, name: str, says: str, labels: tuple[str, ...] = (), *, start: Iterable[tuple[str, ...]] = ()
    ) -> Family[Counter]:
        """`start` names the values that begin at 0: what appears with its first event is not seen to rise."""
        return self._family(Family(name, says, labels, "counter", Counter), start)

    def gauge(
        self,
        name: str,
        says: str,
        labels: tuple[str, ...] = (),
        *,
        start: Iterable[tuple[str, ...]] = (),
        kind: str = "gauge",
        is_highest: bool = False,
    ) -> Family[Gauge]:
        """`is_highest`: of several workers the highest value is told, not the sum."""
        return self._family(Family(name, says, labels, kind, Gauge, is_highest=is_highest), start)

    def histogram(
        self,
        name: str,
        says: str,
        labels: tuple[str, ...] = (),
        *,
        start: Iterable[tuple[str, ...]] = (),
        edges: Sequence[float] = BUCKETS_S,
    ) -> Family[Histogram]:
        """`edges` are the upper ends of its buckets; an objective's threshold must be one of them."""
        ends = tuple(sorted(set(edges)))
        return self._family(Family(name, says, labels, "histogram", lambda: Histogram(ends), edges=ends), start)

    def _family(self, family: Family[Child], start: Iterable[tuple[str, ...]]) -> Family[Child]:
        known = self._families.setdefault(family.name, family)
        if (known.kind, known.labels) != (family.kind, family.labels):
            raise ValueError(f"{family.name} is there already, as a {known.kind} with other labels.")
        for values in start if family.labels else [()]:
            known.of(*values)
        return known

    def share(self, folder: Path) -> None:
        """From now on this process is one of several workers that leave what they counted there."""
        self._folder = folder

    def leave(self) -> None:
        if self._folder is not None:
            sharing.leave(self._folder, self._told())

    def text(self, *, is_open: bool = False) -> bytes:
        """For a scraper; `is_open`: in the format OpenMetrics, which carries exemplars."""
        lines: list[str] = []
        told = self._told()
        if self._folder is not None:
            told = sharing.together(self._folder, told)
        for metric in told:
            name = metric.name.removesuffix("_total") if is_open and metric.kind == "counter" else metric.name
            lines += (f"# HELP {name} {_escaped(metric.says)}", f"# TYPE {name} {metric.kind}")
            for child in metric.children:
                labels = ",".join(
                    f'{label}="{_quoted(value)}"' for label, value in zip(metric.labels, child.values, strict=True)
                )
                if metric.kind == "histogram":
                    own = self._families[metric.name].children.get(child.values) if is_open else None
                    lines += _histogram(metric, child, labels, own.exemplars if own is not None else {})
                else:
                    lines.append(f"{metric.name}{_braced(labels)} {_number(child.number)}")
        if is_open:
            lines.append("# EOF")
        return ("\n".join(lines) + "\n").encode("utf-8")

    def _told(self) -> list[Metric]:
        return [
            Metric(
                family.name,
                family.says,
                family.kind,
                family.labels,
                family.is_highest,
                family.edges,
                [_told(values, child) for values, child in family.children.items()],
            )
            for family in self._families.values()
        ]


def _told(values: tuple[str, ...], child: Counter | Gauge | Histogram) -> Told:
    if isinstance(child, Histogram):
        return Told(values, child.sum, list(child.counts))
    if isinstance(child, Gauge) and child.read is not None:
        return Told(values, child.read())
    return Told(values, child.value)


def _histogram(
    metric: Metric, child: Told, labels: str, exemplars: dict[int, tuple[str, float, float]]
) -> Iterable[str]:
    total = 0
    before = f"{labels}," if labels else ""
    for at, edge in enumerate((*map(_number, metric.edges), "+Inf")):
        total += child.counts[at]
        shown = ""
        if at in exemplars:
            trace_id, value, at_s = exemplars[at]
            shown = f' # {{trace_id="{trace_id}"}} {_number(value)} {at_s:.3f}'
        yield f'{metric.name}_bucket{{{before}le="{edge}"}} {total}{shown}'
    yield f"{metric.name}_sum{_braced(labels)} {_number(child.number)}"
    yield f"{metric.name}_count{_braced(labels)} {total}"


def _braced(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _resident_bytes() -> float:
    try:
        return float(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        # Not Linux: the most that it ever was, in kibibytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024.0
