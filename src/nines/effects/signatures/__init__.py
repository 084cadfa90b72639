"""What libraries do, as data: one TOML file per library, and what reads them."""

from nines.effects.signatures.load import load
from nines.effects.signatures.lookup import Signatures
from nines.effects.signatures.rules import ColumnRule, DeadlineRule, MountRule, RetryRule, RouteRule
from nines.effects.signatures.schema import CallSignature, TypeSignature

__all__ = [
    "CallSignature",
    "ColumnRule",
    "DeadlineRule",
    "MountRule",
    "RetryRule",
    "RouteRule",
    "Signatures",
    "TypeSignature",
    "load",
]
