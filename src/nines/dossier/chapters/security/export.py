"""Elements, threats, answers and secrets for tools, in the words of the page."""

from __future__ import annotations

import json

from nines.model.design import Design


def text(design: Design) -> str:
    document = {
        "service": design.name,
        "elements": [
            {"id": e.id, "kind": e.kind.value, "zone": e.zone, "source": e.source, "target": e.target, "says": e.says}
            for e in design.elements
        ],
        "threats": [
            {
                "id": each.id,
                "element": each.element,
                "stride": each.stride.value,
                "says": each.says,
                "mitigation": each.mitigation,
                "implemented_in": each.implemented_in,
                "tried_by": list(each.trials),
                "owasp": each.owasp,
                "is_open": each.is_open,
                "options": [{"name": o.name, "gains": o.gains, "costs": o.costs} for o in each.options],
            }
            for each in design.threats
        ],
        "owasp": [
            {"code": a.code, "title": a.title, "applies": a.applies, "says": a.says, "threats": list(a.threats)}
            for a in design.answers
        ],
        "secrets": [
            {"name": s.name, "opens": s.says, "held_in": s.held_in, "rotation": s.rotation} for s in design.secrets
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
