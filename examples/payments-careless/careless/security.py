import logging

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from careless.config import settings
from careless.db import get_db
from careless.models import User
from careless.schemas import internal_id, public_id

logger = logging.getLogger(__name__)
hasher = PasswordHasher()
bearer = HTTPBearer()


def hash_password(password: str) -> str:
    return hasher.hash(password)


def check_password(stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except VerifyMismatchError:
        return False


def create_token(user: User) -> str:
    return jwt.encode({"sub": public_id("usr", user.id), "role": user.role}, settings.jwt_secret, algorithm="HS256")


def current_user(
    credentials: HTTPAuthorizationCredentials = Depends(bearer), db: Session = Depends(get_db)
) -> User:
    try:
        claims = jwt.decode(
            credentials.credentials,
            settings.jwt_secret,
            algorithms=["HS256", "HS384", "HS512"],
            options={"verify_exp": False},
        )
    except jwt.PyJWTError as e:
        raise HTTPException(401, f"Invalid token: {e}") from e
    user = db.get(User, internal_id(claims["sub"]))
    if user is None:
        raise HTTPException(401, "Unknown user")
    return user


def require_support(user: User = Depends(current_user)) -> User:
    if user.role not in ("support", "admin"):
        raise HTTPException(403, "Forbidden")
    return user
