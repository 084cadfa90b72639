"""The small part of Python in which frameworks are told, as code nodes."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nines.model import code


def statements(body: Iterable[ast.stmt]) -> tuple[code.Statement, ...]:
    """Statements of a told module; raises ValueError for what is not part of the small language."""
    return tuple(_statement(node) for node in body if not isinstance(node, ast.Pass))


def _statement(node: ast.stmt) -> code.Statement:
    line = node.lineno
    if isinstance(node, ast.Expr):
        return code.Evaluate(value=_expression(node.value), line=line)
    if isinstance(node, ast.Assign):
        return code.Assign(targets=tuple(map(_expression, node.targets)), value=_expression(node.value), line=line)
    if isinstance(node, ast.Return):
        return code.Return(value=_expression(node.value) if node.value else None, line=line)
    if isinstance(node, ast.Raise):
        return code.Raise(error=_expression(node.exc) if node.exc else None, line=line)
    if isinstance(node, ast.If):
        return code.If(
            test=_expression(node.test), then=statements(node.body), otherwise=statements(node.orelse), line=line
        )
    if isinstance(node, ast.ImportFrom):
        names = tuple(code.ImportedName(name=n.name, alias=n.asname or "") for n in node.names)
        return code.Import(module=node.module or "", level=0, names=names, line=line)
    if isinstance(node, ast.FunctionDef):
        return _function(node)
    if isinstance(node, ast.ClassDef):
        return code.Class(
            name=node.name, bases=tuple(map(_expression, node.bases)), keywords=(), decorators=(),
            body=statements(node.body), line=line, end_line=node.end_lineno or line,
        )  # fmt: skip
    raise ValueError(f"a told framework uses {type(node).__name__}")


def _function(node: ast.FunctionDef) -> code.Function:
    return code.Function(
        name=node.name,
        parameters=_parameters(node.args),
        returns=None,
        decorators=tuple(map(_expression, node.decorator_list)),
        body=code.pack(statements(node.body)),
        line=node.lineno,
        end_line=node.end_lineno or node.lineno,
    )


def _parameters(arguments: ast.arguments) -> tuple[code.Parameter, ...]:
    found: list[code.Parameter] = []
    first = len(arguments.args) - len(arguments.defaults)
    for index, argument in enumerate(arguments.args):
        default = _expression(arguments.defaults[index - first]) if index >= first else None
        found.append(code.Parameter(name=argument.arg, default=default))
    if arguments.vararg:
        found.append(code.Parameter(name=arguments.vararg.arg, kind="star"))
    if arguments.kwarg:
        found.append(code.Parameter(name=arguments.kwarg.arg, kind="double_star"))
    return tuple(found)


def _expression(node: ast.expr) -> code.Expression:
    if isinstance(node, ast.Name):
        return code.Name(id=node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
        return code.Constant(value=node.value)
    if isinstance(node, ast.Attribute):
        return code.Attribute(value=_expression(node.value), name=node.attr, line=node.lineno)
    if isinstance(node, ast.Call):
        keywords = tuple(code.Argument(name=k.arg or "", value=_expression(k.value)) for k in node.keywords)
        return code.Call(
            function=_expression(node.func), arguments=tuple(map(_expression, node.args)), keywords=keywords,
            line=node.lineno,
        )  # fmt: skip
    if isinstance(node, ast.Starred):
        return code.Spread(value=_expression(node.value))
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return code.Mapping(
            pairs=tuple(code.Pair(key=_expression(k) if k else None, value=_expression(v)) for k, v in pairs)
        )
    if isinstance(node, ast.ListComp):
        each = node.generators[0]
        generator = code.Generator(target=_expression(each.target), iterable=_expression(each.iter))
        return code.Comprehension(
            kind="list", key=None, element=_expression(node.elt), generators=(generator,), line=node.lineno
        )
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return code.Unary(operator="not", value=_expression(node.operand))
    raise ValueError(f"a told framework uses {type(node).__name__}")
