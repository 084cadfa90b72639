import uuid
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from careless.models import Payment


def public_id(prefix: str, value: uuid.UUID) -> str:
    return f"{prefix}_{value.hex}"


def internal_id(value: str) -> uuid.UUID:
    return uuid.UUID(value.split("_", 1)[-1])


def prefixed(prefix: str) -> BeforeValidator:
    return BeforeValidator(lambda value: public_id(prefix, value) if isinstance(value, uuid.UUID) else value)


UserId = Annotated[str, prefixed("usr")]
AccountId = Annotated[str, prefixed("acc")]
PaymentId = Annotated[str, prefixed("pay")]
RefundId = Annotated[str, prefixed("ref")]
EntryId = Annotated[str, prefixed("ent")]


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls.model_validate(row)


class Money(BaseModel):
    amount_minor: int = Field(gt=0, examples=[1250])
    currency: str = Field(min_length=3, max_length=3, examples=["EUR"])


class NewUser(BaseModel):
    email: str = Field(max_length=254, examples=["ada@example.com"])
    password: str = Field(min_length=12, examples=["correct horse battery"])
    display_name: str = Field(max_length=64, examples=["Ada Lovelace"])
    role: str = "customer"


class NewToken(BaseModel):
    email: str
    password: str


class NewAccount(BaseModel):
    name: str = Field(max_length=64, examples=["Household"])
    description: str = Field(default="", max_length=200)
    currency: str = Field(min_length=3, max_length=3, examples=["EUR"])


class NewPayment(BaseModel):
    account_id: str
    merchant_id: str
    amount: Money
    external_ref: str = Field(max_length=64, examples=["order-1"])
    description: str = Field(default="", max_length=200)


class NewRefund(BaseModel):
    amount_minor: int = Field(gt=0, examples=[500])
    reason: str = Field(default="", max_length=200)


class UserOut(Out):
    id: UserId
    email: str
    display_name: str
    role: str
    created_at: datetime


class TokenOut(BaseModel):
    access_token: str
    token_type: str = "Bearer"
    expires_in: int = 900


class AccountOut(Out):
    id: AccountId
    owner_id: UserId
    kind: str
    name: str
    description: str
    currency: str
    version: int
    created_at: datetime
    updated_at: datetime


class BalanceOut(BaseModel):
    account_id: str
    balance_minor: int
    currency: str


class PaymentOut(BaseModel):
    id: str
    account_id: str
    customer_id: str
    customer_name: str
    merchant_id: str
    amount: Money
    refunded_minor: int
    external_ref: str
    description: str
    status: str
    failure_code: str | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, payment: Payment) -> "PaymentOut":
        return cls(
            id=public_id("pay", payment.id),
            account_id=public_id("acc", payment.account_id),
            customer_id=public_id("usr", payment.account.owner_id),
            customer_name=payment.account.owner.display_name,
            merchant_id=public_id("usr", payment.merchant_id),
            amount=Money(amount_minor=payment.amount_minor, currency=payment.currency),
            refunded_minor=payment.refunded_minor,
            external_ref=payment.external_ref,
            description=payment.description,
            status=payment.status,
            failure_code=payment.failure_code,
            version=payment.version,
            created_at=payment.created_at,
            updated_at=payment.updated_at,
        )


class RefundOut(Out):
    id: RefundId
    payment_id: PaymentId
    amount_minor: int
    currency: str
    reason: str
    status: str
    created_at: datetime
    updated_at: datetime


class EntryOut(Out):
    id: EntryId
    kind: str
    payment_id: PaymentId
    amount_minor: int
    currency: str
    created_at: datetime


class Page(BaseModel):
    items: list[Any]
    next_cursor: str | None = None


def page_of(items: list[Any], page_size: int, cursor: str | None) -> Page:
    start = int(cursor) if cursor else 0
    end = start + page_size
    return Page(items=items[start:end], next_cursor=str(end) if end < len(items) else None)
