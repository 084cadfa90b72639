"""`_generated/apart.py`: modules that run in processes of their own, where the blueprint says so."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.project.settings import has_sign_ins, nobody
from nines.building.resources import consuming, jobs, sagas
from nines.building.resources.code import Code
from nines.building.resources.facts import blueprint_of
from nines.model.design import Deployable, Design


def parts(design: Design) -> tuple[Deployable, ...]:
    """The modules that are rolled out apart; none where the service is one."""
    return tuple(each for each in design.running.deployables if each.module)


def write(design: Design) -> Iterator[File]:
    if parts(design):
        yield File(path=names.source(design, "_generated/apart.py"), text=_text(design))


def _text(design: Design) -> str:
    code = Code(design)
    code.runtime("Operations", "Queue", "Schedule")
    code.generated("service", "Service")
    code.imports.add("collections.abc", "Iterable", "Mapping")
    code.imports.add("typing", "TypeVar")
    code.line()
    has_consumers = bool(consuming.taking(design))
    if has_consumers:
        code.runtime("Consumer")
    code.line(f'Job = TypeVar("Job", Queue, Schedule{", Consumer" if has_consumers else ""})')
    served = [(each.module, python.flat(_served(code, each))) for each in parts(design)]
    code.put(python.mapping(served), before="OPERATIONS: Mapping[str, Operations[Service]] = ")
    code.line('"""What each part answers."""')
    done = [(each.module, python.flat(_names(found))) for each in parts(design) if (found := _jobs(design, each))]
    code.put(python.mapping(done), before="JOBS: Mapping[str, frozenset[str]] = ")
    code.line('"""Work that is done by one part; what stands in none is shared by all."""')
    absent = [
        (each.module, python.flat(python.mapping(pairs))) for each in parts(design) if (pairs := _absent(each, design))
    ]
    code.put(python.mapping(absent), before="ABSENT: Mapping[str, Mapping[str, str]] = ")
    code.line('"""What a part is not told, because it never asks them: nobody listens there."""')
    code.gap()
    with code.block("def here(module: str, jobs: Iterable[Job]) -> tuple[Job, ...]:"):
        code.doc("Those of the module, and those of nobody; all of them where everything runs together")
        code.line("elsewhere = {name for part, work in JOBS.items() if part != module for name in work}")
        code.line("return tuple(each for each in jobs if not module or each.name not in elsewhere)")
    return code.text(f"Parts that run apart: python -m {code.package} --module {parts(design)[0].module} serves one.")


def _served(code: Code, part: Deployable) -> python.Group:
    design = code.design
    mine = {names.module(design, each): None for each in design.endpoints if each.id in part.operations}
    modules = (*mine, *((names.SIGNING,) if has_sign_ins(design) and names.SIGNING not in mine else ()))
    for each in modules:
        code.generated(each)
    return python.call("Operations", *(f"{each}.operations" for each in modules))


def _jobs(design: Design, part: Deployable) -> tuple[str, ...]:
    blueprint = blueprint_of(design)
    module = next(each for each in blueprint.modules if each.name == part.module)
    found = [each.name for each in design.jobs if each.resource in module.resources]
    if any(each.on in module.resources for each in sagas.spanning(design)):
        found.append(jobs.SAGAS)
    return tuple(found)


def _names(found: tuple[str, ...]) -> python.Group:
    return python.call("frozenset", python.flat(python.row(*map(python.quoted, found))))


def _absent(part: Deployable, design: Design) -> list[tuple[str, str]]:
    lacking = [each for each in design.dependencies if each.name not in part.dependencies]
    return [(name, python.quoted(value)) for each in lacking for name, value in nobody(each)]
