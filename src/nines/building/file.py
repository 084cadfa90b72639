"""One file of a built service."""

from __future__ import annotations

from nines.model.record import Record


class File(Record):
    path: str
    """Relative to the service's folder, with slashes: "src/payments/_generated/sql.py"."""
    text: str
    """Ends with one line feed; Python is formatted already."""
    is_owned: bool = False
    """Created once and the owner's from then on; everything else is written anew by every build."""
