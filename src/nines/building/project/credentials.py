"""Who makes a credential for a laptop or a laboratory, and where it is shown."""

from __future__ import annotations

from nines.building.names import package
from nines.building.project import settings
from nines.model.design import Design
from nines.model.record import Record

_BEARER = ("authorization", "Bearer ")
_SHOWN = {"api-key": ("x-api-key", ""), "mtls": ("client-cert", "")}


class Minting(Record):
    """A command of the service that prints a credential, given who is meant."""

    words: tuple[str, ...]
    """Of the command, behind the interpreter: "-m", "shop.tokens"."""
    header: str
    before: str = ""
    """What stands before the credential in its header."""
    noun: str = "token"


def minting(design: Design) -> Minting | None:
    """None where people sign in here, or nobody shows anything."""
    scheme = design.auth.scheme if design.auth else "none"
    header, before = _SHOWN.get(scheme, _BEARER)
    if settings.has_keys(design):
        return Minting(words=("-m", f"{package(design)}.keys", "create"), header=header, noun="key")
    if settings.is_issued_elsewhere(design):
        noun = "certificate" if scheme == "mtls" else "token"
        return Minting(words=("-m", f"{package(design)}.tokens"), header=header, before=before, noun=noun)
    return None


def somebody(design: Design, *, roles: str, tenant: str = "first") -> tuple[str, ...]:
    """The words that follow, for somebody with these roles."""
    words = ["--subject", "somebody"]
    words += ["--tenant", tenant] if design.tenancy else []
    words += ["--role", roles] if design.roles and roles else []
    strong = any(role.needs_second_factor for role in design.roles)
    return (*words, *(["--factors", "2"] if strong else []))


def is_open(design: Design) -> bool:
    """Whether nobody shows who it is."""
    return design.auth is None or design.auth.scheme == "none"
