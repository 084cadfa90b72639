"""Python as text: laid out as `ruff format` would, so that nothing has to be formatted when a service is built."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from nines.model.record import Record

WIDTH = 120
_WORD = re.compile(r"[A-Za-z_]\w*")
_CHOICE = re.compile(r"(.+?) if (.+?) else (.+)")
INDENT = "    "


class Group(Record):
    """Something in brackets that may be spread over several lines: a call, a tuple, the parameters of a function."""

    head: str
    """Everything before the bracket: "await tx.fetchrow"; empty for a tuple."""
    parts: tuple[Part, ...]
    brackets: str = "()"
    tail: str = ""
    """Everything behind the bracket: ".hex"."""


Part: TypeAlias = "str | Group"


def call(head: str, *parts: Part) -> Group:
    return Group(head=head, parts=parts)


def row(*parts: Part) -> Group:
    """A tuple."""
    return Group(head="", parts=parts)


def mapping(pairs: Iterable[tuple[str, str]]) -> Group:
    """A dictionary of string keys."""
    return Group(head="", parts=tuple(f"{quoted(key)}: {value}" for key, value in pairs), brackets="{}")


def flat(part: Part) -> str:
    """On one line."""
    if isinstance(part, str):
        return part
    inner = ", ".join(flat(each) for each in part.parts)
    is_single = (not part.head or part.head.endswith("=")) and part.brackets == "()" and len(part.parts) == 1
    return f"{part.head}{part.brackets[0]}{inner}{',' if is_single else ''}{part.brackets[1]}{part.tail}"


def laid(part: Part, *, before: str = "", after: str = "", depth: int = 0) -> list[str]:
    """The lines of `before part after`, spread out only where one line does not hold it."""
    indent = INDENT * depth
    line = f"{indent}{before}{flat(part)}{after}"
    if len(line) <= WIDTH or isinstance(part, str) or not part.parts:
        return [line]
    lines = [f"{indent}{before}{part.head}{part.brackets[0]}"]
    for each in part.parts:
        lines += laid(each, after=",", depth=depth + 1) if isinstance(each, Group) else _argument(each, depth + 1)
    return [*lines, f"{indent}{part.brackets[1]}{part.tail}{after}"]


def _argument(text: str, depth: int) -> list[str]:
    """A line of its own; a choice that is too long for it takes three."""
    indent = INDENT * depth
    found = _CHOICE.fullmatch(text) if len(indent) + len(text) + 1 > WIDTH else None
    if found is None:
        return [f"{indent}{text},"]
    return [f"{indent}{found[1]}", f"{indent}if {found[2]}", *_alternative(found[3], depth)]


def _alternative(text: str, depth: int) -> list[str]:
    """The last line of a choice; what stands in its brackets is spread out where it is too long itself."""
    indent = INDENT * depth
    line = f"{indent}else {text},"
    head, bracket, inner = text.partition("(")
    if len(line) <= WIDTH or not bracket or not text.endswith(")"):
        return [line]
    inside = _argument(inner[:-1], depth + 1)
    return [f"{indent}else {head}(", *inside[:-1], inside[-1].removesuffix(","), f"{indent}),"]


def assigned(name: str, text: str, *, depth: int) -> list[str]:
    """A choice for a name; in brackets where one line does not hold it."""
    indent = INDENT * depth
    if len(indent) + len(name) + len(text) + 3 <= WIDTH:
        return [f"{indent}{name} = {text}"]
    inner = _argument(text, depth + 1)
    return [f"{indent}{name} = (", *inner[:-1], inner[-1].removesuffix(","), f"{indent})"]


def named(name: str, value: Part) -> Part:
    """A keyword argument."""
    if isinstance(value, str):
        return f"{name}={value}"
    return Group(head=f"{name}={value.head}", parts=value.parts, brackets=value.brackets, tail=value.tail)


def docstring(text: str, *, depth: int = 0) -> list[str]:
    """One line where it fits; else filled, with the closing quotes behind the last word."""
    indent = INDENT * depth
    said = " ".join(text.replace("\\", "\\\\").replace('"""', "'''").split())
    said = f"{said} " if said.endswith('"') else said
    line = f'{indent}"""{said}"""'
    if len(line) <= WIDTH:
        return [line]
    filled = textwrap.wrap(f'"""{said}"""', WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
    return [f"{indent}{each}" for each in filled]


def comment(text: str, *, depth: int = 0) -> list[str]:
    indent = INDENT * depth
    filled = textwrap.wrap(
        " ".join(text.split()), WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False
    )
    return [f"{indent}# {each}" for each in filled]


def quoted(text: str) -> str:
    """A string literal in double quotes, or in single ones where that saves escapes."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    if escaped.count('"') > escaped.count("'"):
        return "'" + escaped.replace("'", "\\'") + "'"
    return '"' + escaped.replace('"', '\\"') + '"'


class Imports:
    """Collects what a module imports and writes it in the order of isort."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._names: dict[str, set[str]] = {}
        self._modules: set[str] = set()

    def add(self, module: str, *names: str) -> None:
        """`from module import names`; without names `import module`."""
        if names:
            self._names.setdefault(module, set()).update(names)
        else:
            self._modules.add(module)

    def prune(self, body: str) -> None:
        """Forgets what the body does not use."""
        words = set(_WORD.findall(body))
        for module, imported in self._names.items():
            self._names[module] = {name for name in imported if name.rpartition(" as ")[2] in words}
        self._names = {module: imported for module, imported in self._names.items() if imported}
        self._modules = {module for module in self._modules if module.partition(".")[0] in words}

    def lines(self) -> list[str]:
        """With a blank line between the standard library, what others wrote, and the service itself."""
        lines = ["from __future__ import annotations"]
        for section in range(3):
            plain = sorted(module for module in self._modules if self._section(module) == section)
            named = sorted(module for module in self._names if self._section(module) == section)
            block = [f"import {module}" for module in plain]
            for module in named:
                block += _imported(module, self._names[module])
            if block:
                lines += ["", *block]
        return lines

    def _section(self, module: str) -> int:
        top = module.partition(".")[0]
        if top == self._package:
            return 2
        return 0 if top in _STANDARD else 1


_STANDARD = frozenset(
    {
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "decimal",
        "functools",
        "logging",
        "pathlib",
        "typing",
        "uuid",
    }
)
"""Of the standard library, what generated code imports."""


def _imported(module: str, names: set[str]) -> list[str]:
    """What gets another name stands on a line of its own."""
    groups = [{name for name in names if " as " not in name}, *({name} for name in names if " as " in name)]
    ordered = sorted((group for group in groups if group), key=lambda group: min(map(_order, group)))
    return [line for group in ordered for line in _from(module, group)]


def _from(module: str, names: set[str]) -> list[str]:
    ordered = sorted(names, key=_order)
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"{INDENT}{name}," for name in ordered), ")"]


def _order(name: str) -> tuple[int, str, str]:
    """Constants, then classes, then the rest, as isort has it."""
    plain = name.partition(" as ")[0]
    if plain.isupper() and len(plain) > 1:
        return 0, plain.lower(), plain
    return (1 if plain[:1].isupper() else 2), plain.lower(), plain


def module(says: str, imports: Imports, body: Sequence[str]) -> str:
    """A whole file; `body` begins with what follows the imports."""
    lines = list(body)
    while lines and not lines[0]:
        lines.pop(0)
    imports.prune("\n".join(lines))
    is_definition = bool(lines) and lines[0].startswith(("class ", "def ", "async def ", "@"))
    head = [*docstring(says), "", *imports.lines(), *([""] * (2 if is_definition else 1) if lines else [])]
    return "\n".join([*head, *lines]).rstrip("\n") + "\n"
