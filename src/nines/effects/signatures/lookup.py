"""All signatures together, as they are asked: by name, along aliases and bases."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

from nines.effects.limits import ALIAS_HOPS_MAX, BASES_MAX
from nines.effects.signatures.schema import Described, TypeSignature


class Signatures(Described):
    """Every signature, by qualified name."""

    libraries: dict[str, str] = {}
    """For each call: the library that its file speaks of."""
    harmless: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    url_tables: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    credential_words: tuple[str, ...] = ()
    plain_methods: frozenset[str] = frozenset()

    def canonical(self, name: str) -> str:
        """The name under which a library's thing is described, through its re-exports."""
        for _ in range(ALIAS_HOPS_MAX):
            if name in self.aliases:
                name = self.aliases[name]
                continue
            head, dot, tail = name.rpartition(".")
            while dot and head not in self.aliases:
                head, dot, more = head.rpartition(".")
                tail = f"{more}.{tail}"
            if not dot:
                break
            name = f"{self.aliases[head]}.{tail}"
        if name in self.types or name in self.calls:
            return name
        return next((like for pattern, like in self.lookalikes.items() if fnmatchcase(name, pattern)), name)

    def bases(self, type: str) -> tuple[str, ...]:
        """The type and everything that it inherits from, nearest first."""
        return _bases(self, type)

    def type(self, name: str) -> TypeSignature | None:
        return self.types.get(name)

    def method(self, type: str, name: str) -> str:
        """The qualified name under which a type's method is described, "" when it is not."""
        for base in _bases(self, type):
            qualified = f"{base}.{name}"
            if qualified in self.calls:
                return qualified
        return ""

    def attribute(self, type: str, name: str) -> str:
        for base in _bases(self, type):
            signature = self.types.get(base)
            if signature and name in signature.attributes:
                return signature.attributes[name]
        return ""

    def trait(self, type: str, trait: str) -> object:
        """The first truthy value of a type's property along its bases."""
        for base in _bases(self, type):
            signature = self.types.get(base)
            value = getattr(signature, trait) if signature else None
            if value:
                return value
        return None

    def is_harmless(self, name: str) -> bool:
        parts = name.split(".")
        return any(".".join(parts[:length]) in self.harmless for length in range(len(parts), 0, -1))

    def __hash__(self) -> int:
        return id(self)


@lru_cache(maxsize=20_000)
def _bases(signatures: Signatures, type: str) -> tuple[str, ...]:
    found: dict[str, None] = {type: None}
    pending = [type]
    while pending and len(found) < BASES_MAX:
        signature = signatures.types.get(pending.pop(0))
        for base in signature.bases if signature else ():
            if base not in found:
                found[base] = None
                pending.append(base)
    return tuple(found)
