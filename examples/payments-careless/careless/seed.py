import os

from careless.db import SessionLocal
from careless.models import Account, User
from careless.repositories.users import by_email
from careless.schemas import internal_id
from careless.security import hash_password

if __name__ == "__main__":
    with SessionLocal() as db:
        if not by_email(db, os.environ["SEED_ADMIN_EMAIL"]):
            db.add(
                User(
                    email=os.environ["SEED_ADMIN_EMAIL"],
                    password_hash=hash_password(os.environ["SEED_ADMIN_PASSWORD"]),
                    display_name="Admin",
                    role="admin",
                )
            )
            merchant = User(
                id=internal_id(os.environ["SEED_MERCHANT_ID"]),
                email=os.environ["SEED_MERCHANT_EMAIL"],
                password_hash=hash_password(os.environ["SEED_MERCHANT_PASSWORD"]),
                display_name="Merchant",
                role="merchant",
            )
            db.add(merchant)
            db.flush()
            for currency in ("EUR", "GBP", "USD"):
                db.add(Account(owner_id=merchant.id, kind="merchant", name=currency, currency=currency))
            db.commit()
