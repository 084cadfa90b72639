"""What is stored: tables with every key, constraint and index, and the queries that they serve."""

from __future__ import annotations

from nines.model.place import Place
from nines.model.record import Record


class PlannedColumn(Record):
    name: str
    type: str
    """PostgreSQL's name: "bigint", "timestamptz", "text"."""
    is_nullable: bool = False
    default: str = ""
    """A SQL expression."""
    references: str = ""
    """`table.column`."""
    on_delete: str = ""
    """RESTRICT, CASCADE, SET NULL."""
    is_personal: bool = False
    is_encrypted: bool = False
    width_bytes: int = 8
    """The average on disk."""
    says: str = ""
    member: str = ""
    """What keeps it in a body: "label", "account_id", "amount.currency"; empty: none does."""
    place: Place | None = None


class PlannedCheck(Record):
    name: str
    expression: str
    says: str = ""


class PlannedIndex(Record):
    name: str
    columns: tuple[str, ...]
    """As in SQL: "created_at DESC"."""
    is_unique: bool = False
    is_primary: bool = False
    where: str = ""
    includes: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    """The ids of the queries that it was made for; a constraint may serve none."""
    says: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns without their direction."""
        return tuple(column.split()[0] for column in self.columns)


class Growth(Record):
    """Rows and bytes of a table, indexes included, at the end of year 0, 1, 2 and 3."""

    rows: tuple[int, ...] = ()
    bytes: tuple[int, ...] = ()
    row_bytes: int = 0
    per_day: float = 0.0
    """New rows a day in the first year."""
    says: str = ""
    """How the figures come about, as arithmetic that a reader can check."""
    remedy: str = ""
    """What becomes due (a partition, a replica, a shard), and when; empty: nothing in three years."""


class PlannedTable(Record):
    name: str
    """Snake case, plural: "payments"."""
    says: str = ""
    resource: str = ""
    module: str = ""
    columns: tuple[PlannedColumn, ...] = ()
    indexes: tuple[PlannedIndex, ...] = ()
    """The primary key first, then the unique ones, then the others."""
    checks: tuple[PlannedCheck, ...] = ()
    is_append_only: bool = False
    partition_by: str = ""
    retention_s: float | None = None
    """None: not said; infinity: for ever."""
    audit: str = "none"
    denormalised: tuple[str, ...] = ()
    """Each departure from the third normal form, with its reason."""
    growth: Growth | None = None
    is_complete: bool = True
    """False for a recovered table with parts that were not understood."""
    place: Place | None = None

    def column(self, name: str) -> PlannedColumn | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def primary_key(self) -> tuple[str, ...]:
        return next((index.names for index in self.indexes if index.is_primary), ())

    @property
    def parents(self) -> tuple[str, ...]:
        """The tables that it refers to, itself excluded, in the order of its columns."""
        found = (c.references.partition(".")[0] for c in self.columns if c.references)
        return tuple(dict.fromkeys(each for each in found if each != self.name))


class PlannedQuery(Record):
    """One statement that an operation or a job sends."""

    id: str
    """Unique, kebab case: "list-payments-by-merchant"."""
    used_by: tuple[str, ...]
    """Endpoint ids and job names."""
    text: str
    """SQL with $1, $2 ..."""
    arguments: tuple[str, ...] = ()
    """SQL literals that make it run: for trying it with EXPLAIN."""
    parameters: tuple[str, ...] = ()
    """What each argument stands for: a column, or "to_status", "from_statuses", "if_version", "lease", "limit"...;
    "caller.tenant" and "caller.subject" are the caller's own, "has:support" is whether the caller has one of the roles,
    "id[]" stands for several, and "filter:", "from:", "before:" and "after:" with a column for what a page is asked
    for by."""
    base: str = ""
    """The id as it is where no other text wants the same one: "insert-payment"."""
    tables: tuple[str, ...] = ()
    index: str = ""
    """The index that it is meant to use."""
    rows_max: int | None = None
    is_write: bool = False
    says: str = ""


class Migration(Record):
    """One step of expand and contract."""

    name: str
    phase: str
    """expand, migrate, contract."""
    sql: str
    says: str = ""
    is_blocking: bool = False
    """Takes a lock that stops writers for longer than an instant."""
    is_alone: bool = False
    """Runs outside of a transaction, and is the only statement of its step."""

    @property
    def script(self) -> str:
        """As a file; its first line tells the phase, and "alone" where it must run outside of a transaction:
        "-- contract, alone: ..."."""
        how = f"{self.phase}, alone" if self.is_alone else self.phase
        blocking = " BLOCKING: plan a pause." if self.is_blocking else ""
        return f"-- {how}: {' '.join(self.says.split())}{blocking}\n{self.sql}"
