from sqlalchemy.orm import Session

from careless.models import Account, Entry, Payment


def move(db: Session, account: Account, payment: Payment, kind: str, amount_minor: int) -> None:
    account.balance_minor = account.balance_minor + amount_minor
    db.add(
        Entry(
            kind=kind,
            account_id=account.id,
            payment_id=payment.id,
            amount_minor=amount_minor,
            currency=payment.currency,
        )
    )
