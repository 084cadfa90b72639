"""Types that are written as text: `user: "User"`, `Mapped[list["Item"]]`."""

from __future__ import annotations

import ast

TYPE_TEXT_MAX = 300
"""Characters of a quoted type that are worth parsing."""
_VERBATIM = frozenset({"Literal"})
_FIRST_ONLY = frozenset({"Annotated"})


def annotation_of(node: ast.expr) -> ast.expr:
    """The annotation with its quoted parts parsed; what is no type stays as it is."""
    kind = type(node)
    if kind is ast.Name or kind is ast.Attribute:
        return node
    if isinstance(node, ast.Constant):
        return _parsed(node) if isinstance(node.value, str) else node
    if isinstance(node, ast.Subscript):
        return ast.copy_location(ast.Subscript(node.value, _key(node), node.ctx), node)
    if isinstance(node, ast.BinOp):
        return ast.copy_location(ast.BinOp(annotation_of(node.left), node.op, annotation_of(node.right)), node)
    if isinstance(node, ast.List):
        return ast.copy_location(ast.List([annotation_of(item) for item in node.elts], node.ctx), node)
    return node


def _key(node: ast.Subscript) -> ast.expr:
    outer = node.value
    name = outer.attr if isinstance(outer, ast.Attribute) else outer.id if isinstance(outer, ast.Name) else ""
    key = node.slice
    if name in _VERBATIM:
        return key
    if not isinstance(key, ast.Tuple):
        return annotation_of(key)
    if name in _FIRST_ONLY:
        items = [annotation_of(item) if index == 0 else item for index, item in enumerate(key.elts)]
    else:
        items = [annotation_of(item) for item in key.elts]
    return ast.copy_location(ast.Tuple(items, key.ctx), key)


def _parsed(node: ast.Constant) -> ast.expr:
    text = node.value
    if not isinstance(text, str) or len(text) > TYPE_TEXT_MAX:
        return node
    try:
        found = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return node
    for part in ast.walk(found):
        if isinstance(part, ast.expr):
            ast.copy_location(part, node)
    return annotation_of(found)
