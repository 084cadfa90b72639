"""Refunds of captured payments, whole or in parts."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Path, Response

from payments.api.access import Collector, IdempotencyKey, ServicesDep, SignedIn, fingerprint, money_limit
from payments.api.contract import errors, headers, link
from payments.api.pages import CursorText, PageSize
from payments.api.routes.payments import PaymentPath, replied
from payments.api.schemas import ID, NewRefund, RefundOut, Refunds
from payments.api.strict import StrictRoute
from payments.problems import not_found
from payments.store import payments, refunds

router = APIRouter(prefix="/v1/payments/{payment_id}/refunds", tags=["refunds"], route_class=StrictRoute)
RefundPath: TypeAlias = Annotated[str, Path(pattern=ID.format("ref"))]
_LINKS = {
    "getRefund": {
        "operationId": "getRefund",
        "parameters": {"payment_id": "$response.body#/payment_id", "refund_id": "$response.body#/id"},
    },
    "getPayment": link("getPayment", "payment_id", "/payment_id"),
}


@router.post(
    "",
    status_code=201,
    operation_id="refundPayment",
    summary="Give money back",
    response_model=RefundOut,
    dependencies=[Depends(money_limit)],
    responses={
        201: {"headers": headers("Location", "Idempotency-Replayed"), "links": _LINKS},
        202: {
            "model": RefundOut,
            "description": "Accepted: the provider's answer is not known yet.",
            "headers": headers("Location", "Idempotency-Replayed"),
            "links": _LINKS,
        },
        **errors(400, 401, 403, 404, 409, 413, 415, 422),
    },
)
async def create(
    payment_id: PaymentPath, new: NewRefund, principal: Collector, key: IdempotencyKey, services: ServicesDep
) -> Response:
    """For the merchant of the payment, and support; never more than what is left of it."""
    print_of = fingerprint("refundPayment", payment_id, new)
    reply = await services.paying.refund(principal, key, print_of, payment_id, new)
    refund = RefundOut.model_validate_json(reply.body)
    return replied(reply, f"/v1/payments/{payment_id}/refunds/{refund.id}")


@router.get("", operation_id="listRefunds", summary="Refunds of a payment", responses=errors(400, 401, 404, 422))
async def index(
    payment_id: PaymentPath,
    principal: SignedIn,
    services: ServicesDep,
    page_size: PageSize = 50,
    cursor: CursorText = None,
) -> Refunds:
    binding = ("refunds", principal.id, payment_id)
    after = services.cursors.read(cursor, *binding)
    async with services.database.reading() as tx:
        if await payments.get(tx, payment_id, party_id=principal.party_id) is None:
            raise not_found("payment")
        rows = await refunds.page(tx, payment_id=payment_id, after=after, limit=page_size + 1)
    items = [RefundOut.of(row) for row in rows[:page_size]]
    return Refunds(items=items, next_cursor=services.cursors.next(rows, page_size, *binding))


@router.get("/{refund_id}", operation_id="getRefund", summary="One refund", responses=errors(401, 404))
async def get(payment_id: PaymentPath, refund_id: RefundPath, principal: SignedIn, services: ServicesDep) -> RefundOut:
    async with services.database.reading() as tx:
        if await payments.get(tx, payment_id, party_id=principal.party_id) is None:
            raise not_found("payment")
        refund = await refunds.get(tx, refund_id, payment_id=payment_id)
    if refund is None:
        raise not_found("refund")
    return RefundOut.of(refund)
