"""What the names of one module stand for, as far as its imports tell."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.code import Attribute, Expression, Import, Module, Name, Statement
from nines.readers.python.walk import statements_of


class Scope:
    """The imported names of a module, or of a function within it, as qualified names."""

    def __init__(
        self,
        module: Module,
        known: frozenset[str],
        outer: Scope | None = None,
        body: tuple[Statement, ...] | None = None,
    ) -> None:
        """`known` are the names of the program's modules and packages, `body` that of a function within the module."""
        self._module = module
        self._known = known
        self._bound: dict[str, str] = dict(outer._bound) if outer is not None else {}
        for statement in statements_of(module.body if body is None else body):
            if isinstance(statement, Import):
                self._bind(statement)

    def qualified(self, expression: Expression | None) -> str:
        """The dotted name of a name or attribute; one that is not imported belongs to the module. "" for the rest."""
        if isinstance(expression, Name):
            return self._bound.get(expression.id) or f"{self._module.name}.{expression.id}"
        if isinstance(expression, Attribute):
            value = self.qualified(expression.value)
            return f"{value}.{expression.name}" if value else ""
        return ""

    def imported(self) -> Iterator[str]:
        """The qualified names of everything imported."""
        yield from self._bound.values()

    def _bind(self, statement: Import) -> None:
        for imported in statement.names:
            if imported.name == "":
                first = statement.module.partition(".")[0]
                source = self._absolute(statement)
                is_top = imported.alias == first
                self._bound[imported.alias] = source.removesuffix(statement.module) + first if is_top else source
            else:
                source = self._absolute(statement)
                self._bound[imported.alias] = f"{source}.{imported.name}" if source else imported.name

    def _absolute(self, statement: Import) -> str:
        if not statement.level:
            prefixed = self._module.prefix + statement.module
            return prefixed if prefixed in self._known else statement.module
        parts = self._module.name.split(".")
        drop = statement.level - (1 if self._module.is_package else 0)
        parts = parts[: len(parts) - drop] if drop else parts
        return ".".join([*parts, statement.module] if statement.module else parts)
