"""The tables that files of SQL declare: a schema, or migrations in the order of their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sqlglot import exp

from nines.model.place import Place
from nines.model.schema import Column, Table
from nines.readers.sql.parsing import FAILURES, parsed
from nines.readers.sql_files import SchemaFile

_DOWN = re.compile(r"^\s*--\s*(?:\+goose\s+down|migrate:down|\+migrate\s+down|down\b.*)$", re.IGNORECASE | re.MULTILINE)
_DOWN_FILE = re.compile(r"(?:^|[._-])(?:down|rollback|revert|undo)\b[^/]*\.sql$", re.IGNORECASE)


class _Draft:
    """A table while statement after statement changes it."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.place = place
        self.columns: dict[str, Column] = {}
        self.unique: dict[tuple[str, ...], None] = {}
        self.indexes: dict[tuple[str, ...], None] = {}
        self.primary: tuple[str, ...] = ()
        self.is_complete = True

    def table(self) -> Table:
        keys = [self.primary, *self.unique] if self.primary else list(self.unique)
        unique = tuple(key for key in keys if all(name in self.columns for name in key))
        indexes = tuple(key for key in self.indexes if all(name in self.columns for name in key))
        return Table(
            name=self.name,
            columns=tuple(self._column(column, unique, indexes) for column in self.columns.values()),
            unique=unique,
            indexes=indexes,
            place=self.place,
            is_complete=self.is_complete,
        )

    def _column(
        self, column: Column, unique: tuple[tuple[str, ...], ...], indexes: tuple[tuple[str, ...], ...]
    ) -> Column:
        return Column(
            name=column.name,
            type=column.type,
            is_nullable=column.is_nullable and column.name not in self.primary,
            is_primary=column.name in self.primary,
            is_unique=(column.name,) in unique,
            is_indexed=(column.name,) in indexes,
            references=column.references,
            place=column.place,
        )


def tables(files: Iterable[SchemaFile]) -> tuple[Table, ...]:
    """The tables as they stand after every file; what undoes a migration is left out.

    A statement that changes a table in a way that is not understood leaves the table incomplete."""
    drafts: dict[str, _Draft] = {}
    for file in files:
        if _DOWN_FILE.search(file.name):
            continue
        if not _read(drafts, file):
            for draft in drafts.values():
                draft.is_complete &= draft.name not in file.text.lower()
    return tuple(draft.table() for draft in drafts.values())


def _read(drafts: dict[str, _Draft], file: SchemaFile) -> bool:
    """Applies every statement of a file; False where one could not be understood."""
    found = _statements(file)
    try:
        for place, tree in found or ():
            _apply(drafts, tree, place)
    except FAILURES:
        return False
    return found is not None


def _statements(file: SchemaFile) -> list[tuple[Place, exp.Expression]] | None:
    """The statements of a file with their places; None where it cannot be parsed."""
    down = _DOWN.search(file.text)
    text = file.text[: down.start()] if down else file.text
    trees = parsed(text)
    if trees is None:
        return None
    position = 0
    found: list[tuple[Place, exp.Expression]] = []
    for tree in trees:
        name = tree.find(exp.Table)
        line = 1
        if name is not None and isinstance(tree, exp.Create):
            head = re.compile(rf"table[^;(]*\b{re.escape(name.name)}\b", re.IGNORECASE).search(text, position)
            if head is not None:
                position = head.end()
                line = text.count("\n", 0, head.start()) + 1
        found.append((Place(file=file.name, line=line), tree))
    return found


def _apply(drafts: dict[str, _Draft], tree: exp.Expression, place: Place) -> None:
    if isinstance(tree, exp.Create):
        if tree.kind == "TABLE":
            _create(drafts, tree, place)
        elif tree.kind == "INDEX" and isinstance(tree.this, exp.Index):
            _index(drafts, tree)
    elif isinstance(tree, exp.Alter) and isinstance(tree.this, exp.Table):
        draft = drafts.get(_name(tree.this))
        if draft is not None:
            for action in tree.args.get("actions") or ():
                _alter(drafts, draft, action)
    elif isinstance(tree, exp.Command):
        _not_understood(drafts, str(tree.this), tree.expression.sql() if tree.expression else "")
    elif isinstance(tree, exp.Drop) and tree.kind == "TABLE":
        for dropped in tree.find_all(exp.Table):
            drafts.pop(_name(dropped), None)


def _not_understood(drafts: dict[str, _Draft], verb: str, rest: str) -> None:
    """A change of a table that the parser gave up on; functions and triggers change no key."""
    if verb.upper() == "ALTER" or re.match(r"['\s]*unique\s+index\b", rest, re.IGNORECASE):
        words = set(re.findall(r"\w+", rest.lower()))
        for draft in drafts.values():
            draft.is_complete &= draft.name not in words


def _create(drafts: dict[str, _Draft], tree: exp.Create, place: Place) -> None:
    schema = tree.this
    table = schema.find(exp.Table) if schema is not None else None
    properties = tree.args.get("properties")
    if table is None or (properties is not None and properties.find(exp.TemporaryProperty)):
        return
    name = _name(table)
    if name in drafts and tree.args.get("exists"):
        return
    draft = drafts[name] = _Draft(name, place)
    if not isinstance(schema, exp.Schema):
        # CREATE TABLE ... AS SELECT: its columns are those of a query.
        draft.is_complete = False
        return
    for item in schema.expressions:
        _add(draft, item)


def _add(draft: _Draft, item: exp.Expression) -> None:
    if isinstance(item, exp.ColumnDef):
        _add_column(draft, item)
        return
    found = [item] if not isinstance(item, exp.Constraint | exp.AddConstraint) else list(_constraints(item))
    for each in found:
        if isinstance(each, exp.PrimaryKey):
            draft.primary = _columns(each.expressions)
        elif isinstance(each, exp.UniqueColumnConstraint) and isinstance(each.this, exp.Schema):
            draft.unique[_columns(each.this.expressions)] = None
        elif isinstance(each, exp.ForeignKey):
            _refer(draft, each)
        elif not isinstance(each, exp.CheckColumnConstraint | exp.ExcludeColumnConstraint):
            draft.is_complete = False


def _constraints(item: exp.Expression) -> Iterator[exp.Expression]:
    for inner in item.expressions:
        if isinstance(inner, exp.Constraint):
            yield from _constraints(inner)
        else:
            yield inner


def _add_column(draft: _Draft, item: exp.ColumnDef) -> None:
    name = item.name.lower()
    kind = item.args.get("kind")
    is_nullable, references = True, ""
    for constraint in item.constraints:
        inner = constraint.args.get("kind")
        if isinstance(inner, exp.NotNullColumnConstraint):
            is_nullable = bool(inner.args.get("allow_null"))
        elif isinstance(inner, exp.PrimaryKeyColumnConstraint):
            draft.primary = (name,)
        elif isinstance(inner, exp.UniqueColumnConstraint):
            draft.unique[(name,)] = None
        elif isinstance(inner, exp.Reference):
            references = _referred(inner)
    draft.columns[name] = Column(
        name=name,
        type=kind.sql(dialect="postgres").lower() if kind is not None else "",
        is_nullable=is_nullable,
        references=references,
        place=draft.place,
    )


def _referred(reference: exp.Expression) -> str:
    """`table.column`; the column is the parent's key where none is named."""
    table = reference.find(exp.Table)
    schema = reference.find(exp.Schema)
    columns = _columns(schema.expressions) if schema is not None else ()
    return f"{_name(table)}.{columns[0] if columns else 'id'}" if table is not None else ""


def _refer(draft: _Draft, key: exp.ForeignKey) -> None:
    """A foreign key of its own; of one over several columns the first is told, whose values decide the parent."""
    names, reference = _columns(key.expressions), key.args.get("reference")
    column = draft.columns.get(names[0]) if names else None
    if column is not None and reference is not None and not column.references:
        draft.columns[names[0]] = Column(
            name=column.name,
            type=column.type,
            is_nullable=column.is_nullable,
            references=_referred(reference),
            place=column.place,
        )


def _index(drafts: dict[str, _Draft], tree: exp.Create) -> None:
    table = tree.this.args.get("table")
    draft = drafts.get(_name(table)) if table is not None else None
    parameters = tree.this.args.get("params")
    if draft is None or parameters is None:
        return
    ordered = [item.this if isinstance(item, exp.Ordered) else item for item in parameters.args.get("columns") or ()]
    names = tuple(item.name.lower() for item in ordered if isinstance(item, exp.Column))
    is_unique, is_partial = bool(tree.args.get("unique")), bool(parameters.args.get("where"))
    if len(names) != len(ordered) or is_partial:
        # What is unique under a condition or as an expression is no key of columns; yet rows do exclude one another.
        draft.is_complete &= not is_unique
    if is_unique and not is_partial and len(names) == len(ordered):
        draft.unique[names] = None
    elif names and len(names) == len(ordered):
        draft.indexes[names] = None


def _alter(drafts: dict[str, _Draft], draft: _Draft, action: exp.Expression) -> None:
    if isinstance(action, exp.ColumnDef | exp.AddConstraint):
        _add(draft, action)
    elif isinstance(action, exp.Drop):
        for dropped in action.find_all(exp.Column):
            draft.columns.pop(dropped.name.lower(), None)
        if action.kind == "CONSTRAINT":
            # Which key it was is told by a name that the declaration may not have said.
            draft.is_complete = False
    elif isinstance(action, exp.RenameColumn):
        old, new = action.this.name.lower(), action.args["to"].name.lower()
        if old in draft.columns:
            draft.is_complete = False
            draft.columns[new] = Column(name=new, type=draft.columns.pop(old).type, place=draft.place)
    elif isinstance(action, exp.AlterRename):
        drafts[_name(action.this)] = drafts.pop(draft.name)
        draft.name = _name(action.this)


def _columns(items: Iterable[exp.Expression]) -> tuple[str, ...]:
    named = (item.this if isinstance(item, exp.Ordered) else item for item in items)
    return tuple(item.name.lower() for item in named if item.name)


def _name(table: exp.Expression) -> str:
    return table.name.lower()
