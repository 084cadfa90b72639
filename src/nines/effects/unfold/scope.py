"""Reads the sources and tokens of a shared tree as this call's."""

from __future__ import annotations

from nines.effects.limits import SOURCES_MAX
from nines.effects.nodes import CallNode
from nines.effects.values import Source, Sources, without_calculated
from nines.model.origin import Origin, OriginKind
from nines.model.place import Step


class Scope:
    """One call on the way from the entry point: its names, and who called it."""

    __slots__ = ("_origins", "_slots", "call", "mode", "parent", "path", "tokens")

    def __init__(self, parent: Scope | None, call: CallNode | None, path: tuple[Step, ...], mode: str) -> None:
        self.parent = parent
        self.call = call
        self.path = path
        self.mode = mode
        self.tokens: dict[int, int] = {}
        self._origins: dict[Source, Origin] = {}
        self._slots: dict[Source, tuple[Source, str, Scope | None]] = {}

    def key(self, token: int) -> int | None:
        """What a token stands for in the trace: an effect's index, or a negative number for a new object."""
        scope: Scope | None = self
        while scope is not None and token < 0:
            token = scope.call.tokens.get(token, 0) if scope.call is not None else 0
            scope = scope.parent
        if scope is None or token == 0:
            return None
        return scope.tokens.get(token)

    def origin(self, source: Source) -> Origin:
        """A source as the trace sees it."""
        found = self._origins.get(source)
        if found is not None:
            return found
        outer, name, scope = self._outermost(source)
        effect = None
        if outer.token and scope is not None:
            key = scope.key(outer.token)
            effect = key if key is not None and key >= 0 else None
        kept = name if outer.kind is OriginKind.DATABASE else (outer.name or name)
        if scope is None:
            kept = name
        origin = _origin(outer.kind, kept, outer.location if scope is not None else "", effect, outer.sanitised)
        if not outer.token:
            # What belongs to no effect reads the same wherever the walk has got to.
            self._origins[source] = origin
        return origin

    def _outermost(self, source: Source) -> tuple[Source, str, Scope | None]:
        """The source that a slot stands for at the calls that made it, with the labels and names on the way;
        no scope where it was lost on the way."""
        if not source.slot:
            return source, source.name, self
        known = self._slots.get(source)
        if known is not None:
            return known
        outer = self.call.sources.get(source.slot) if self.call is not None else None
        if outer is None or self.parent is None:
            found: tuple[Source, str, Scope | None] = (source, source.name, None)
        else:
            found = self.parent._outermost(outer)
            origin, name, scope = found
            added = tuple(label for label in source.sanitised if label not in origin.sanitised)
            if added:
                origin = origin._replace(sanitised=(*origin.sanitised, *added))
            found = (origin, source.name or name, scope)
        self._slots[source] = found
        return found

    def drawn(self, source: Source) -> Scope | None:
        """The call in which a source arises that is no argument of any call around; None where that is not known."""
        return self._outermost(source)[2]

    def is_within(self, other: Scope) -> bool:
        """Whether this call was made by the other one, over any number of calls between."""
        scope = self.parent
        while scope is not None and scope is not other:
            scope = scope.parent
        return scope is not None

    def origins(self, sources: Sources) -> tuple[Origin, ...]:
        return tuple(dict.fromkeys(self.origin(source) for source in sources[:SOURCES_MAX]))

    def export(self) -> None:
        """Hands to the caller what the function gives back."""
        if self.parent is None or self.call is None:
            return
        for inner, outer in self.call.exports.items():
            key = self.tokens.get(inner)
            if key is not None:
                self.parent.tokens[outer] = key


def _origin(kind: OriginKind, name: str, location: str, effect: int | None, labels: tuple[str, ...]) -> Origin:
    safe = without_calculated(labels)
    return Origin(
        kind=kind, name=name, location=location, effect=effect, sanitised=safe, is_calculated=len(safe) != len(labels)
    )
