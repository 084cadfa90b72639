"""PromQL, put together so that a name with odd characters cannot break it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SCRAPE_S = 15.0
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def duration(seconds: float) -> str:
    """Whole seconds in the largest unit that divides them: "5m", "280s"."""
    whole = max(1, round(seconds))
    size, unit = next(((size, unit) for size, unit in _UNITS if whole % size == 0), (1, "s"))
    return f"{whole // size}{unit}"


def number(value: float) -> str:
    """With as many digits as tell five nines, and none that binary fractions left over."""
    return f"{value:.10g}"


def text(value: str) -> str:
    """A string of PromQL, with its quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def equal(label: str, value: str) -> str:
    return f"{label}={text(value)}"


def among(label: str, values: Sequence[str]) -> str:
    """One value by equality, several by a regular expression (RE2)."""
    if len(values) == 1:
        return equal(label, values[0])
    return f"{label}=~{text('|'.join(map(_literal, values)))}"


def bucket(limit_s: float) -> str:
    """The histogram bucket of a limit: clients write whole numbers as "1" or as "1.0"."""
    written = number(limit_s)
    return f'le=~"{written}([.]0)?"' if "." not in written and "e" not in written else equal("le", written)


def selector(metric: str, *matchers: str) -> str:
    return f"{metric}{{{','.join(each for each in matchers if each)}}}"


def rate(series: str, *, by: Iterable[str] = (), window: str = "$window") -> str:
    return f"{total(by)}(rate({series}[{window}]))"


def total(by: Iterable[str] = ()) -> str:
    """The word that sums up: "sum", "sum by (task)"."""
    labels = ", ".join(by)
    return f"sum by ({labels})" if labels else "sum"


def _literal(value: str) -> str:
    return re.sub(r"([^A-Za-z0-9_\- /:])", r"\\\1", value)
