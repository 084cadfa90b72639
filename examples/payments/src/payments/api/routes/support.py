"""What support and administrators see."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from payments.api.access import ServicesDep, Support
from payments.api.contract import errors
from payments.api.pages import CursorText, PageSize
from payments.api.schemas import AuditEventOut, AuditEvents, TotalOut, Totals
from payments.api.strict import StrictRoute
from payments.store import audit, payments

router = APIRouter(prefix="/v1", tags=["support"], route_class=StrictRoute)


@router.get(
    "/audit-events", operation_id="listAuditEvents", summary="Who did what", responses=errors(400, 401, 403, 422)
)
async def audit_events(
    principal: Support,
    services: ServicesDep,
    object_id: Annotated[
        str | None, Query(max_length=64, pattern="^[A-Za-z0-9_]+$", description="Only about this object.")
    ] = None,
    page_size: PageSize = 50,
    cursor: CursorText = None,
) -> AuditEvents:
    binding = ("audit", principal.id, object_id)
    after = services.cursors.read(cursor, *binding)
    async with services.database.reading() as tx:
        rows = await audit.page(tx, object_id=object_id, after=after, limit=page_size + 1)
    items = [AuditEventOut.of(row) for row in rows[:page_size]]
    return AuditEvents(items=items, next_cursor=services.cursors.next(rows, page_size, *binding))


@router.get(
    "/reports/totals", operation_id="getTotals", summary="Sums by state and currency", responses=errors(401, 403, 422)
)
async def totals(
    _: Support,
    services: ServicesDep,
    days: Annotated[int, Query(ge=1, le=31, description="How many days back.")] = 7,
) -> Totals:
    async with services.database.reading() as tx:
        rows = await payments.totals(tx, days)
    return Totals(days=days, items=[TotalOut.of(row) for row in rows])
