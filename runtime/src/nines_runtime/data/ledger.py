"""A double-entry ledger: each entry moves one amount from one account to another, so that all of it sums to zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nines_runtime.data.database import Connection
from nines_runtime.data.identifiers import new_id
from nines_runtime.data.origin import Origin
from nines_runtime.data.statements import LedgerStatements


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Moves an amount: `debit` and `credit` are codes of accounts, which are opened when they are first named."""

    debit: str
    credit: str
    amount_minor: int
    """In the smallest unit of the currency."""
    currency: str
    more: tuple[Any, ...] = ()
    """What else the service's entries hold, in the order of its columns."""


class Ledger:
    """`statements` are those of the service's own tables."""

    def __init__(self, statements: LedgerStatements | None = None, *, is_tenanted: bool = False) -> None:
        self._statements = statements or LedgerStatements()
        self._is_tenanted = is_tenanted

    async def post(
        self, tx: Connection, origin: Origin, subject_id: object, version: int, entries: Sequence[Entry]
    ) -> bool:
        """Posts once for this object, operation and version; False: it was posted before, and nothing is added."""
        tenants = (origin.tenant,) if self._is_tenanted else ()
        accounts = {(code, each.currency) for each in entries for code in (each.debit, each.credit)}
        # In one order for all, so that two postings that open the same accounts cannot wait for each other.
        for code, currency in sorted(accounts):
            await tx.execute(self._statements.open_account, new_id(), *tenants, code, currency)
        posting_id = new_id()
        told = (origin.operation, str(subject_id), version)
        if await tx.fetchval(self._statements.insert_posting, posting_id, *tenants, *told) is None:
            return False
        for each in entries:
            values = (new_id(), posting_id, each.amount_minor, each.currency, *tenants, *each.more)
            ended = await tx.execute(self._statements.insert_entry, *values, each.debit, each.credit)
            if ended != "INSERT 0 1":
                raise RuntimeError(f"An entry from {each.credit} to {each.debit} in {each.currency} finds no accounts.")
        return True
