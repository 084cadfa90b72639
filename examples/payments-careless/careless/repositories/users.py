from sqlalchemy import select
from sqlalchemy.orm import Session

from careless.models import User


def by_email(db: Session, email: str) -> User | None:
    return db.scalars(select(User).where(User.email == email)).first()
