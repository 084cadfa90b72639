"""The operations as other services ask for them: messages with numbers that never change, and one method for each."""

from __future__ import annotations

from nines.model.record import Record, StrictRecord


class PlannedMember(Record):
    """A field of a message."""

    name: str
    type: str
    """As proto3 has it: "string", "google.protobuf.Timestamp", "Payment"."""
    number: int = 0
    is_repeated: bool = False
    is_optional: bool = False
    """It tells whether it was set."""
    is_required: bool = False
    """Refused where it is not set."""
    says: str = ""

    @property
    def kind(self) -> str:
        """What must stay the same for the number to stay."""
        return f"repeated {self.type}" if self.is_repeated else self.type


class PlannedMessage(Record):
    name: str
    members: tuple[PlannedMember, ...] = ()
    gone: tuple[tuple[str, int], ...] = ()
    """Names and numbers that are never used again."""
    says: str = ""


class PlannedValue(Record):
    """Of an enumeration."""

    name: str
    text: str
    """As JSON and the database have it."""
    number: int = 0


class PlannedEnumeration(Record):
    name: str
    """Pascal case."""
    values: tuple[PlannedValue, ...] = ()
    """Without that of 0, which stands for none."""
    gone: tuple[tuple[str, int], ...] = ()

    @property
    def unspecified(self) -> str:
        return f"{self.prefix}UNSPECIFIED"

    @property
    def prefix(self) -> str:
        return value_prefix(self.name)


def value_prefix(name: str) -> str:
    """ "PaymentStatus" has values that begin with "PAYMENT_STATUS_"."""
    words = "".join(f"_{each}" if each.isupper() else each for each in name).strip("_")
    return f"{words.upper()}_"


class PlannedRpc(Record):
    name: str
    operation: str
    """The id of the endpoint."""
    request: str
    reply: str
    path: tuple[str, ...] = ()
    """Members of the request that stand in the path, in its order."""
    body: str = ""
    """The member that holds the body; "*": all but those of the path."""
    mask: str = ""
    """The member that names what an update changes."""
    items: str = ""
    """Of the reply: the member with the items of a page."""
    is_deprecated: bool = False
    says: str = ""


class PlannedProtocol(Record):
    package: str
    """With the major version: "payments.v1"."""
    service: str
    messages: tuple[PlannedMessage, ...] = ()
    enumerations: tuple[PlannedEnumeration, ...] = ()
    rpcs: tuple[PlannedRpc, ...] = ()


class KnownMember(StrictRecord):
    number: int
    type: str = ""


class KnownMessage(StrictRecord):
    """Of a message or an enumeration."""

    members: dict[str, KnownMember] = {}
    gone: tuple[tuple[str, int], ...] = ()


class KnownRpc(StrictRecord):
    request: str
    reply: str
    http: str = ""
    """The method and the path of the same operation."""


class Numbers(StrictRecord):
    """What callers were given, kept in a file beside the contract."""

    version: int = 1
    messages: dict[str, KnownMessage] = {}
    rpcs: dict[str, KnownRpc] = {}
