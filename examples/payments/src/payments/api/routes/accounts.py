"""Accounts, their balances and statements."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Header, Path, Response

from payments.api.access import Customer, ServicesDep, SignedIn
from payments.api.contract import errors, headers, link
from payments.api.pages import CursorText, PageSize
from payments.api.schemas import (
    ID,
    AccountChange,
    AccountOut,
    Accounts,
    BalanceOut,
    Entries,
    EntryOut,
    NewAccount,
)
from payments.api.strict import StrictRoute
from payments.ids import new_id
from payments.problems import Problem, not_found
from payments.store import accounts, audit

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], route_class=StrictRoute)
AccountPath: TypeAlias = Annotated[str, Path(pattern=ID.format("acc"))]


@router.post(
    "",
    status_code=201,
    operation_id="createAccount",
    summary="Open an account",
    responses={
        201: {
            "headers": headers("Location", "ETag"),
            "links": {
                "getAccount": link("getAccount", "account_id"),
                "changeAccount": link("changeAccount", "account_id"),
                "getBalance": link("getBalance", "account_id"),
            },
        },
        **errors(400, 401, 403, 409, 413, 415, 422),
    },
)
async def create(new: NewAccount, principal: Customer, response: Response, services: ServicesDep) -> AccountOut:
    """The name is unique for its owner, so that a retry does not open a second one."""
    async with services.database.transaction() as tx:
        account = await accounts.insert(
            tx,
            id=new_id("acc"),
            owner_id=principal.id,
            kind="customer",
            name=new.name,
            description=new.description,
            currency=new.currency,
        )
        await audit.record(tx, principal.id, "account.create", account.id)
    response.headers["location"] = f"/v1/accounts/{account.id}"
    response.headers["etag"] = f'"{account.version}"'
    return AccountOut.of(account)


@router.get("", operation_id="listAccounts", summary="One's own accounts", responses=errors(400, 401, 422))
async def index(
    principal: SignedIn, services: ServicesDep, page_size: PageSize = 50, cursor: CursorText = None
) -> Accounts:
    binding = ("accounts", principal.id)
    after = services.cursors.read(cursor, *binding)
    async with services.database.reading() as tx:
        rows = await accounts.page(tx, owner_id=principal.id, after=after, limit=page_size + 1)
    items = [AccountOut.of(row) for row in rows[:page_size]]
    return Accounts(items=items, next_cursor=services.cursors.next(rows, page_size, *binding))


@router.get(
    "/{account_id}",
    operation_id="getAccount",
    summary="One account",
    responses={200: {"headers": headers("ETag")}, **errors(401, 404)},
)
async def get(account_id: AccountPath, principal: SignedIn, response: Response, services: ServicesDep) -> AccountOut:
    account = await _readable(services, principal.party_id, account_id)
    response.headers["etag"] = f'"{account.version}"'
    return AccountOut.of(account)


@router.patch(
    "/{account_id}",
    operation_id="changeAccount",
    summary="Rename or describe an account",
    responses={
        200: {"headers": headers("ETag")},
        **errors(400, 401, 404, 409, 412, 413, 415, 422, 428),
    },
)
async def change(
    account_id: AccountPath,
    change: AccountChange,
    principal: SignedIn,
    response: Response,
    services: ServicesDep,
    if_match: Annotated[
        str | None,
        Header(alias="If-Match", max_length=64, description="Required: the ETag that was read.", examples=['"1"']),
    ] = None,
) -> AccountOut:
    """Refused with 412 when somebody else changed it first, so that no change is lost."""
    if not if_match:
        raise Problem(428, "precondition-required", "Send If-Match with the ETag that you read.")
    async with services.database.transaction() as tx:
        if await accounts.get(tx, account_id, owner_id=principal.id) is None:
            raise not_found("account")
        changed = await accounts.update(
            tx,
            account_id,
            owner_id=principal.id,
            version=_version(if_match),
            name=change.name,
            description=change.description,
        )
        if changed is None:
            raise _changed()
        await audit.record(tx, principal.id, "account.change", account_id)
    response.headers["etag"] = f'"{changed.version}"'
    return AccountOut.of(changed)


@router.get(
    "/{account_id}/balance", operation_id="getBalance", summary="What the ledger says", responses=errors(401, 404)
)
async def balance(account_id: AccountPath, principal: SignedIn, services: ServicesDep) -> BalanceOut:
    account = await _readable(services, principal.party_id, account_id)
    async with services.database.reading() as tx:
        total = await accounts.balance(tx, account_id)
    return BalanceOut(account_id=account_id, balance_minor=total, currency=account.currency)  # type: ignore[arg-type]


@router.get(
    "/{account_id}/entries",
    operation_id="listEntries",
    summary="The account's statement, newest first",
    responses=errors(400, 401, 404, 422),
)
async def entries(
    account_id: AccountPath,
    principal: SignedIn,
    services: ServicesDep,
    page_size: PageSize = 50,
    cursor: CursorText = None,
) -> Entries:
    await _readable(services, principal.party_id, account_id)
    binding = ("entries", principal.id, account_id)
    after = services.cursors.read(cursor, *binding)
    async with services.database.reading() as tx:
        rows = await accounts.statement(tx, account_id, after=after, limit=page_size + 1)
    items = [EntryOut.of(row) for row in rows[:page_size]]
    return Entries(items=items, next_cursor=services.cursors.next(rows, page_size, *binding))


async def _readable(services: ServicesDep, owner_id: str | None, account_id: str) -> accounts.Account:
    async with services.database.reading() as tx:
        account = await accounts.get(tx, account_id, owner_id=owner_id)
    if account is None:
        raise not_found("account")
    return account


def _version(if_match: str) -> int:
    """From an ETag such as "3"; any other can match no version."""
    number = if_match.strip().removeprefix('"').removesuffix('"')
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise _changed()
    return int(number)


def _changed() -> Problem:
    return Problem(412, "precondition-failed", "The account has changed since you read it; read it again.")
