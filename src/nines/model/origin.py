"""Where a value comes from, as far as it decides what an effect means."""

from __future__ import annotations

from enum import StrEnum

from nines.model.record import Record


class OriginKind(StrEnum):
    """The sources that rules tell apart."""

    CALLER = "caller"
    """Chosen by whoever sent the request: path, query, body, header, form, file, message."""
    PRINCIPAL = "principal"
    """Established by authentication: a verified token's claims, the signed-in user and what was looked up by it."""
    DATABASE = "database"
    REMOTE = "remote"
    SETTING = "setting"
    """Configuration or environment."""
    CONSTANT = "constant"
    CLOCK = "clock"
    CHANCE = "chance"
    """Random numbers and fresh identifiers."""
    UNKNOWN = "unknown"


class Origin(Record):
    """One source of a value; `effect` is the index, in the trace, of the effect that returned it."""

    kind: OriginKind
    name: str = ""
    """For CALLER the parameter's name, for SETTING the variable's, for CONSTANT its text."""
    location: str = ""
    """For CALLER where it travels: path, query, body, header, cookie, form, file, message."""
    effect: int | None = None
    sanitised: tuple[str, ...] = ()
    """What it was made safe for, such as "sql", "int", "path"."""
    is_calculated: bool = False
    """For DATABASE and CALLER: arithmetic or composing text stands between the source and the value."""
