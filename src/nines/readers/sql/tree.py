"""Reads a parsed statement: tables, comparisons, what is written, and how many rows there can be.

Labels of values are the numbers of the template's slots; whoever asked fills in what stood there."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace
from sqlglot import exp

from nines.model.effect import Known, Rows
from nines.model.record import Record
from nines.model.statement import Comparison, Statement, Written
from nines.readers.sql.nodes import (
    action_of,
    bare,
    columns_of,
    conflict_of,
    is_aggregate,
    limit_of,
    literals_of,
    main_of,
    shown_name,
    slots_of,
    target_of,
)

DERIVED_MAX = 8
"""Queries within FROM within FROM that are looked through for a LIMIT."""
ITEMS_MAX = 200
"""Tables, comparisons, columns of one statement that are kept, each."""

_OPERATORS: dict[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Like: "like",
    exp.ILike: "ilike",
    exp.Is: "is",
    exp.NullSafeEQ: "=",
    exp.NullSafeNEQ: "!=",
}
_NEGATED = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Understood(Record):
    """A template's statement, and the slot that says how many rows it may return at most."""

    statement: Statement
    limit_slot: str = ""


def understand(tree: exp.Expression, inserted_rows: int) -> Understood:
    """What the tree does; `inserted_rows` is what the scan counted, for the tree has lost rows to the template."""
    reading = _Reading(tree, inserted_rows)
    return Understood(statement=reading.statement(), limit_slot=reading.limit_slot())


class _Reading:
    def __init__(self, tree: exp.Expression, inserted_rows: int) -> None:
        self._tree = tree
        self._main = main_of(tree)
        self._inserted_rows = inserted_rows
        self._derived = {cte.alias.lower() for cte in tree.find_all(exp.CTE) if cte.alias}
        self._aliases: dict[str, str] = {}
        self._tables = self._all_tables()

    def statement(self) -> Statement:
        main = self._main
        conflict = conflict_of(main)
        return Statement(
            action=action_of(main, conflict),
            tables=self._tables[:ITEMS_MAX],
            comparisons=tuple(self._comparisons())[:ITEMS_MAX],
            written=tuple(self._written(conflict))[:ITEMS_MAX],
            columns=self._columns(),
            limit=self._limit(),
            rows=self._rows(),
            locks_rows=self._locks(),
            handles_conflict=conflict is not None or isinstance(main, exp.Merge),
            is_understood=True,
        )

    def _all_tables(self) -> tuple[str, ...]:
        """Every table once: the written one, or the one selected from, first."""
        first = target_of(self._main)
        ordered = ([first] if first is not None else []) + list(self._tree.find_all(exp.Table))
        names: dict[str, None] = {}
        for table in ordered:
            name = table.name.lower()
            if not name:
                continue
            self._aliases.setdefault((table.alias or name).lower(), name)
            if name not in self._derived or table.db:
                names.setdefault(name)
        return tuple(names)

    def limit_slot(self) -> str:
        count = limit_of(self._main) if isinstance(self._main, exp.Query) else None
        return next(slots_of(count), "") if count is not None else ""

    # --- conditions --------------------------------------------------------------------------------

    def _comparisons(self) -> Iterator[Comparison]:
        for place in self._tree.find_all(exp.Where, exp.Having, exp.Join, exp.Merge):
            condition = place.args.get("on") if isinstance(place, exp.Join | exp.Merge) else place.this
            if condition is not None:
                yield from self._condition(condition)
            if isinstance(place, exp.Join):
                for column in place.args.get("using") or ():
                    yield Comparison(column=column.name.lower())

    def _condition(self, node: exp.Expression) -> Iterator[Comparison]:
        """The comparisons of a condition; subqueries are visited by themselves."""
        pending = [(node, False, False)]
        while pending:
            current, is_alternative, is_negated = pending.pop()
            if isinstance(current, exp.Connector):
                # Under a NOT the two change places (De Morgan).
                is_either = is_negated if isinstance(current, exp.And) else not is_negated
                pending.append((current.expression, is_alternative or is_either, is_negated))
                pending.append((current.this, is_alternative or is_either, is_negated))
            elif isinstance(current, exp.Not):
                pending.append((current.this, is_alternative, not is_negated))
            elif isinstance(current, exp.Paren):
                pending.append((current.this, is_alternative, is_negated))
            else:
                for comparison in self._comparison(current, is_negated=is_negated):
                    yield replace(comparison, is_alternative=True) if is_alternative else comparison

    def _comparison(self, node: exp.Expression, *, is_negated: bool) -> Iterator[Comparison]:
        operator = _OPERATORS.get(type(node), "?")
        # `IS NOT` is a flag in newer versions of sqlglot, and a NOT on the right in older ones.
        is_negated = is_negated != bool(node.args.get("negate"))
        subject, values = node, [node]
        if isinstance(node, exp.Between):
            subject, operator, values = node.this, "between", [node.args["low"], node.args["high"]]
        elif isinstance(node, exp.In):
            subject, operator, values = node.this, "in", list(node.expressions)
        elif isinstance(node, exp.Column):
            operator, values = "is", [exp.true()]
        elif isinstance(node, exp.Is) and isinstance(node.expression, exp.Not):
            subject, operator, values = bare(node.this), "is", [node.expression.this]
            is_negated = not is_negated
        elif operator != "?":
            subject, operator, values = self._sides(node, operator)
        if is_negated and operator != "?":
            operator = _NEGATED.get(operator, f"not {operator}")
        if isinstance(subject, exp.Tuple) and len(values) == 1 and isinstance(values[0], exp.Tuple):
            for left, right in zip(subject.expressions, values[0].expressions, strict=False):
                yield from self._compared(left, operator, [right])
            return
        yield from self._compared(subject, operator, values)

    def _sides(self, node: exp.Expression, operator: str) -> tuple[exp.Expression, str, list[exp.Expression]]:
        """The column, the operator as seen from the column, and the other side."""
        left, right = bare(node.this), bare(node.expression)
        if not isinstance(left, exp.Column) and isinstance(right, exp.Column):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        if isinstance(right, exp.Any | exp.All):
            is_any = isinstance(right, exp.Any) and operator == "="
            return left, "in" if is_any else "?", [bare(right.this)]
        return left, operator, [right]

    def _compared(self, subject: exp.Expression, operator: str, values: list[exp.Expression]) -> Iterator[Comparison]:
        slots = [slot for value in values for slot in slots_of(value)]
        literals = [literal for value in values for literal in literals_of(value)]
        for column in columns_of(subject):
            # A condition on an expression of a column does not fix the column.
            fixes = column is subject or isinstance(subject, exp.Tuple)
            yield Comparison(
                column=self._column(column),
                operator=operator if fixes else "?",
                parameter=slots[0] if slots else "",
                literal=literals[0] if literals and not slots else "",
                is_bound=bool(slots or literals),
            )

    def _column(self, column: exp.Column) -> str:
        name = column.name.lower()
        table = column.table.lower()
        if not table or len(self._tables) < 2:
            return name
        return f"{self._aliases.get(table, table)}.{name}"

    # --- writing -----------------------------------------------------------------------------------

    def _written(self, conflict: exp.OnConflict | None) -> Iterator[Written]:
        main = self._main
        if isinstance(main, exp.Insert):
            found = {written.column: written for written in self._inserted(main)}
            for assignment in conflict.expressions if conflict is not None else ():
                written = self._assigned(assignment)
                if written is not None and (written.column not in found or written.is_atomic):
                    found[written.column] = written
            yield from found.values()
        elif isinstance(main, exp.Update):
            yield from self._assignments(main.expressions)
        elif isinstance(main, exp.Merge):
            for when in main.find_all(exp.When):
                then = when.args.get("then")
                if isinstance(then, exp.Update):
                    yield from self._assignments(then.expressions)

    def _inserted(self, insert: exp.Insert) -> Iterator[Written]:
        target = insert.this
        if not isinstance(target, exp.Schema):
            return
        source = insert.expression
        row: list[exp.Expression] = []
        if isinstance(source, exp.Values) and source.expressions:
            first = source.expressions[0]
            row = list(first.expressions) if isinstance(first, exp.Tuple) else [first]
        elif isinstance(source, exp.Select):
            row = list(source.expressions)
        for index, column in enumerate(target.expressions):
            slots = list(slots_of(row[index])) if index < len(row) else []
            yield Written(column=column.name.lower(), parameter=slots[0] if slots else "")

    def _assignments(self, nodes: list[exp.Expression]) -> Iterator[Written]:
        for node in nodes:
            written = self._assigned(node)
            if written is not None:
                yield written

    def _assigned(self, node: exp.Expression) -> Written | None:
        if not isinstance(node, exp.EQ):
            return None
        target = node.this
        slots = list(slots_of(node.expression))
        table = self._tables[0] if self._tables else ""
        own = any(
            not column.table or self._aliases.get(column.table.lower(), column.table.lower()) == table
            for column in columns_of(node.expression)
        )
        return Written(column=target.name.lower(), parameter=slots[0] if slots else "", is_atomic=own)

    # --- rows --------------------------------------------------------------------------------------

    def _columns(self) -> tuple[str, ...]:
        main = self._main
        if isinstance(main, exp.SetOperation):
            main = main.find(exp.Select) or main
        items = main.expressions if isinstance(main, exp.Select) else ()
        return tuple(shown_name(item) for item in items[:ITEMS_MAX])

    def _limit(self) -> Known:
        if not isinstance(self._main, exp.Query):
            return Known.UNKNOWN
        if self._rows() is Rows.ONE or self._is_limited(self._main, DERIVED_MAX):
            return Known.SET
        return Known.UNKNOWN if self._is_of_differing_values() else Known.MISSING

    def _is_of_differing_values(self) -> bool:
        """Whether each value of some columns, which are no keys, is shown once: how many there are is not known."""
        told_once = ("distinct", "group")
        is_distinct = isinstance(self._main, exp.Select) and any(self._main.args.get(name) for name in told_once)
        names = [shown_name(item) for item in self._main.expressions]
        return is_distinct and not any(name in ("*", "id", "") for name in names)

    def _is_limited(self, query: exp.Expression, hops_left: int) -> bool:
        """Whether a query, or the one that it selects from, ends after so many rows."""
        count = limit_of(query)
        if count is not None:
            return not isinstance(count, exp.Null) and count.name.lower() != "all"
        source = query.args.get("from_")
        inner: exp.Expression | None = source.this if isinstance(source, exp.From) else None
        if isinstance(inner, exp.Table) and not inner.db:
            wanted = inner.name.lower()
            inner = next((cte for cte in self._tree.find_all(exp.CTE) if cte.alias.lower() == wanted), None)
        if isinstance(inner, exp.Subquery | exp.CTE) and hops_left:
            return self._is_limited(inner.this, hops_left - 1)
        return False

    def _rows(self) -> Rows:
        main = self._main
        if isinstance(main, exp.Insert):
            if isinstance(main.expression, exp.Values):
                return Rows.MANY if self._inserted_rows > 1 else Rows.ONE
            return Rows.ONE if main.args.get("default") else Rows.UNKNOWN
        if not isinstance(main, exp.Select):
            return Rows.UNKNOWN
        if main.args.get("from_") is None:
            return Rows.UNKNOWN if main.find(exp.Unnest, exp.Explode, exp.ExplodingGenerateSeries) else Rows.ONE
        if main.args.get("group") is None and main.expressions and all(map(is_aggregate, main.expressions)):
            return Rows.ONE
        return Rows.UNKNOWN

    def _locks(self) -> bool:
        return any(select.args.get("locks") for select in self._tree.find_all(exp.Select))
