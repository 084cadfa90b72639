"""Frameworks whose classes call back into the project: what they do, told as code and linked like the project's own."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from nines.effects.link.names import ImportBinding
from nines.effects.link.program import Found, Linked
from nines.effects.link.telling import statements
from nines.model.code import Import, Module, Program

_FOLDER = Path(__file__).parent.parent / "signatures" / "frameworks"
_HEAD = "### "


class LinkedWithFrameworks(Linked):
    """A project together with the told frameworks that it imports; what they do not tell stays a library's."""

    def __init__(self, program: Program) -> None:
        tops = _imported_tops(program)
        own = {module.name for module in program.modules}
        told = [m for top in sorted(tops) for m in _told(top) if m.name not in own and top not in _tops_of(own)]
        self.told = {module.name for module in told}
        self._told_tops = {name.partition(".")[0] for name in self.told}
        super().__init__(Program(root=program.root, modules=(*program.modules, *told)))
        for name, methods in list(self.by_method.items()):
            kept = [method for method in methods if method.module.name not in self.told]
            self.by_method[name] = kept
            if not kept:
                del self.by_method[name]

    def is_project(self, name: str) -> bool:
        if name.partition(".")[0] in self._told_tops:
            return False
        return super().is_project(name)

    def imported(self, binding: ImportBinding, hops: int = 0) -> list[Found]:
        found = super().imported(binding, hops)
        if found or binding.module.partition(".")[0] not in self._told_tops:
            return found
        return [f"{binding.module}.{binding.name}" if binding.name else binding.module]


def _tops_of(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def _imported_tops(program: Program) -> set[str]:
    """The told frameworks that some module imports at its top level; rest_framework brings django along."""
    known = {path.stem for path in _FOLDER.glob("*.model")}
    found: set[str] = set()
    for module in program.modules:
        for statement in module.body:
            if isinstance(statement, Import) and not statement.level:
                found.add(statement.module.partition(".")[0])
    found &= known
    return found | ({"django"} if "rest_framework" in found else set())


@cache
def _told(top: str) -> tuple[Module, ...]:
    """The modules of one file: each starts with a line that names it."""
    modules: list[Module] = []
    text = (_FOLDER / f"{top}.model").read_text("utf-8")
    for part in text.split(f"\n{_HEAD}"):
        head, _, body = part.removeprefix(_HEAD).partition("\n")
        name, _, kind = head.partition(" ")
        modules.append(
            Module(
                name=name,
                file=f"<{name}>",
                is_package=kind == "package",
                body=statements(ast.parse(body).body),
                lines=body.count("\n"),
            )
        )
    return tuple(modules)
