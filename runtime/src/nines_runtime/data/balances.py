"""What a ledger's accounts hold, and whether its books are right."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Database
from nines_runtime.data.ledger import Entry

FAULTS_MAX = 100


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """The names of a ledger's tables."""

    accounts: str = "entry_accounts"
    postings: str = "entry_postings"
    entries: str = "entries"
    tenant_column: str = ""


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def minor(self) -> int:
        """What was debited less what was credited."""
        return self.debit_minor - self.credit_minor


class LedgerReport(msgspec.Struct, frozen=True, kw_only=True):
    entries: int
    faults: tuple[str, ...]
    """At most FAULTS_MAX of them."""

    @property
    def is_right(self) -> bool:
        return not self.faults


async def balances(
    database: Database, deadline: Deadline, *, tenant: str = "", books: Books | None = None
) -> tuple[Balance, ...]:
    """Of every account, or of one tenant's, by code and currency."""
    names = books or Books()
    own = f'WHERE a."{names.tenant_column}"::text = $1' if names.tenant_column else "WHERE $1 = ''"
    # An account is looked up on either side by its own index, instead of one join that could use neither.
    total = f'SELECT coalesce(sum(amount_minor), 0) FROM "{names.entries}"'  # noqa: S608 -- A table of the service.
    sides = ", ".join(f"({total} WHERE {side}_account_id = a.id)::bigint AS {side}" for side in ("debit", "credit"))
    accounts = f'SELECT a.code, a.currency, {sides} FROM "{names.accounts}" AS a {own}'  # noqa: S608 -- As above.
    async with database.transaction(deadline, statement_s_max=deadline.left_s) as tx:
        rows = await tx.fetch(f"{accounts} ORDER BY a.code, a.currency", tenant)
    return tuple(
        Balance(code=row["code"], currency=row["currency"], debit_minor=row["debit"], credit_minor=row["credit"])
        for row in rows
    )


async def check_ledger(database: Database, deadline: Deadline, *, books: Books | None = None) -> LedgerReport:
    """What the form of the tables does not already make impossible: entries whose accounts are of another currency or
    tenant, and postings without entries. Each entry debits what it credits, so the sums are equal where these hold."""
    names = books or Books()
    faults: list[str] = []
    # One snapshot for all: a posting that is being written is seen whole or not at all.
    transaction = database.transaction(deadline, isolation="repeatable_read", statement_s_max=deadline.left_s)
    async with transaction as tx:
        count = await tx.fetchval(f'SELECT count(*) FROM "{names.entries}"')  # noqa: S608 -- A table of the service.
        for says, query in _questions(names).items():
            faults += [f"{says}: {row['id']}" for row in await tx.fetch(query, FAULTS_MAX)]
    return LedgerReport(entries=count, faults=tuple(faults[:FAULTS_MAX]))


def _questions(names: Books) -> Mapping[str, str]:
    strange = ["debit.currency <> e.currency", "credit.currency <> e.currency"]
    if names.tenant_column:
        column = f'"{names.tenant_column}"'
        strange += [f"{side}.{column} <> e.{column}" for side in ("debit", "credit", "posting")]
    return {
        "an entry between accounts of another currency or tenant": f"""\
SELECT e.id FROM "{names.entries}" AS e
JOIN "{names.postings}" AS posting ON posting.id = e.posting_id
JOIN "{names.accounts}" AS debit ON debit.id = e.debit_account_id
JOIN "{names.accounts}" AS credit ON credit.id = e.credit_account_id
WHERE {" OR ".join(strange)} LIMIT $1""",  # noqa: S608 -- Names of the service's own tables.
        "an entry from an account to itself, or of nothing": f"""\
SELECT id FROM "{names.entries}" WHERE debit_account_id = credit_account_id OR amount_minor <= 0 LIMIT $1""",  # noqa: S608
        "a posting without entries": f"""\
SELECT p.id FROM "{names.postings}" AS p
WHERE NOT EXISTS (SELECT 1 FROM "{names.entries}" AS e WHERE e.posting_id = p.id) LIMIT $1""",  # noqa: S608
    }


def entries_of(legs: Sequence[tuple[str, int]], currency: str) -> tuple[Entry, ...]:
    """Legs of one posting, each an account and what is debited to it (negative: credited), as entries between two.

    Raises ValueError where they do not sum to zero."""
    if sum(amount for _, amount in legs):
        raise ValueError(f"Legs of a posting in {currency} sum to {sum(amount for _, amount in legs)}, not to 0.")
    net: dict[str, int] = {}
    for code, amount in legs:
        net[code] = net.get(code, 0) + amount
    debits = deque((code, amount) for code, amount in net.items() if amount > 0)
    credits = deque((code, -amount) for code, amount in net.items() if amount < 0)
    found: list[Entry] = []
    while debits and credits:
        (debit, wanted), (credit, given) = debits.popleft(), credits.popleft()
        amount = min(wanted, given)
        found.append(Entry(debit=debit, credit=credit, amount_minor=amount, currency=currency))
        if wanted > amount:
            debits.appendleft((debit, wanted - amount))
        if given > amount:
            credits.appendleft((credit, given - amount))
    return tuple(found)
