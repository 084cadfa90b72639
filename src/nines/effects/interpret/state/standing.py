"""What the thing being worked out has looked at, and whether where it was asked for had a part in its outcome.

What was worked out once is used again by every entry point, and that must change nothing: an entry point reads the
same whichever were read before it. So an outcome that a cut recursion has shaped is forgotten when that has ended."""

from __future__ import annotations

from typing import Any

NEVER = 1 << 30


class Standing:
    """Levels count what is being worked out at the moment, one inside the other."""

    __slots__ = ("_passing", "_seen", "evaluating", "level", "lowest", "touched")

    def __init__(self) -> None:
        self.level = 0
        self.lowest = NEVER
        """The outermost level that a cut has looked at; 0 is the whole entry point."""
        self.touched = 0
        """The functions whose bodies were read, one bit for each."""
        self.evaluating: dict[Any, int] = {}
        self._seen: dict[Any, tuple[int, int]] = {}
        self._passing: list[tuple[dict[Any, Any], Any, Any]] = []

    def begin(self, key: Any) -> tuple[int, int, int]:
        saved = (self.touched, self.lowest, len(self._passing))
        self.level += 1
        self.evaluating[key] = self.level
        self.touched, self.lowest = 0, NEVER
        return saved

    def end(self, key: Any, saved: tuple[int, int, int]) -> tuple[int, int]:
        """What was touched, and the outermost level that shaped the outcome: NEVER where it is the same everywhere."""
        touched, lowest = self.touched, self.lowest
        if lowest >= self.level:
            lowest = NEVER
            self._forget(saved[2])
        self.level -= 1
        del self.evaluating[key]
        self.touched = saved[0] | touched
        self.lowest = min(saved[1], lowest)
        return touched, lowest

    def cut(self, key: Any) -> None:
        """Something is asked for while it is being worked out."""
        self.lowest = min(self.lowest, self.evaluating[key])

    def look(self, touched: int, lowest: int = NEVER) -> None:
        self.touched |= touched
        self.lowest = min(self.lowest, lowest)

    def keep(self, table: dict[Any, Any], key: Any, name: Any, found: tuple[int, int]) -> None:
        """Remembers what an entry of a table has looked at; `name` is the entry's own among all tables."""
        self._seen[name] = found
        self.passes(table, key, name, found[1])

    def remember(self, name: Any, touched: int) -> None:
        """What an entry has looked at that is kept whatever has shaped it."""
        self._seen[name] = (touched, NEVER)

    def passes(self, table: dict[Any, Any], key: Any, name: Any, lowest: int) -> None:
        if lowest != NEVER:
            self._passing.append((table, key, name))

    def recall(self, name: Any) -> bool:
        """An entry of a table is used; says whether it is known what that has looked at."""
        found = self._seen.get(name)
        if found is not None:
            self.look(*found)
        return found is not None

    def restart(self) -> None:
        """Begins an entry point."""
        self._forget(0)
        self.level, self.lowest, self.touched = 0, NEVER, 0
        self.evaluating.clear()

    def _forget(self, start: int) -> None:
        for table, key, name in self._passing[start:]:
            table.pop(key, None)
            self._seen.pop(name, None)
        del self._passing[start:]
