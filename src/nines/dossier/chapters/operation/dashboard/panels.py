"""What the dashboard shows, row by row, for this design."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.chapters.operation.rules import duration
from nines.model.design import Design, Objective
from nines.model.record import Record


class Panel(Record):
    title: str
    queries: tuple[tuple[str, str], ...]
    """Expression and legend."""
    unit: str = "short"
    says: str = ""
    limits: tuple[float, ...] = ()
    """Lines that must not be crossed: amber, then red; one alone is red."""
    is_figure: bool = False
    is_least: bool = False
    """What is below the limit is bad."""


def rows(design: Design) -> Iterator[tuple[str, list[Panel]]]:
    yield "Budgets", list(_budgets(design))
    yield "Requests", list(_requests(design))
    yield "Work", list(_work(design))
    yield "Others", list(_others(design))
    yield "Use", list(_use(design))


def _budgets(design: Design) -> Iterator[Panel]:
    for objective in design.running.objectives:
        left = (
            f"1 - max(slo:bad_events:ratio_rate{duration(objective.window_s)}{_of(objective)}) / {objective.budget:.6g}"
        )
        yield Panel(
            title=f"Left of {objective.id}",
            queries=((left, "left"),),
            unit="percentunit",
            says=f"{objective.title}. {objective.says}",
            limits=(0.25, 0.0),
            is_figure=True,
            is_least=True,
        )
    pairs = {
        (alert.objective, alert.long_s): alert.burn_rate for alert in design.running.alerts if alert.severity == "page"
    }
    for objective in design.running.objectives:
        spans = [(span, burn) for (of, span), burn in pairs.items() if of == objective.id and span]
        queries = tuple(
            (f"max(slo:bad_events:ratio_rate{duration(span)}{_of(objective)}) / {objective.budget:.6g}", duration(span))
            for span, _ in spans
        )
        if queries:
            burns = sorted({burn for _, burn in spans if burn})
            yield Panel(title=f"Burn rate of {objective.id}", queries=queries, limits=tuple(burns))


def _requests(design: Design) -> Iterator[Panel]:
    if not design.endpoints:
        return
    jobs = _jobs(design)
    name = "http_request_duration_seconds"
    failed = f'sum by (operation) (rate({name}_count{{{jobs},status=~"5.."}}[5m]))'
    whole = f"sum by (operation) (rate({name}_count{{{jobs}}}[5m]))"
    demand = design.demand
    yield Panel(
        title="Rate",
        queries=((whole, "{{operation}}"),),
        unit="reqps",
        says=f"{demand.steady_hz:g}/s on an ordinary day, {demand.peak_hz:g}/s at the peak, in all." if demand else "",
    )
    yield Panel(
        title="Errors",
        queries=((f"{failed} / {whole}", "{{operation}}"),),
        unit="percentunit",
        limits=(design.budgets.error_rate,),
    )
    promised = sorted({each.threshold_s or 0.0 for each in design.running.objectives if each.indicator == "latency"})
    yield Panel(
        title="Duration, p95",
        queries=(
            (f"histogram_quantile(0.95, sum by (le, operation) (rate({name}_bucket{{{jobs}}}[5m])))", "{{operation}}"),
        ),
        unit="s",
        limits=tuple(promised[:2]),
    )
    yield Panel(
        title="Duration of all, p50 and p99",
        queries=tuple(
            (f"histogram_quantile({q}, sum by (le) (rate({name}_bucket{{{jobs}}}[5m])))", label)
            for q, label in ((0.5, "p50"), (0.99, "p99"))
        ),
        unit="s",
    )
    yield Panel(
        title="Refused: 401, 403, 409, 412, 429",
        queries=((f'sum by (status) (rate({name}_count{{{jobs},status=~"401|403|409|412|429"}}[5m]))', "{{status}}"),),
        unit="reqps",
        says="Not errors of the service; a change of shape is one of the callers, or an attack.",
    )
    yield Panel(
        title="Refused because too many were in flight",
        queries=((f"sum by (reason) (rate(http_requests_shed_total{{{jobs}}}[5m]))", "{{reason}}"),),
        unit="reqps",
    )


def _work(design: Design) -> Iterator[Panel]:
    given = {name for name, _ in design.running.metrics}
    jobs = _jobs(design)
    if "task_oldest_seconds" in given:
        yield Panel(
            title="Oldest piece that is due",
            queries=((f"max by (task) (task_oldest_seconds{{{jobs}}})", "{{task}}"),),
            unit="s",
            limits=(design.budgets.recovery_s,),
        )
        yield Panel(
            title="Done and given up",
            queries=(
                (f"sum by (task, outcome) (rate(task_delay_seconds_count{{{jobs}}}[5m]))", "{{task}} {{outcome}}"),
            ),
            unit="ops",
        )
        yield Panel(
            title="Delay, p95",
            queries=(
                (
                    f"histogram_quantile(0.95, sum by (le, task) (rate(task_delay_seconds_bucket{{{jobs}}}[5m])))",
                    "{{task}}",
                ),
            ),
            unit="s",
            limits=(design.budgets.recovery_s,),
        )
    if "task_last_success_timestamp_seconds" in given:
        yield Panel(
            title="Since a scheduled job ended well",
            queries=((f"time() - max by (task) (task_last_success_timestamp_seconds{{{jobs}}})", "{{task}}"),),
            unit="s",
        )


def _others(design: Design) -> Iterator[Panel]:
    given = {name for name, _ in design.running.metrics}
    jobs = _jobs(design)
    if "dependency_call_duration_seconds" not in given:
        return
    name = "dependency_call_duration_seconds"
    yield Panel(
        title="Calls by outcome",
        queries=((f"sum by (dependency, outcome) (rate({name}_count{{{jobs}}}[5m]))", "{{dependency}} {{outcome}}"),),
        unit="ops",
    )
    timeouts = sorted({each.timeout_s for each in design.dependencies if each.timeout_s})
    yield Panel(
        title="Calls, p95",
        queries=(
            (
                f"histogram_quantile(0.95, sum by (le, dependency) (rate({name}_bucket{{{jobs}}}[5m])))",
                "{{dependency}}",
            ),
        ),
        unit="s",
        says="The lines are the deadlines.",
        limits=tuple(timeouts)[:2],
    )
    if "dependency_breaker_open" in given:
        yield Panel(
            title="Breakers open, share of processes",
            queries=((f"avg by (dependency) (dependency_breaker_open{{{jobs}}})", "{{dependency}}"),),
            unit="percentunit",
            limits=(0.5,),
        )
    for dependency in design.dependencies:
        if dependency.bulkhead:
            chosen = f'{jobs},dependency="{dependency.name}"'
            yield Panel(
                title=f"Slots of {dependency.name} in use, busiest process",
                queries=((f"max(dependency_calls_in_flight{{{chosen}}})", "in flight"),),
                limits=(float(dependency.bulkhead),),
            )


def _use(design: Design) -> Iterator[Panel]:
    given = {name for name, _ in design.running.metrics}
    borrowed = {name: giver for name, _, giver in design.running.borrowed}
    jobs, deploy = _jobs(design), design.deploy
    cores = deploy.cpu if not design.is_recovered else 1.0
    scale_at = (design.capacity.scale_at,) if design.capacity and design.capacity.scale_at else ()
    yield Panel(
        title="Processors, share of what is asked for" if not design.is_recovered else "Processors, cores",
        queries=(
            (
                f"sum by (job) (rate(process_cpu_seconds_total{{{jobs}}}[5m])) / (sum by (job) (up{{{jobs}}}) * "
                f"{cores:g})",
                "{{job}}",
            ),
        ),
        unit="percentunit",
        says="The line is where a replica is added." if scale_at else "",
        limits=scale_at,
    )
    yield Panel(
        title="Memory, largest process",
        queries=((f"max by (job) (process_resident_memory_bytes{{{jobs}}})", "{{job}}"),),
        unit="bytes",
        limits=() if design.is_recovered else (float(deploy.memory_bytes),),
    )
    yield Panel(title="Processes that answer", queries=((f"sum by (job) (up{{{jobs}}})", "{{job}}"),))
    yield Panel(title="Requests in flight", queries=((f"sum by (job) (http_requests_in_flight{{{jobs}}})", "{{job}}"),))
    if "database_pool_connections_in_use" in given:
        used, most = (f"sum by (dependency) (database_pool_connections_{each}{{{jobs}}})" for each in ("in_use", "max"))
        yield Panel(
            title="Connections in use, share of the pools",
            queries=((f"{used} / {most}", "{{dependency}}"),),
            unit="percentunit",
            limits=(0.9,),
        )
        yield Panel(
            title="Wait for a connection, p95",
            queries=(
                (
                    f"histogram_quantile(0.95, sum by (le) (rate(database_pool_wait_seconds_bucket{{{jobs}}}[5m])))",
                    "p95",
                ),
            ),
            unit="s",
        )
    for alert in design.running.alerts_of("disk"):
        giver = next((giver for name, giver in borrowed.items() if name == alert.metric), "")
        yield Panel(
            title=f"Free on the volume of {alert.about}",
            queries=((f"min({alert.expression.partition(' < ')[0]})", "free"),),
            unit="percentunit",
            says=f"Given by {giver}." if giver else "",
            limits=(0.2, 0.1),
            is_least=True,
        )
    for alert in design.running.alerts_of("lag"):
        yield Panel(
            title=f"Copies of {alert.about} behind",
            queries=((alert.expression.rpartition(" > ")[0], "behind"),),
            unit="s",
            limits=(alert.threshold or 0.0,),
        )


def _of(objective: Objective) -> str:
    return f'{{slo="{objective.id}"}}'


def _jobs(design: Design) -> str:
    names = [each.name for each in design.running.deployables]
    return f'job="{names[0]}"' if len(names) == 1 else f'job=~"{"|".join(names)}"'
