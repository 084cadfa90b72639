import logging

from fastapi import HTTPException
from sqlalchemy.orm import Session

from careless.clients import events
from careless.clients.provider import provider
from careless.models import Account, Payment, Refund, User
from careless.repositories import accounts as account_repository
from careless.repositories import payments as payment_repository
from careless.schemas import NewPayment, NewRefund, internal_id, public_id
from careless.services import ledger

logger = logging.getLogger(__name__)


def create_payment(db: Session, user: User, new: NewPayment) -> Payment:
    account = account_repository.owned(db, internal_id(new.account_id), user)
    if account is None:
        raise HTTPException(422, "Unknown account")
    merchant_id = internal_id(new.merchant_id)
    if payment_repository.by_external_ref(db, merchant_id, new.external_ref):
        raise HTTPException(409, "external_ref already used")

    payment = Payment(
        account_id=account.id,
        merchant_id=merchant_id,
        amount_minor=new.amount.amount_minor,
        currency=new.amount.currency,
        external_ref=new.external_ref,
        description=new.description,
    )
    db.add(payment)
    db.flush()

    authorize(payment)
    if payment.status == "authorized":
        ledger.move(db, account, payment, "authorize", -payment.amount_minor)
        events.publish("payment.authorized", {"payment_id": public_id("pay", payment.id)})
    db.commit()
    return payment


def authorize(payment: Payment) -> None:
    answer = provider.authorize(public_id("pay", payment.id), payment.amount_minor, payment.currency)
    if answer["status"] == "approved":
        payment.status = "authorized"
    else:
        payment.status = "failed"
        payment.failure_code = "declined"
    payment.version += 1


def capture_payment(db: Session, user: User, payment: Payment) -> Payment:
    if user.role == "merchant" and payment.merchant_id != user.id:
        raise HTTPException(404, "Payment not found")
    if payment.status != "authorized":
        raise HTTPException(409, f"Payment is {payment.status}")
    provider.capture(public_id("pay", payment.id), payment.amount_minor, payment.currency)
    payment.status = "captured"
    payment.version += 1
    db.commit()

    merchant_account = account_repository.merchant_account(db, payment.merchant_id, payment.currency)
    if merchant_account is not None:
        ledger.move(db, merchant_account, payment, "capture", payment.amount_minor)
    db.commit()
    return payment


def refund_payment(db: Session, payment: Payment, new: NewRefund) -> Refund:
    if payment.status != "captured":
        raise HTTPException(409, f"Payment is {payment.status}")
    if payment.refunded_minor + new.amount_minor > payment.amount_minor:
        raise HTTPException(422, "Refund exceeds payment")
    refund = Refund(
        payment_id=payment.id, amount_minor=new.amount_minor, currency=payment.currency, reason=new.reason
    )
    db.add(refund)
    db.flush()
    try:
        provider.refund(public_id("pay", payment.id), new.amount_minor, payment.currency)
        refund.status = "succeeded"
    except Exception as e:
        logger.error("refund failed: %s", e)
        refund.status = "failed"
    payment.refunded_minor = payment.refunded_minor + new.amount_minor
    if payment.refunded_minor == payment.amount_minor:
        payment.status = "refunded"
    payment.version += 1
    account = db.get(Account, payment.account_id)
    if account is not None:
        ledger.move(db, account, payment, "refund", new.amount_minor)
    db.commit()
    return refund
