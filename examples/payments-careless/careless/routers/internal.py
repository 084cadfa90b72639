from typing import Any

from fastapi import APIRouter, Depends
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from careless.db import SessionLocal, get_db
from careless.models import Entry, Payment, User
from careless.schemas import Page, page_of
from careless.security import require_support

router = APIRouter(tags=["internal"])


# Only called by the finance dashboard.
@router.get("/v1/reports/totals", operation_id="getTotals")
async def totals(days: int = 7) -> dict[str, Any]:
    db = SessionLocal()
    rows = db.execute(
        select(
            Payment.status,
            Payment.currency,
            func.count(),
            func.sum(Payment.amount_minor),
            func.sum(Payment.refunded_minor),
        )
        .where(Payment.created_at > func.now() - text(f"interval '{days} days'"))
        .group_by(Payment.status, Payment.currency)
    ).all()
    names = ("status", "currency", "count", "amount_minor", "refunded_minor")
    return {"days": days, "items": [dict(zip(names, row)) for row in rows]}


@router.get("/v1/audit-events", operation_id="listAuditEvents", response_model=Page)
async def audit_events(
    object_id: str | None = None,
    page_size: int = 50,
    cursor: str | None = None,
    user: User = Depends(require_support),
    db: Session = Depends(get_db),
) -> Page:
    entries = db.scalars(select(Entry).order_by(Entry.created_at)).all()
    items = [{"id": entry.id, "at": entry.created_at, "action": entry.kind} for entry in entries]
    return page_of(items, page_size, cursor)


@router.get("/health/live", operation_id="getLiveness")
async def live(db: Session = Depends(get_db)) -> dict[str, str]:
    db.execute(text("SELECT 1"))
    return {"status": "ok"}


@router.get("/health/ready", operation_id="getReadiness")
async def ready() -> dict[str, str]:
    return {"status": "ok"}
