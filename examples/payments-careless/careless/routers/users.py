import logging

from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy.orm import Session

from careless.db import get_db
from careless.models import User
from careless.repositories import users
from careless.schemas import NewToken, NewUser, TokenOut, UserOut
from careless.security import check_password, create_token, current_user, hash_password

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/v1", tags=["users"])


@router.post("/users", status_code=201, operation_id="registerUser", response_model=UserOut)
def register(body: NewUser, db: Session = Depends(get_db)) -> UserOut:
    if users.by_email(db, body.email):
        raise HTTPException(409, "E-mail already registered")
    data = body.model_dump()
    password = data.pop("password")
    user = User(**data, password_hash=hash_password(password))
    db.add(user)
    db.commit()
    return UserOut.of(user)


@router.post("/tokens", operation_id="createToken", response_model=TokenOut)
async def login(body: NewToken, db: Session = Depends(get_db)) -> TokenOut:
    logger.info("login attempt: %s", body.model_dump())
    user = users.by_email(db, body.email)
    if user is None:
        raise HTTPException(401, "No such user")
    if not check_password(user.password_hash, body.password):
        raise HTTPException(401, "Wrong password")
    return TokenOut(access_token=create_token(user))


@router.get("/users/me", operation_id="getMe", response_model=UserOut)
async def me(user: User = Depends(current_user)) -> UserOut:
    return UserOut.of(user)
