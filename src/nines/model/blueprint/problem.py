"""One thing that is written wrongly in a blueprint."""

from __future__ import annotations

from nines.model.place import Place
from nines.model.record import Record


class Problem(Record):
    """One thing that is written wrongly in a blueprint."""

    place: Place
    path: str
    """In the blueprint: "operations.createPayment.do"; empty: the whole."""
    says: str
    """What was found, what was expected, and the nearest word."""

    def __str__(self) -> str:
        return f"{self.place.file}:{self.place.line}:{self.place.column}: {self.says}"
