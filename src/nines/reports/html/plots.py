"""Plots as inline SVG: latency over time with fault windows shaded, the percentile curve, counts against rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from nines.model.budget import Budgets
from nines.model.experiment import Trial
from nines.model.history import Exchange, History, Outcome

_WIDTH, _HEIGHT = 640.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 12.0, 14.0, 34.0
_POINTS_MAX = 1500
_PLOTTED_MIN = 20
"""Fewer exchanges than this, or requests without a load or a fault, say more in words than in a plot."""
_OPENERS = {"fault on": "fault off", "killed": "ready"}
"""Marks that open a shaded window, with the mark that closes it."""


def of(trial: Trial, limits: Budgets) -> list[Markup]:
    """The plots that say something about this trial."""
    history = trial.history
    found: list[Markup] = []
    timed = [exchange for exchange in history.exchanges if exchange.ended_s > 0]
    if len(timed) >= _PLOTTED_MIN and (history.loads or history.marks):
        found += [_over_time(history, timed, limits), _percentiles(timed, limits)]
    if any(times > 1 for times in Counter(count.name for count in history.counts).values()):
        found.append(_counts(history))
    return found


class _Axes:
    """Maps values to the plot's area."""

    def __init__(self, x_max: float, y_min: float, y_max: float, *, is_log: bool, x_min: float = 0.0) -> None:
        self._x_min, self._x_max = x_min, max(x_max, x_min + 1e-9)
        self._scale: Callable[[float], float] = (lambda v: math.log10(max(v, y_min))) if is_log else (lambda v: v)
        self._y_min, self._y_max = self._scale(y_min), max(self._scale(y_max), self._scale(y_min) + 1e-9)

    def x(self, value: float) -> float:
        share = (value - self._x_min) / (self._x_max - self._x_min)
        return _LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (self._scale(value) - self._y_min) / (self._y_max - self._y_min)
        return _HEIGHT - _BOTTOM - min(max(share, 0.0), 1.0) * (_HEIGHT - _TOP - _BOTTOM)


def _over_time(history: History, timed: Sequence[Exchange], limits: Budgets) -> Markup:
    latencies = [max(exchange.latency_ms, 0.1) for exchange in timed]
    end_s = max(exchange.ended_s for exchange in timed)
    axes = _Axes(end_s, _floor(min(latencies)), _ceiling(max(*latencies, limits.latency_p95_ms)), is_log=True)
    parts = [_window(axes, start_s, stop_s, name) for start_s, stop_s, name in _windows(history, end_s)]
    parts += _log_grid(axes, _floor(min(latencies)), _ceiling(max(*latencies, limits.latency_p95_ms)), "ms")
    parts += [_tick_x(axes, value, f"{value:g} s") for value in _steps(end_s)]
    parts.append(_limit_line(axes, limits.latency_p95_ms, "p95 budget"))
    stride = len(timed) // _POINTS_MAX + 1
    for index, exchange in enumerate(timed):
        if index % stride == 0 or exchange.outcome is Outcome.INDEFINITE:
            parts.append(_dot(axes, exchange))
    return _svg("Latency over time, counted from the intended send time", parts, _legend(timed))


def _percentiles(timed: Sequence[Exchange], limits: Budgets) -> Markup:
    ordered = sorted(max(exchange.latency_ms, 0.1) for exchange in timed)
    deepest = math.log10(len(ordered))
    low, high = _floor(ordered[0]), _ceiling(max(ordered[-1], limits.latency_p95_ms))
    axes = _Axes(deepest, low, high, is_log=True)
    parts = _log_grid(axes, low, high, "ms")
    for share, label in ((0.5, "p50"), (0.9, "p90"), (0.95, "p95"), (0.99, "p99"), (0.999, "p99.9")):
        if -math.log10(1 - share) <= deepest:
            parts.append(_tick_x(axes, -math.log10(1 - share), label))
    parts.append(_limit_line(axes, limits.latency_p95_ms, "p95 budget"))
    count = len(ordered)
    stride = count // _POINTS_MAX + 1
    shown = [i for i in range(count) if i % stride == 0 or i > count - 50]
    points = [(axes.x(-math.log10(1 - i / count)), axes.y(ordered[i])) for i in shown]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts.append(Markup('<path class="curve" d="{}"/>').format(path))
    return _svg("Percentiles", parts, Markup())


def _counts(history: History) -> Markup:
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for count in history.counts:
        series[count.name].append((count.x, count.y))
    x_max = max(count.x for count in history.counts)
    y_max = max(count.y for count in history.counts)
    axes = _Axes(x_max, 0.0, max(y_max * 1.1, 1.0), is_log=False)
    parts = [_tick_y(axes, value, f"{value:g}") for value in _steps(max(y_max, 1.0))]
    parts += [_tick_x(axes, value, f"{value:g}") for value in _steps(max(x_max, 1.0))]
    for number, (name, points) in enumerate(series.items()):
        ordered = sorted(points)
        path = "M" + "L".join(f"{axes.x(x):.1f} {axes.y(y):.1f}" for x, y in ordered)
        parts.append(Markup('<path class="curve c{}" d="{}"><title>{}</title></path>').format(number % 6, path, name))
        x, y = ordered[-1]
        parts.append(
            Markup('<text class="label" text-anchor="end" x="{:.1f}" y="{:.1f}">{}</text>').format(
                axes.x(x) - 4, axes.y(y) - 5, name
            )
        )
    return _svg("Statements against rows", parts, Markup())


def _windows(history: History, end_s: float) -> Iterable[tuple[float, float, str]]:
    opened: dict[tuple[str, str], float] = {}
    for mark in history.marks:
        for opener, closer in _OPENERS.items():
            if mark.event == opener:
                opened[opener, mark.name] = mark.time_s
            elif mark.event == closer:
                key = next((k for k in opened if k[0] == opener and k[1] in (mark.name, "")), None)
                if key is not None:
                    yield opened.pop(key), mark.time_s, f"{opener}: {mark.name}"
    for (opener, name), start_s in opened.items():
        yield start_s, end_s, f"{opener}: {name}"


def _window(axes: _Axes, start_s: float, stop_s: float, name: str) -> Markup:
    left, right = axes.x(start_s), axes.x(stop_s)
    return Markup(
        '<rect class="fault" x="{:.1f}" y="{}" width="{:.1f}" height="{}">'
        "<title>{} ({:.1f} s to {:.1f} s)</title></rect>"
    ).format(left, _TOP, max(right - left, 1.5), _HEIGHT - _TOP - _BOTTOM, name, start_s, stop_s)


def _dot(axes: _Axes, exchange: Exchange) -> Markup:
    said = exchange.status if exchange.status is not None else exchange.error
    return Markup(
        '<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="1.7"><title>{} {}: {}, {:.1f} ms</title></circle>'
    ).format(
        exchange.outcome.value,
        axes.x(exchange.intended_s),
        axes.y(max(exchange.latency_ms, 0.1)),
        exchange.method,
        exchange.path,
        said,
        exchange.latency_ms,
    )


def _log_grid(axes: _Axes, low: float, high: float, unit: str) -> list[Markup]:
    decades = range(round(math.log10(low)), round(math.log10(high)) + 1)
    return [_tick_y(axes, 10.0**decade, f"{10.0**decade:g} {unit}") for decade in decades]


def _tick_y(axes: _Axes, value: float, label: str) -> Markup:
    y = axes.y(value)
    return Markup(
        '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="label" text-anchor="end" x="{}" y="{:.1f}">{}</text>'
    ).format(_LEFT, _WIDTH - _RIGHT, y, y, _LEFT - 6, y + 4, label)


def _tick_x(axes: _Axes, value: float, label: str) -> Markup:
    x = axes.x(value)
    return Markup(
        '<line class="tick" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>'
        '<text class="label" text-anchor="middle" x="{:.1f}" y="{}">{}</text>'
    ).format(x, x, _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM + 4, x, _HEIGHT - _BOTTOM + 18, label)


def _limit_line(axes: _Axes, value: float, label: str) -> Markup:
    y = axes.y(value)
    return Markup(
        '<line class="limit" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="label limit-label" text-anchor="end" x="{}" y="{:.1f}">{} {:g} ms</text>'
    ).format(_LEFT, _WIDTH - _RIGHT, y, y, _WIDTH - _RIGHT - 2, y - 4, label, value)


def _legend(timed: Sequence[Exchange]) -> Markup:
    counts = [(outcome.value, sum(1 for e in timed if e.outcome is outcome)) for outcome in Outcome]
    items = (Markup('<span class="key {}">{} {}</span>').format(name, count, name) for name, count in counts if count)
    return Markup('<span class="legend">{}</span>').format(Markup().join(items))


def _svg(title: str, parts: Iterable[Markup], legend: Markup) -> Markup:
    body = Markup().join(parts)
    return Markup(
        '<figure class="plot"><figcaption>{} {}</figcaption>'
        '<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg></figure>'
    ).format(title, legend, _WIDTH, _HEIGHT, title, body)


def _floor(value: float) -> float:
    return float(10.0 ** math.floor(math.log10(max(value, 0.1))))


def _ceiling(value: float) -> float:
    return float(10.0 ** math.ceil(math.log10(max(value, 1.0))))


def _steps(highest: float) -> list[float]:
    """Round values from 0 to the highest, at most eight."""
    rough = highest / 6
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= rough)
    return [round(step * number, 10) for number in range(int(highest / step) + 1)]
