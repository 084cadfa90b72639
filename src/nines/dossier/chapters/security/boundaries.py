"""The data-flow diagram of the threats, with the zones of trust."""

from __future__ import annotations

from nines.dossier.diagrams import Edge, Graph, Node, NodeKind, Zone
from nines.model.design import Design, Element, ElementKind

_ZONES = ("internet", "edge", "service", "data", "third party")
_KINDS = {
    ElementKind.PERSON: NodeKind.PERSON,
    ElementKind.PROCESS: NodeKind.PROCESS,
    ElementKind.STORE: NodeKind.STORE,
    ElementKind.EXTERNAL: NodeKind.EXTERNAL,
}


def diagram(design: Design) -> Graph:
    """Every element but the flows is a node; flows are the edges."""
    nodes = tuple(
        Node(id=each.id, title=short(each), kind=_KINDS[each.kind], zone=each.zone)
        for each in design.elements
        if not each.is_flow
    )
    used = {node.zone for node in nodes}
    edges = tuple(Edge(source=each.source, target=each.target) for each in design.elements if each.is_flow)
    return Graph(
        title=f"Trust boundaries of {design.name}",
        says="Each frame is a zone of trust; every arrow that leaves a frame crosses a boundary.",
        nodes=nodes,
        edges=edges,
        zones=tuple(Zone(id=zone, title=zone) for zone in _ZONES if zone in used),
    )


def short(element: Element) -> str:
    """Its name without its kind."""
    return element.id.partition(":")[2]
