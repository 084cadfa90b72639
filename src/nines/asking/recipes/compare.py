"""What changed: two reports, where two are named."""

from __future__ import annotations

from nines.asking import parts
from nines.asking.answer import Answer, Basis, Claim, Step, Sureness
from nines.asking.entities import EntityKind
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.model.errors import NinesError


def answer(asked: Asked, material: Material) -> Answer:
    files = [entity.text for entity in asked.of(EntityKind.PATH) if entity.text.endswith(".json")]
    where = material.where or "PATH"
    steps = (
        Step(
            command=f"nines check {where} --format json --output before.json",
            why="before the change; the same with after.json afterwards",
            duration_s=300.0,
            is_heavy=True,
        ),
        Step(
            command="nines compare before.json after.json", why="says what is better, what is worse, and what differs"
        ),
    )
    headline = "Two reports are needed: one of before the change, one of after it."
    differences: tuple[str, ...] = ()
    sure, why = Sureness.LOW, "for fewer than two reports were named."
    if len(files) >= 2:
        try:
            headline, differences = material.compared(files[0], files[1])
            sure, why = Sureness.HIGH, "for both reports were measured or read by nines."
        except NinesError as error:
            headline, why = f"They cannot be compared: {error.what}", f"for {error.where or files[0]} cannot be used."
    return Answer(
        question=asked.text,
        intent="compare",
        understood="you ask what changed",
        headline=headline,
        sureness=sure,
        because=why,
        reasoning=(
            *(Claim(says=each, basis=Basis.MEASURED, source="compare") for each in differences),
            *(parts.measured(material.measurement())[:4] if len(files) < 2 else ()),
        ),
        steps=steps,
    )
