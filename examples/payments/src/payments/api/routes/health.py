"""Three probes that mean three things, and the metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from payments.api.access import ServicesDep
from payments.api.contract import errors
from payments.api.schemas import Health
from payments.problems import unavailable

router = APIRouter(tags=["health"])
READY_DEADLINE_S = 1.0


@router.get("/health/startup", operation_id="getStartup", summary="Has it started")
async def startup() -> Health:
    """Answers as soon as anything is answered."""
    return Health()


@router.get("/health/live", operation_id="getLiveness", summary="Should it be left running")
async def live() -> Health:
    """Asks nobody: a restart would not bring the database back."""
    return Health()


@router.get(
    "/health/ready",
    operation_id="getReadiness",
    summary="Should it get requests",
    responses={503: errors()[503]},
)
async def ready(services: ServicesDep) -> Health:
    """Not while it drains, nor while the database does not answer. The provider is no reason: payments wait for it."""
    if services.drain.is_draining:
        raise unavailable("Shutting down.")
    if not await services.database.answers(READY_DEADLINE_S):
        raise unavailable("The database does not answer.")
    return Health()


@router.get("/metrics", include_in_schema=False)
async def metrics() -> Response:
    """For Prometheus; keep it from the outside at the ingress."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
