"""Questions about single nodes of a parsed statement."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)


def main_of(tree: exp.Expression) -> exp.Expression:
    """The statement that counts: a write in a CTE counts more than the SELECT around it."""
    if not isinstance(tree, WRITES):
        written = next(tree.find_all(*WRITES), None)
        if written is not None:
            return written
    while isinstance(tree, exp.Subquery | exp.Paren):
        tree = tree.this
    return tree


def target_of(main: exp.Expression) -> exp.Table | None:
    target = main.this if isinstance(main, WRITES) else main.args.get("from_")
    if isinstance(target, exp.Schema | exp.From):
        target = target.this
    return target if isinstance(target, exp.Table) else None


def action_of(main: exp.Expression, conflict: exp.OnConflict | None) -> str:
    if isinstance(main, exp.Insert):
        return "UPSERT" if conflict is not None and conflict.expressions else "INSERT"
    if isinstance(main, exp.Update):
        return "UPDATE"
    if isinstance(main, exp.Delete):
        return "DELETE"
    return "UPSERT" if isinstance(main, exp.Merge) else "SELECT"


def conflict_of(main: exp.Expression) -> exp.OnConflict | None:
    found = main.args.get("conflict") if isinstance(main, exp.Insert) else None
    return found if isinstance(found, exp.OnConflict) else None


def columns_of(node: exp.Expression) -> Iterator[exp.Column]:
    """The columns of a node, without those of subqueries."""
    for found in node.walk(prune=lambda inner: isinstance(inner, exp.Query)):
        if isinstance(found, exp.Column):
            yield found


def bare(node: exp.Expression) -> exp.Expression:
    """The node without brackets and casts around it."""
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    return node


def slots_of(node: exp.Expression) -> Iterator[str]:
    for found in node.walk(prune=lambda inner: isinstance(inner, exp.Query)):
        if isinstance(found, exp.Placeholder) and isinstance(found.this, str):
            yield found.this


def literals_of(node: exp.Expression) -> Iterator[str]:
    """What is written out although it is no slot: NULL, TRUE, the text of an interval."""
    for found in node.walk(prune=lambda inner: isinstance(inner, exp.Query)):
        if isinstance(found, exp.Literal):
            yield str(found.this)
        elif isinstance(found, exp.Null | exp.Boolean):
            yield found.sql().lower()


def limit_of(query: exp.Expression) -> exp.Expression | None:
    limit = query.args.get("limit")
    if limit is None:
        return None
    count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
    return count if isinstance(count, exp.Expression) else exp.Literal.number(1)


def shown_name(item: exp.Expression) -> str:
    if item.alias:
        return item.alias.lower()
    if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
        return "*"
    if isinstance(item, exp.Column | exp.Anonymous):
        return item.name.lower()
    return item.sql_name().lower() if isinstance(item, exp.Func) else ""


def is_aggregate(item: exp.Expression) -> bool:
    """Whether a projection is one value over all rows."""
    inner = item.unalias()
    if isinstance(inner, exp.Exists):
        return False
    if inner.find(exp.Window) is not None:
        return False
    return inner.find(exp.AggFunc) is not None
