"""Reads the sources and tokens of a shared tree as this call's."""

from __future__ import annotations

from nines.effects.limits import SOURCES_MAX
from nines.effects.nodes import CallNode
from nines.effects.values import Source, Sources, without_calculated
from nines.model.origin import Origin, OriginKind
from nines.model.place import Step


class Scope:
    """One call on the way from the entry point: its names, and who called it."""

    __slots__ = ("call", "mode", "parent", "path", "tokens")

    def __init__(self, parent: Scope | None, call: CallNode | None, path: tuple[Step, ...], mode: str) -> None:
        self.parent = parent
        self.call = call
        self.path = path
        self.mode = mode
        self.tokens: dict[int, int] = {}

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
        labels = source.sanitised
        name = source.name
        scope: Scope | None = self
        while source.slot and scope is not None:
            outer = scope.call.sources.get(source.slot) if scope.call is not None else None
            scope = scope.parent
            if outer is None:
                return _origin(source.kind, name, "", None, labels)
            source = outer
            name = name or source.name
            labels = tuple(dict.fromkeys((*source.sanitised, *labels)))
        effect = None
        if source.token and scope is not None:
            found = scope.key(source.token)
            effect = found if found is not None and found >= 0 else None
        kept = name if source.kind is OriginKind.DATABASE else (source.name or name)
        return _origin(source.kind, kept, source.location, effect, labels)

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
