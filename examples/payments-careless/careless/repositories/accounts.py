import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from careless.models import Account, Entry, User


def owned(db: Session, account_id: uuid.UUID, user: User) -> Account | None:
    account = db.get(Account, account_id)
    if account is None or (account.owner_id != user.id and user.role not in ("support", "admin")):
        return None
    return account


def of_owner(db: Session, user: User) -> list[Account]:
    return list(db.scalars(select(Account).where(Account.owner_id == user.id)).all())


def merchant_account(db: Session, merchant_id: uuid.UUID, currency: str) -> Account | None:
    return db.scalars(
        select(Account).where(Account.owner_id == merchant_id, Account.currency == currency, Account.kind == "merchant")
    ).first()


def entries(db: Session, account_id: uuid.UUID) -> list[Entry]:
    return list(
        db.scalars(select(Entry).where(Entry.account_id == account_id).order_by(Entry.created_at.desc())).all()
    )
