"""What the service keeps: resources with their fields, states and access rules."""

from __future__ import annotations

from enum import StrEnum

from nines.model.place import Place
from nines.model.record import Record


class FieldKind(StrEnum):
    STRING = "string"
    TEXT = "text"
    INT32 = "int32"
    INT64 = "int64"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    UUID = "uuid"
    UUID7 = "uuid7"
    JSON = "json"
    BYTES = "bytes"
    EMAIL = "email"
    URL = "url"
    PHONE = "phone"
    CURRENCY = "iso4217"
    COUNTRY = "iso3166"
    PASSWORD = "password"  # noqa: S105 -- the name of a kind
    """Write-only; kept as an argon2id hash."""
    ENUM = "enum"
    REFERENCE = "ref"
    VALUE = "value"
    """One of the blueprint's own composite types; its parts become columns."""


class OnDelete(StrEnum):
    RESTRICT = "restrict"
    CASCADE = "cascade"
    SET_NULL = "set-null"


class Field(Record):
    """One field of a resource or of a composite type."""

    name: str
    kind: FieldKind = FieldKind.STRING
    of: str = ""
    """The resource that a REFERENCE points to, the type that a VALUE is."""
    values: tuple[str, ...] = ()
    """Of an ENUM."""
    length_max: int | None = None
    minimum: float | None = None
    is_minimum_exclusive: bool = False
    maximum: float | None = None
    is_optional: bool = False
    is_read_only: bool = False
    """Set by the service, never by a caller."""
    is_list: bool = False
    default: str | int | float | bool | None = None
    is_personal: bool = False
    """Personal data: redacted in logs, kept out of events, listed for erasure."""
    is_encrypted: bool = False
    on_delete: OnDelete = OnDelete.RESTRICT
    says: str = ""
    place: Place | None = None

    @property
    def is_answered(self) -> bool:
        """Whether callers see it: never a password, nor a secret of the machinery, encrypted and nobody's own."""
        return self.kind is not FieldKind.PASSWORD and (self.is_personal or not self.is_encrypted)


class ValueType(Record):
    """A composite without an identity of its own, such as money."""

    name: str
    fields: tuple[Field, ...] = ()
    place: Place | None = None


class GrantKind(StrEnum):
    OWNER = "owner"
    TENANT = "tenant"
    ROLE = "role"
    AUTHENTICATED = "authenticated"
    PUBLIC = "public"


class Grant(Record):
    """One alternative of an access rule: "owner or role:support" is two of them."""

    kind: GrantKind
    role: str = ""


class Access(Record):
    """Who may do what to an object; an empty rule means nobody."""

    read: tuple[Grant, ...] = ()
    list: tuple[Grant, ...] = ()
    write: tuple[Grant, ...] = ()


class State(Record):
    name: str
    to: tuple[str, ...] = ()
    """The states that may follow; empty means final."""


class IndexPart(Record):
    column: str
    is_descending: bool = False


class WantedIndex(Record):
    parts: tuple[IndexPart, ...]
    place: Place | None = None


class ResourceKind(StrEnum):
    ENTITY = "entity"
    LEDGER = "ledger"
    """Entries that are only ever appended; with `is_double_entry` each posting sums to zero."""
    ACCOUNT = "account"
    """People who sign in here: credentials, sessions and refresh tokens come with it."""


class Identifier(Record):
    kind: FieldKind = FieldKind.UUID7
    prefix: str = ""
    """Shown to callers: "pay_0190f5..."."""


class Resource(Record):
    name: str
    """Pascal case, singular: "Payment"."""
    kind: ResourceKind = ResourceKind.ENTITY
    identifier: Identifier = Identifier()
    fields: tuple[Field, ...] = ()
    states: tuple[State, ...] = ()
    """The first is the one in which it is created."""
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[WantedIndex, ...] = ()
    invariants: tuple[str, ...] = ()
    """Conditions over the fields that hold for every row, in the words of SQL."""
    access: Access = Access()
    audit: str = "none"
    """all, writes, none."""
    retention_s: float | None = None
    """None: not said; infinity: for ever."""
    is_append_only: bool = False
    is_double_entry: bool = False
    rows_initial: int = 0
    says: str = ""
    place: Place | None = None

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)

    @property
    def is_personal(self) -> bool:
        return any(field.is_personal for field in self.fields)
