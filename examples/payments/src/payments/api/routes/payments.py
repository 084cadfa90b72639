"""Payments: created by customers, captured by merchants."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Response

from payments.api.access import (
    Collector,
    Customer,
    IdempotencyKey,
    ServicesDep,
    SignedIn,
    fingerprint,
    money_limit,
)
from payments.api.contract import errors, headers, link
from payments.api.pages import CursorText, PageSize
from payments.api.schemas import ID, NewPayment, PaymentOut, Payments, Status
from payments.api.strict import StrictRoute
from payments.problems import not_found
from payments.store import payments
from payments.store.intents import Reply

router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=StrictRoute)
PaymentPath: TypeAlias = Annotated[str, Path(pattern=ID.format("pay"))]

_LINKS = {
    "getPayment": link("getPayment", "payment_id"),
    "capturePayment": link("capturePayment", "payment_id"),
    "refundPayment": link("refundPayment", "payment_id"),
    "listRefunds": link("listRefunds", "payment_id"),
}
_ACCEPTED = {
    "description": "Accepted: the provider's answer is not known yet. Read the payment to see what became of it.",
    "headers": headers("Location", "Idempotency-Replayed"),
    "links": _LINKS,
}


@router.post(
    "",
    status_code=201,
    operation_id="createPayment",
    summary="Pay a merchant",
    response_model=PaymentOut,
    dependencies=[Depends(money_limit)],
    responses={
        201: {"headers": headers("Location", "Idempotency-Replayed"), "links": _LINKS},
        202: {"model": PaymentOut, **_ACCEPTED},
        **errors(400, 401, 403, 409, 413, 415, 422),
    },
)
async def create(new: NewPayment, principal: Customer, key: IdempotencyKey, services: ServicesDep) -> Response:
    """Authorizes the amount at the provider. A payment that the provider declines is created as `failed`."""
    reply = await services.paying.create(principal, key, fingerprint("createPayment", "", new), new)
    return replied(reply, _location(reply))


@router.get("", operation_id="listPayments", summary="Payments, newest first", responses=errors(400, 401, 422))
async def index(
    principal: SignedIn,
    services: ServicesDep,
    status: Annotated[Status | None, Query(description="Only in this state.")] = None,
    account_id: Annotated[str | None, Query(pattern=ID.format("acc"), description="Only from this account.")] = None,
    external_ref: Annotated[
        str | None, Query(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$", description="Only this one.")
    ] = None,
    page_size: PageSize = 50,
    cursor: CursorText = None,
) -> Payments:
    """One's own as a customer or merchant; everybody's as support."""
    binding = ("payments", principal.id, principal.role, status, account_id, external_ref)
    after = services.cursors.read(cursor, *binding)
    async with services.database.reading() as tx:
        rows = await payments.page(
            tx,
            reader_id=principal.id,
            role=principal.role,
            after=after,
            status=status,
            account_id=account_id,
            external_ref=external_ref,
            limit=page_size + 1,
        )
    items = [PaymentOut.of(row) for row in rows[:page_size]]
    return Payments(items=items, next_cursor=services.cursors.next(rows, page_size, *binding))


@router.get(
    "/{payment_id}",
    operation_id="getPayment",
    summary="One payment",
    responses={200: {"headers": headers("ETag")}, **errors(401, 404)},
)
async def get(payment_id: PaymentPath, principal: SignedIn, response: Response, services: ServicesDep) -> PaymentOut:
    """For who pays, who is paid, and support."""
    async with services.database.reading() as tx:
        payment = await payments.get(tx, payment_id, party_id=principal.party_id)
    if payment is None:
        raise not_found("payment")
    response.headers["etag"] = f'"{payment.version}"'
    return PaymentOut.of(payment)


@router.post(
    "/{payment_id}/captures",
    operation_id="capturePayment",
    summary="Take what was authorized",
    response_model=PaymentOut,
    dependencies=[Depends(money_limit)],
    responses={
        200: {"headers": headers("Location", "Idempotency-Replayed"), "links": _LINKS},
        202: {"model": PaymentOut, **_ACCEPTED},
        **errors(400, 401, 403, 404, 409, 422),
    },
)
async def capture(
    payment_id: PaymentPath, principal: Collector, key: IdempotencyKey, services: ServicesDep
) -> Response:
    """For the merchant of the payment, and support."""
    print_of = fingerprint("capturePayment", payment_id, None)
    reply = await services.paying.capture(principal, key, print_of, payment_id)
    return replied(reply, f"/v1/payments/{payment_id}")


def replied(reply: Reply, location: str) -> Response:
    """The stored bytes as they are, so that a replay is the same to the byte."""
    sent = {"location": location}
    if reply.is_replay:
        sent["idempotency-replayed"] = "true"
    return Response(reply.body, reply.status, media_type="application/json", headers=sent)


def _location(reply: Reply) -> str:
    return f"/v1/payments/{PaymentOut.model_validate_json(reply.body).id}"
