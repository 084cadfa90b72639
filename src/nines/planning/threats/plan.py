"""The part of the plan that tells what people may try to do, and what stands in their way."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.design import Design, Element, ElementKind, Threat
from nines.planning.threats import crossings, elements, externals, found, gate, people, processes, stores
from nines.planning.threats.drafting import numbered
from nines.planning.threats.owasp import answers
from nines.planning.threats.secrets import secrets


def threats(design: Design) -> Design:
    """The design with its data-flow diagram, the threats to each element, the ten answers, and its secrets."""
    design = replace(design, elements=elements.elements(design))
    unnumbered = (each for element in design.elements for each in _of(design, element))
    planned = tuple(replace(each, id=id) for id, each in numbered(unnumbered))
    return replace(design, threats=planned, answers=answers(design, planned), secrets=secrets(design))


def _of(design: Design, element: Element) -> Iterator[Threat]:
    if design.is_recovered:
        yield from found.of_element(design, element)
        return
    dependency = design.dependency(element.id.partition(":")[2])
    match element.kind:
        case ElementKind.PERSON:
            yield from people.of_person(design, element)
        case ElementKind.PROCESS if element.id == elements.GATE:
            yield from gate.of_gate(design, element)
        case ElementKind.PROCESS if element.id == elements.JOBS:
            yield from gate.of_jobs(design, element)
        case ElementKind.PROCESS:
            part = next(each for each in elements.parts(design) if each.id == element.id)
            yield from processes.of_part(design, element, part)
        case ElementKind.STORE:
            yield from stores.of_store(design, element, dependency)
        case ElementKind.EXTERNAL:
            yield from externals.of_external(design, element, dependency)
        case ElementKind.FLOW:
            yield from crossings.of_flow(design, element)
