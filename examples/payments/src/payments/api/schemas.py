"""Requests and answers as callers see them. Requests refuse unknown fields; answers may grow."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from payments.store.accounts import Account, Entry
from payments.store.audit import AuditEvent
from payments.store.payments import Payment, Total
from payments.store.refunds import Refund
from payments.store.users import User

INT64_MAX = 2**63 - 1
AMOUNT_MAX = 10**12
"""Ten thousand million in major units; sums of a million of them still fit into 64 bits."""

ID = "^{}_[0-9a-f]{{32}}$"
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
"""PostgreSQL stores no NUL, and a log line no line break."""

Currency: TypeAlias = Literal["EUR", "GBP", "USD"]
Status: TypeAlias = Literal["pending", "authorized", "captured", "refunded", "failed"]
Minor: TypeAlias = Annotated[int, Field(ge=1, le=AMOUNT_MAX, examples=[1250])]
Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Note: TypeAlias = Annotated[str, Field(max_length=200, pattern=_NO_CONTROLS)]
Email: TypeAlias = Annotated[
    str,
    Field(
        max_length=254,
        pattern=r"^[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$",
        examples=["ada@example.com"],
        json_schema_extra={"format": "email"},
    ),
    AfterValidator(str.lower),
]
AccountId: TypeAlias = Annotated[
    str, Field(pattern=ID.format("acc"), examples=["acc_0190c6c5f2a87c1e8f6b0d3a5e7f9b1c"])
]
UserId: TypeAlias = Annotated[str, Field(pattern=ID.format("usr"), examples=["usr_0190c6c5f2a87c1e8f6b0d3a5e7f9b1c"])]


class In(BaseModel):
    """A request: no field that is not known, no conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Out(BaseModel):
    """An answer, made from a row."""

    model_config = ConfigDict(frozen=True)


class Money(In):
    amount_minor: Minor
    currency: Currency = Field(examples=["EUR"])


class NewUser(In):
    email: Email
    password: str = Field(min_length=12, max_length=128, examples=["correct horse battery"])
    display_name: Label = Field(examples=["Ada Lovelace"])


class NewToken(In):
    email: Email
    password: str = Field(max_length=128, examples=["correct horse battery"])


class NewAccount(In):
    name: Label = Field(examples=["Household"])
    description: Note = Field(default="", examples=["Rent and food"])
    currency: Currency = Field(examples=["EUR"])


class AccountChange(In):
    """What is left out stays as it is."""

    name: Label | None = Field(default=None, examples=["Holiday"])
    description: Note | None = Field(default=None, examples=["For the summer"])


class NewPayment(In):
    account_id: AccountId
    merchant_id: UserId
    amount: Money
    external_ref: Label = Field(
        description="The merchant's own reference, unique for the merchant.", examples=["order-1"]
    )
    description: Note = Field(default="", examples=["Two books"])


class NewRefund(In):
    amount_minor: Minor
    reason: Note = Field(default="", examples=["Returned"])


class UserOut(Out):
    id: str
    email: str
    display_name: str
    role: Literal["customer", "merchant", "support", "admin"]
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> UserOut:
        return cls.model_validate(user, from_attributes=True)


class TokenOut(Out):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int


class AccountOut(Out):
    id: str
    owner_id: str
    kind: Literal["customer", "merchant"]
    name: str
    description: str
    currency: Currency
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, account: Account) -> AccountOut:
        return cls.model_validate(account, from_attributes=True)


class BalanceOut(Out):
    account_id: str
    balance_minor: int = Field(description="The sum of all entries: negative for money that went out.")
    currency: Currency


class EntryOut(Out):
    id: str
    kind: Literal["authorize", "capture", "release", "refund"]
    payment_id: str
    amount_minor: int
    currency: Currency
    created_at: datetime

    @classmethod
    def of(cls, entry: Entry) -> EntryOut:
        return cls.model_validate(entry, from_attributes=True)


class MoneyOut(Out):
    amount_minor: int
    currency: Currency


class PaymentOut(Out):
    id: str
    account_id: str
    customer_id: str
    merchant_id: str
    amount: MoneyOut
    refunded_minor: int = Field(description="Refunds that succeeded or are on their way.")
    external_ref: str
    description: str
    status: Status
    failure_code: str | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, payment: Payment) -> PaymentOut:
        return cls(
            id=payment.id,
            account_id=payment.account_id,
            customer_id=payment.customer_id,
            merchant_id=payment.merchant_id,
            amount=MoneyOut(amount_minor=payment.amount_minor, currency=payment.currency),  # type: ignore[arg-type]
            refunded_minor=payment.refunded_minor,
            external_ref=payment.external_ref,
            description=payment.description,
            status=payment.status,  # type: ignore[arg-type]
            failure_code=payment.failure_code,
            version=payment.version,
            created_at=payment.created_at,
            updated_at=payment.updated_at,
        )


class RefundOut(Out):
    id: str
    payment_id: str
    amount_minor: int
    currency: Currency
    reason: str
    status: Literal["pending", "succeeded", "failed"]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, refund: Refund) -> RefundOut:
        return cls.model_validate(refund, from_attributes=True)


class AuditEventOut(Out):
    id: str
    at: datetime
    actor_id: str
    action: str
    object_id: str
    request_id: str

    @classmethod
    def of(cls, event: AuditEvent) -> AuditEventOut:
        return cls.model_validate(event, from_attributes=True)


class TotalOut(Out):
    status: Status
    currency: Currency
    count: int
    amount_minor: int
    refunded_minor: int

    @classmethod
    def of(cls, total: Total) -> TotalOut:
        return cls.model_validate(total, from_attributes=True)


class Totals(Out):
    days: int
    items: list[TotalOut]


class Health(Out):
    status: Literal["ok"] = "ok"


_CURSOR = Field(description="For the next page, with the same filters; null on the last page.")


class Accounts(Out):
    items: list[AccountOut]
    next_cursor: str | None = _CURSOR


class Entries(Out):
    items: list[EntryOut]
    next_cursor: str | None = _CURSOR


class Payments(Out):
    items: list[PaymentOut]
    next_cursor: str | None = _CURSOR


class Refunds(Out):
    items: list[RefundOut]
    next_cursor: str | None = _CURSOR


class AuditEvents(Out):
    items: list[AuditEventOut]
    next_cursor: str | None = _CURSOR
