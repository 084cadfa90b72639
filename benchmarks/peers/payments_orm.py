"""The payments contract with FastAPI, the SQLAlchemy ORM and a transaction per request, as a careful team writes it.

    DB_URL=postgresql://... TOKEN_KEY=<public key, a JWK> uvicorn benchmarks.peers.payments_orm:app --loop uvloop

It keeps the same promises on the same tables as the built service: EdDSA tokens with audience and issuer, roles, an
Idempotency-Key in the transaction of the effect, the audit trail with its chain of hashes, problem details, pages by
key. What it lacks (limits, shedding, metrics, sparse fields, security headers) only makes it faster."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, SmallInteger, Uuid, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql import func

POOL = 12
KEY_TTL = timedelta(hours=24)
LOCK = timedelta(seconds=60)
TOKEN_KEY = jwt.PyJWK.from_json(os.environ["TOKEN_KEY"])

engine = create_async_engine(
    os.environ.get("DB_URL", "postgresql://localhost/payments").replace("postgresql://", "postgresql+asyncpg://"),
    pool_size=POOL,
    max_overflow=0,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSONB,
        bytes: LargeBinary,
        int: BigInteger,
    }


class AccountRow(Base):
    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[str]
    owner_id: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    label: Mapped[str]
    gateway_token: Mapped[bytes]
    currency: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PaymentRow(Base):
    __tablename__ = "payments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[str]
    owner_id: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending")
    amount_minor: Mapped[int]
    amount_currency: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    external_ref: Mapped[str]
    note: Mapped[str | None]
    refunded_minor: Mapped[int] = mapped_column(default=0)
    gateway_ref: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class KeyRow(Base):
    __tablename__ = "idempotency_keys"

    merchant_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    resource_id: Mapped[str | None]
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[bytes | None]
    locked_until: Mapped[datetime]
    expires_at: Mapped[datetime]


class AuditRow(Base):
    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[str]
    chain: Mapped[str]
    sequence: Mapped[int]
    actor: Mapped[str]
    operation: Mapped[str]
    changes: Mapped[dict[str, Any]]
    request_id: Mapped[str]
    hash: Mapped[bytes]


class Money(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount_minor: int = Field(gt=0, le=2**53 - 1)
    currency: str = Field(pattern="^[A-Z]{3}$")


class AccountCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")
    label: str = Field(max_length=80)
    gateway_token: str = Field(max_length=200)
    currency: str = Field(pattern="^[A-Z]{3}$")


class Account(BaseModel):
    id: str
    merchant_id: str
    owner_id: str
    label: str
    currency: str
    status: str
    created_at: datetime
    updated_at: datetime


class PaymentCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: Money
    account_id: str = Field(pattern="^acct_[0-9a-f]{32}$")
    external_ref: str = Field(max_length=64)
    note: str | None = Field(default=None, max_length=200)


class Payment(BaseModel):
    id: str
    merchant_id: str
    owner_id: str
    amount: Money
    account_id: str
    external_ref: str
    note: str | None
    refunded_minor: int
    gateway_ref: str | None
    status: str
    created_at: datetime
    updated_at: datetime


class PaymentPage(BaseModel):
    items: list[Payment]
    next_cursor: str | None


class Caller(BaseModel):
    subject: str
    tenant: str
    roles: list[str]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="payments", lifespan=lifespan)


def problem(status: int, code: str, detail: str) -> JSONResponse:
    body = {"type": f"/problems/{code}", "title": code, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


@app.exception_handler(RequestValidationError)
async def invalid(_request: Request, error: Exception) -> JSONResponse:
    return problem(422, "invalid-request", str(error))


@app.exception_handler(HTTPException)
async def refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "refused", str(error.detail))


async def database() -> AsyncIterator[AsyncSession]:
    async with sessions() as session, session.begin():
        yield session


def caller(authorization: Annotated[str, Header()] = "") -> Caller:
    try:
        claims = jwt.decode(
            authorization.removeprefix("Bearer "),
            TOKEN_KEY,
            algorithms=["EdDSA"],
            audience=os.environ.get("TOKEN_AUDIENCE", "payments"),
            issuer=os.environ["OIDC_ISSUER"],
            options={"require": ["exp", "sub"]},
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401, "the token does not hold") from None
    tenant = claims.get(os.environ.get("TENANT_CLAIM", "merchant_id"), "")
    return Caller(subject=claims["sub"], tenant=tenant, roles=claims.get("roles", []))


Database = Annotated[AsyncSession, Depends(database)]
Asking = Annotated[Caller, Depends(caller)]
KeyHeader = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


def allow(asking: Caller, *roles: str) -> None:
    if not set(asking.roles) & set(roles):
        raise HTTPException(403, "your role does not allow this operation")


async def claim(session: AsyncSession, asking: Caller, operation: str, key: str, body: bytes) -> KeyRow | Response:
    digest = hashlib.sha256(operation.encode() + b"\0" + body).digest()
    now = datetime.now(UTC)
    row = KeyRow(
        merchant_id=asking.tenant,
        subject=asking.subject,
        operation=operation,
        key=key,
        request_hash=digest,
        locked_until=now + LOCK,
        expires_at=now + KEY_TTL,
    )
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        known = await session.get(KeyRow, (asking.tenant, asking.subject, operation, key))
        assert known is not None
        if known.request_hash != digest:
            raise HTTPException(422, "the key belongs to another request") from None
        if known.status_code is None:
            raise HTTPException(409, "the first request is under way") from None
        return Response(known.body, status_code=known.status_code, media_type="application/json")
    return row


async def note_change(
    session: AsyncSession, asking: Caller, operation: str, chain: str, changes: dict[str, Any]
) -> None:
    last = await session.scalar(
        select(AuditRow).where(AuditRow.chain == chain).order_by(AuditRow.sequence.desc()).limit(1)
    )
    sequence = 1 if last is None else last.sequence + 1
    entry = json.dumps([chain, sequence, asking.subject, operation, changes]).encode()
    session.add(
        AuditRow(
            id=new_id(),
            merchant_id=asking.tenant,
            chain=chain,
            sequence=sequence,
            actor=asking.subject,
            operation=operation,
            changes=changes,
            request_id=uuid4().hex,
            hash=hashlib.sha256((b"" if last is None else last.hash) + entry).digest(),
        )
    )


def new_id() -> UUID:
    """Version 7 (RFC 9562), which the partitions are cut by."""
    milliseconds = time.time_ns() // 1_000_000
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (uuid4().int & ((1 << 76) - 1) & ~(0x3 << 62)) | (0x2 << 62))


def told(row: PaymentRow) -> Payment:
    return Payment(
        id=f"pay_{row.id.hex}",
        merchant_id=row.merchant_id,
        owner_id=row.owner_id,
        amount=Money(amount_minor=row.amount_minor, currency=row.amount_currency),
        account_id=f"acct_{row.account_id.hex}",
        external_ref=row.external_ref,
        note=row.note,
        refunded_minor=row.refunded_minor,
        gateway_ref=row.gateway_ref,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/v1/accounts", status_code=201, response_model=Account)
async def create_account(
    request: Request, body: AccountCreate, session: Database, asking: Asking, key: KeyHeader
) -> Account | Response:
    allow(asking, "customer")
    claimed = await claim(session, asking, "createAccount", key, await request.body())
    if isinstance(claimed, Response):
        return claimed
    row = AccountRow(
        id=new_id(),
        merchant_id=asking.tenant,
        owner_id=asking.subject,
        label=body.label,
        gateway_token=body.gateway_token.encode(),
        currency=body.currency,
    )
    session.add(row)
    await session.flush()
    await session.refresh(row)
    await note_change(session, asking, "createAccount", f"account/{row.id}", {"status": row.status})
    account = Account(
        id=f"acct_{row.id.hex}",
        merchant_id=row.merchant_id,
        owner_id=row.owner_id,
        label=row.label,
        currency=row.currency,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
    claimed.status_code, claimed.body, claimed.resource_id = 201, account.model_dump_json().encode(), account.id
    return account


@app.post("/v1/payments", status_code=202, response_model=Payment)
async def create_payment(
    request: Request, body: PaymentCreate, session: Database, asking: Asking, key: KeyHeader
) -> Payment | Response:
    allow(asking, "customer")
    claimed = await claim(session, asking, "createPayment", key, await request.body())
    if isinstance(claimed, Response):
        return claimed
    account = await session.scalar(
        select(AccountRow).where(
            AccountRow.id == UUID(body.account_id.removeprefix("acct_")),
            AccountRow.merchant_id == asking.tenant,
            AccountRow.owner_id == asking.subject,
        )
    )
    if account is None:
        raise HTTPException(422, "there is no such account")
    row = PaymentRow(
        id=new_id(),
        merchant_id=asking.tenant,
        owner_id=asking.subject,
        amount_minor=body.amount.amount_minor,
        amount_currency=body.amount.currency,
        account_id=account.id,
        external_ref=body.external_ref,
        note=body.note,
    )
    session.add(row)
    try:
        await session.flush()
    except IntegrityError:
        raise HTTPException(409, "one like it exists already") from None
    await session.refresh(row)
    await note_change(session, asking, "createPayment", f"payment/{row.id}", {"status": row.status})
    payment = told(row)
    claimed.status_code, claimed.body, claimed.resource_id = 202, payment.model_dump_json().encode(), payment.id
    return payment


@app.get("/v1/payments/{payment_id}", response_model=Payment)
async def get_payment(payment_id: str, session: Database, asking: Asking) -> Payment:
    allow(asking, "customer", "merchant", "support")
    question = select(PaymentRow).where(
        PaymentRow.id == UUID(payment_id.removeprefix("pay_")), PaymentRow.merchant_id == asking.tenant
    )
    if not {"merchant", "support"} & set(asking.roles):
        question = question.where(PaymentRow.owner_id == asking.subject)
    row = await session.scalar(question)
    if row is None:
        raise HTTPException(404, "there is no such object")
    await note_change(session, asking, "getPayment", f"payment/{row.id}", {})
    return told(row)


@app.get("/v1/payments", response_model=PaymentPage)
async def list_payments(
    session: Database,
    asking: Asking,
    status: str | None = None,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> PaymentPage:
    allow(asking, "customer", "merchant")
    question = select(PaymentRow).where(PaymentRow.merchant_id == asking.tenant)
    if "merchant" not in asking.roles:
        question = question.where(PaymentRow.owner_id == asking.subject)
    if status:
        question = question.where(PaymentRow.status == status)
    if cursor:
        moment, _, last = base64.urlsafe_b64decode(cursor).decode().partition("|")
        position = (datetime.fromisoformat(moment), UUID(last))
        question = question.where(tuple_(PaymentRow.created_at, PaymentRow.id) < position)
    ordered = question.order_by(PaymentRow.created_at.desc(), PaymentRow.id.desc()).limit(page_size + 1)
    rows = list(await session.scalars(ordered))
    following = None
    if len(rows) > page_size:
        end = rows[page_size - 1]
        following = base64.urlsafe_b64encode(f"{end.created_at.isoformat()}|{end.id}".encode()).decode()
    await note_change(session, asking, "listPayments", f"payments/{asking.subject}", {})
    return PaymentPage(items=[told(row) for row in rows[:page_size]], next_cursor=following)
