"""What differs between two versions of a contract."""

from __future__ import annotations

from enum import StrEnum

from nines.model.record import Record


class Impact(StrEnum):
    """What a change of a contract does to callers who do nothing."""

    BREAKING = "breaking"
    RISKY = "risky"
    """Breaks only callers who relied on more than was promised, or it could not be told."""
    COMPATIBLE = "compatible"


class ContractChange(Record):
    """One difference between the released contract and the next one."""

    rule: str
    """Kebab case, stable: "operation-removed"."""
    impact: Impact
    operation: str
    """ "POST /v1/payments"; empty: the whole document."""
    where: str = ""
    """Within the operation: "body /amount/currency", "200 /items/*/status", "header If-Match"."""
    says: str = ""
    """A clause: what was and what is."""
    whom: str = ""
    """Which callers it hurts: a clause; empty for a compatible change."""

    @property
    def is_breaking(self) -> bool:
        return self.impact is Impact.BREAKING
