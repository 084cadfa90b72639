from fastapi import APIRouter, Depends, Header, HTTPException
from sqlalchemy.orm import Session

from careless.db import get_db
from careless.models import Payment, Refund, User
from careless.repositories import payments as repository
from careless.schemas import NewPayment, NewRefund, Page, PaymentOut, RefundOut, internal_id, page_of
from careless.security import current_user
from careless.services import idempotency
from careless.services import payments as service

router = APIRouter(prefix="/v1/payments", tags=["payments"])


def load(db: Session, payment_id: str) -> Payment:
    payment = repository.find(db, internal_id(payment_id))
    if payment is None:
        raise HTTPException(404, "Payment not found")
    return payment


@router.post("", status_code=201, operation_id="createPayment", response_model=PaymentOut)
def create(
    body: NewPayment,
    idempotency_key: str = Header(max_length=255),
    user: User = Depends(current_user),
    db: Session = Depends(get_db),
) -> PaymentOut:
    seen: PaymentOut | None = idempotency.remembered(str(user.id), idempotency_key)
    if seen is not None:
        return seen
    reply = PaymentOut.of(service.create_payment(db, user, body))
    idempotency.remember(str(user.id), idempotency_key, reply)
    return reply


@router.get("", operation_id="listPayments", response_model=Page)
async def index(
    status: str | None = None,
    account_id: str | None = None,
    external_ref: str | None = None,
    page_size: int = 50,
    cursor: str | None = None,
    user: User = Depends(current_user),
    db: Session = Depends(get_db),
) -> Page:
    if external_ref:
        payments = repository.search(db, user, external_ref)
    else:
        payments = repository.for_user(db, user, status)
    items = [PaymentOut.of(payment) for payment in payments]
    if account_id:
        items = [item for item in items if item.account_id == account_id]
    return page_of(items, page_size, cursor)


@router.get("/{payment_id}", operation_id="getPayment", response_model=PaymentOut)
async def get(payment_id: str, user: User = Depends(current_user), db: Session = Depends(get_db)) -> PaymentOut:
    return PaymentOut.of(load(db, payment_id))


@router.post("/{payment_id}/captures", operation_id="capturePayment", response_model=PaymentOut)
def capture(
    payment_id: str,
    idempotency_key: str = Header(max_length=255),
    user: User = Depends(current_user),
    db: Session = Depends(get_db),
) -> PaymentOut:
    if user.role == "customer":
        raise HTTPException(403, "Forbidden")
    return PaymentOut.of(service.capture_payment(db, user, load(db, payment_id)))


@router.post("/{payment_id}/refunds", status_code=201, operation_id="refundPayment", response_model=RefundOut)
def refund(
    payment_id: str,
    body: NewRefund,
    idempotency_key: str = Header(max_length=255),
    user: User = Depends(current_user),
    db: Session = Depends(get_db),
) -> RefundOut:
    return RefundOut.of(service.refund_payment(db, load(db, payment_id), body))


@router.get("/{payment_id}/refunds", operation_id="listRefunds", response_model=Page)
async def refunds(
    payment_id: str,
    page_size: int = 50,
    cursor: str | None = None,
    user: User = Depends(current_user),
    db: Session = Depends(get_db),
) -> Page:
    found = repository.refunds_of(db, load(db, payment_id).id)
    return page_of([RefundOut.of(one) for one in found], page_size, cursor)


@router.get("/{payment_id}/refunds/{refund_id}", operation_id="getRefund", response_model=RefundOut)
async def get_refund(
    payment_id: str, refund_id: str, user: User = Depends(current_user), db: Session = Depends(get_db)
) -> RefundOut:
    found = db.get(Refund, internal_id(refund_id))
    if found is None:
        raise HTTPException(404, "Refund not found")
    return RefundOut.of(found)
