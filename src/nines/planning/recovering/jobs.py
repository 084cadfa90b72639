"""Work outside a request: tasks, consumers and schedules; commands of an operator are none."""

from __future__ import annotations

from nines.model.design import PlannedJob
from nines.model.service import EndpointKind, Service
from nines.planning.recovering.steps import flow

_KINDS = {
    EndpointKind.TASK: "a task that somebody enqueues",
    EndpointKind.CONSUMER: "takes messages",
    EndpointKind.SCHEDULE: "runs by the clock",
}


def jobs(service: Service) -> tuple[PlannedJob, ...]:
    return tuple(
        PlannedJob(
            name=endpoint.id,
            says=endpoint.summary or _KINDS[endpoint.kind],
            attempts_max=0,
            concurrency=0,
            flow=flow(endpoint, service.trace(endpoint.id)),
        )
        for endpoint in service.endpoints
        if endpoint.kind in _KINDS
    )
