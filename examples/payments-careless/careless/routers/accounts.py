from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy.orm import Session

from careless.db import get_db
from careless.models import Account, User
from careless.repositories import accounts
from careless.schemas import AccountOut, BalanceOut, EntryOut, NewAccount, Page, internal_id, page_of
from careless.security import current_user

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])


def load(db: Session, account_id: str, user: User) -> Account:
    account = accounts.owned(db, internal_id(account_id), user)
    if account is None:
        raise HTTPException(404, "Account not found")
    return account


@router.post("", status_code=201, operation_id="createAccount", response_model=AccountOut)
def create(
    body: NewAccount, user: User = Depends(current_user), db: Session = Depends(get_db)
) -> AccountOut:
    account = Account(owner_id=user.id, **body.model_dump())
    db.add(account)
    db.commit()
    return AccountOut.of(account)


@router.get("", operation_id="listAccounts", response_model=Page)
async def index(
    page_size: int = 50,
    cursor: str | None = None,
    user: User = Depends(current_user),
    db: Session = Depends(get_db),
) -> Page:
    return page_of([AccountOut.of(account) for account in accounts.of_owner(db, user)], page_size, cursor)


@router.get("/{account_id}", operation_id="getAccount", response_model=AccountOut)
async def get(account_id: str, user: User = Depends(current_user), db: Session = Depends(get_db)) -> AccountOut:
    return AccountOut.of(load(db, account_id, user))


@router.patch("/{account_id}", operation_id="changeAccount", response_model=AccountOut)
def change(
    account_id: str, body: dict[str, Any], user: User = Depends(current_user), db: Session = Depends(get_db)
) -> AccountOut:
    account = load(db, account_id, user)
    for name, value in body.items():
        setattr(account, name, value)
    account.version += 1
    db.commit()
    return AccountOut.of(account)


@router.get("/{account_id}/balance", operation_id="getBalance", response_model=BalanceOut)
def balance(account_id: str, user: User = Depends(current_user), db: Session = Depends(get_db)) -> BalanceOut:
    account = load(db, account_id, user)
    return BalanceOut(account_id=account_id, balance_minor=account.balance_minor, currency=account.currency)


@router.get("/{account_id}/entries", operation_id="listEntries", response_model=Page)
async def entries(
    account_id: str,
    page_size: int = 50,
    cursor: str | None = None,
    user: User = Depends(current_user),
    db: Session = Depends(get_db),
) -> Page:
    account = load(db, account_id, user)
    return page_of([EntryOut.of(entry) for entry in accounts.entries(db, account.id)], page_size, cursor)
