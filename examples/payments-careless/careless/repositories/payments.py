import uuid

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from careless.models import Account, Payment, Refund, User


def find(db: Session, payment_id: uuid.UUID) -> Payment | None:
    return db.get(Payment, payment_id)


def by_external_ref(db: Session, merchant_id: uuid.UUID, external_ref: str) -> Payment | None:
    return db.scalars(
        select(Payment).where(Payment.merchant_id == merchant_id, Payment.external_ref == external_ref)
    ).first()


def for_user(db: Session, user: User, status: str | None) -> list[Payment]:
    query = select(Payment).order_by(Payment.created_at.desc())
    if user.role == "merchant":
        query = query.where(Payment.merchant_id == user.id)
    elif user.role == "customer":
        query = query.join(Account).where(Account.owner_id == user.id)
    if status:
        query = query.where(Payment.status == status)
    return list(db.scalars(query).all())


def search(db: Session, user: User, external_ref: str) -> list[Payment]:
    sql = f"""
        SELECT p.id FROM payments p JOIN accounts a ON a.id = p.account_id
        WHERE (a.owner_id = '{user.id}' OR p.merchant_id = '{user.id}')
        AND p.external_ref = '{external_ref}'
    """
    ids = [row[0] for row in db.execute(text(sql))]
    return [payment for payment in (db.get(Payment, id) for id in ids) if payment is not None]


def refunds_of(db: Session, payment_id: uuid.UUID) -> list[Refund]:
    return list(db.scalars(select(Refund).where(Refund.payment_id == payment_id)).all())
