"""Operations that need the provider: reserve, commit, call, settle.

The intent is committed before the provider hears of it, and the provider is called outside any transaction.
Whatever happens in between, a crash included, the sweep finds the intent and carries it out: the provider
knows it by the same key, and whoever settles first settles it for all.
"""

from __future__ import annotations

import asyncio
import logging

import asyncpg

from payments.api.schemas import NewPayment, NewRefund, PaymentOut, RefundOut
from payments.edge import telemetry
from payments.gateway.client import Gateway, Outcome
from payments.ids import new_id
from payments.problems import Problem, conflict, invalid, not_found
from payments.security import Principal
from payments.settings import Settings
from payments.store import audit, intents, ledger, payments, refunds
from payments.store.database import Connection, Database
from payments.store.intents import Intent, Reply
from payments.store.payments import Payment

SWEEP_BATCH = 32
SWEEP_CONCURRENCY = 8
SWEEP_BACKOFF_MAX_S = 30.0

log = logging.getLogger("payments.sweep")


class Paying:
    """Creates, captures and refunds payments."""

    def __init__(self, database: Database, gateway: Gateway, settings: Settings) -> None:
        self._database = database
        self._gateway = gateway
        # Longer than the request itself can take, so that the sweep does not compete with it.
        self._lease_s = settings.gateway_deadline_s + 2 * settings.database_deadline_s

    async def create(self, principal: Principal, key: str, fingerprint: bytes, new: NewPayment) -> Reply:
        intent = Intent(new_id("int"), "authorize", principal.id, new_id("pay"), None)
        async with self._database.transaction() as tx:
            if stored := await self._claim(tx, intent, key, fingerprint):
                return stored
            payment = await payments.insert(
                tx,
                id=intent.payment_id,
                customer_id=principal.id,
                account_id=new.account_id,
                merchant_id=new.merchant_id,
                amount_minor=new.amount.amount_minor,
                currency=new.amount.currency,
                external_ref=new.external_ref,
                description=new.description,
            )
            await audit.record(tx, principal.id, "payment.create", payment.id)
        return await self._carry_out(intent, payment, payment.amount_minor)

    async def capture(self, principal: Principal, key: str, fingerprint: bytes, payment_id: str) -> Reply:
        intent = Intent(new_id("int"), "capture", principal.id, payment_id, None)
        async with self._database.transaction() as tx:
            if await payments.get(tx, payment_id, party_id=principal.party_id) is None:
                raise not_found("payment")
            try:
                if stored := await self._claim(tx, intent, key, fingerprint):
                    return stored
            except asyncpg.UniqueViolationError as error:
                raise conflict("already-captured", "The payment is captured, or about to be.") from error
            payment = await self._lock(tx, principal, payment_id)
            if payment.status != "authorized":
                raise conflict("not-authorized", f"A payment that is {payment.status} cannot be captured.")
            await audit.record(tx, principal.id, "payment.capture", payment.id)
        return await self._carry_out(intent, payment, payment.amount_minor)

    async def refund(
        self, principal: Principal, key: str, fingerprint: bytes, payment_id: str, new: NewRefund
    ) -> Reply:
        intent = Intent(new_id("int"), "refund", principal.id, payment_id, new_id("ref"))
        async with self._database.transaction() as tx:
            if await payments.get(tx, payment_id, party_id=principal.party_id) is None:
                raise not_found("payment")
            if stored := await self._claim(tx, intent, key, fingerprint):
                return stored
            payment = await self._lock(tx, principal, payment_id)
            if payment.status != "captured":
                raise conflict("not-captured", f"A payment that is {payment.status} cannot be refunded.")
            if new.amount_minor > payment.amount_minor - payment.refunded_minor:
                raise invalid("/amount_minor", "More than what is left of the payment.")
            payment = await payments.add_refunded(tx, payment_id, new.amount_minor)
            await refunds.insert(
                tx,
                id=str(intent.refund_id),
                payment_id=payment_id,
                amount_minor=new.amount_minor,
                currency=payment.currency,
                reason=new.reason,
            )
            await audit.record(tx, principal.id, "payment.refund", payment.id)
        return await self._carry_out(intent, payment, new.amount_minor)

    async def sweep(self) -> int:
        """Carries out intents that were left behind; returns how many it took up."""
        async with self._database.transaction() as tx:
            due = await intents.take_due(tx, limit=SWEEP_BATCH, backoff_max_s=SWEEP_BACKOFF_MAX_S)
        lanes = asyncio.Semaphore(SWEEP_CONCURRENCY)

        async def resume(intent: Intent) -> None:
            async with lanes:
                try:
                    await self._resume(intent)
                except Problem:
                    telemetry.SWEPT.labels("postponed").inc()

        await asyncio.gather(*(resume(intent) for intent in due))
        return len(due)

    async def measure(self) -> None:
        """Tells the metrics how much is waiting."""
        async with self._database.reading() as tx:
            waiting = await intents.waiting(tx)
        telemetry.INTENTS_WAITING.set(waiting.count)
        telemetry.INTENT_AGE.set(waiting.oldest_s)

    async def _claim(self, tx: Connection, intent: Intent, key: str, fingerprint: bytes) -> Reply | None:
        return await intents.claim(tx, intent, key=key, fingerprint=fingerprint, lease_s=self._lease_s)

    async def _lock(self, tx: Connection, principal: Principal, payment_id: str) -> Payment:
        """The payment, locked, for its merchant or for support."""
        payment = await payments.lock(tx, payment_id, merchant_id=principal.party_id)
        if payment is None:
            raise not_found("payment")
        return payment

    async def _resume(self, intent: Intent) -> None:
        async with self._database.reading() as tx:
            payment = await payments.get(tx, intent.payment_id, party_id=None)
        amount_minor = payment.amount_minor if payment else 0
        if payment and intent.refund_id:
            async with self._database.reading() as tx:
                refund = await refunds.get(tx, intent.refund_id, payment_id=payment.id)
            amount_minor = refund.amount_minor if refund else 0
        if payment is None or amount_minor == 0:
            log.error("intent without its object", extra={"intent": intent.id})
            return
        outcome = await self._call(intent, payment, amount_minor)
        telemetry.SWEPT.labels(outcome.value).inc()
        if outcome is not Outcome.UNKNOWN:
            await self._settle(intent, outcome)

    async def _carry_out(self, intent: Intent, payment: Payment, amount_minor: int) -> Reply:
        """Between two transactions: nothing of the database is held while the provider thinks."""
        outcome = await self._call(intent, payment, amount_minor)
        if outcome is Outcome.UNKNOWN:
            return await self._postpone(intent)
        return await self._settle(intent, outcome)

    async def _call(self, intent: Intent, payment: Payment, amount_minor: int) -> Outcome:
        return await self._gateway.call(
            intent.kind, key=intent.id, reference=payment.id, amount_minor=amount_minor, currency=payment.currency
        )

    async def _postpone(self, intent: Intent) -> Reply:
        """Accepted, to be finished by the sweep: the honest answer when nobody knows yet."""
        async with self._database.transaction() as tx:
            await intents.hasten(tx, intent.id)
            return await self._answer(tx, intent, 202)

    async def _settle(self, intent: Intent, outcome: Outcome) -> Reply:
        """Books the outcome once, however often it is called."""
        is_approved = outcome is Outcome.APPROVED
        async with self._database.transaction() as tx:
            if await intents.settle(tx, intent.id, status="succeeded" if is_approved else "failed"):
                await _BOOKINGS[intent.kind](tx, intent, is_approved)
                await audit.record(tx, intent.subject_id, f"{intent.kind}.{outcome.value}", intent.payment_id)
            return await self._answer(tx, intent, 200 if intent.kind == "capture" else 201)

    async def _answer(self, tx: Connection, intent: Intent, status: int) -> Reply:
        if intent.refund_id:
            refund = await refunds.get(tx, intent.refund_id, payment_id=intent.payment_id)
            body = RefundOut.of(refund).model_dump_json() if refund else ""
        else:
            payment = await payments.get(tx, intent.payment_id, party_id=None)
            body = PaymentOut.of(payment).model_dump_json() if payment else ""
        return await intents.store_reply(tx, intent.id, Reply(status, body))


async def _book_authorization(tx: Connection, intent: Intent, is_approved: bool) -> None:
    if not is_approved:
        await payments.move(tx, intent.payment_id, status="failed", failure_code="declined")
        return
    payment = await payments.move(tx, intent.payment_id, status="authorized")
    await ledger.authorize(tx, payment, intent.id)


async def _book_capture(tx: Connection, intent: Intent, is_approved: bool) -> None:
    if is_approved:
        payment = await payments.move(tx, intent.payment_id, status="captured")
        await ledger.capture(tx, payment, intent.id)
    else:
        payment = await payments.move(tx, intent.payment_id, status="failed", failure_code="capture-declined")
        await ledger.release(tx, payment, intent.id)


async def _book_refund(tx: Connection, intent: Intent, is_approved: bool) -> None:
    refund_id = str(intent.refund_id)
    await payments.lock(tx, intent.payment_id, merchant_id=None)
    refund = await refunds.settle(tx, refund_id, status="succeeded" if is_approved else "failed")
    if not is_approved:
        await payments.add_refunded(tx, intent.payment_id, -refund.amount_minor)
        return
    returned = await refunds.succeeded_minor(tx, intent.payment_id)
    payment = await payments.get(tx, intent.payment_id, party_id=None)
    if payment and returned == payment.amount_minor:
        payment = await payments.move(tx, payment.id, status="refunded")
    if payment:
        await ledger.refund(tx, payment, intent.id, refund.amount_minor)


_BOOKINGS = {"authorize": _book_authorization, "capture": _book_capture, "refund": _book_refund}
