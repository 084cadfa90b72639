"""The owner's `operations/postings.py`: what each operation moves in the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources.code import Code
from nines.building.resources.facts import Thing, blueprint_of, thing_of
from nines.model.blueprint import FieldKind, Operation
from nines.model.design import Design

_BACK = ("refund", "return", "revers", "chargeback", "credit", "void", "cancel")


def write(design: Design) -> Iterator[File]:
    found = [each for each in blueprint_of(design).operations if each.posts]
    if not found:
        return
    code = Code(design)
    code.runtime("Entry")
    for operation in found:
        thing = thing_of(design, operation.on)
        if thing is not None:
            code.gap()
            _posting(code, operation, thing)
    says = "Yours: what each operation moves in the ledger. An entry moves one amount, so that all of them sum to zero."
    yield File(path=names.source(design, "operations/postings.py"), text=code.text(says), is_owned=True)


def _posting(code: Code, operation: Operation, thing: Thing) -> None:
    endpoint = code.design.endpoint(operation.name)
    body = f", body: {code.shape(endpoint.request)}" if endpoint and endpoint.request and operation.takes else ""
    amount, currency = _money(thing)
    taken = next((names.snake(f.name) for f in operation.takes if f.kind in (FieldKind.INT32, FieldKind.INT64)), "")
    is_back = any(word in operation.name.lower() for word in _BACK)
    name = names.snake(operation.name)
    head = f"def {name}({thing.noun}: {code.shape(thing.kept)}{body}) -> tuple[Entry, ...]:"
    with code.block(head):
        if not amount:
            code.doc(f"What {operation.name} moves: nothing yet, for no amount is known")
            code.line("return ()")
            return
        debit, credit = ("payable", "clearing") if is_back else ("clearing", "payable")
        code.doc(f"From {credit}, what is owed, to {debit}" if not is_back else f"Back from {credit} to {debit}")
        value = f"body.{taken}" if body and taken else f"{thing.noun}.{amount}"
        entry = python.call(
            "Entry", f"debit={python.quoted(debit)}", f"credit={python.quoted(credit)}",
            f"amount_minor={value}", f"currency={thing.noun}.{currency}",
        )  # fmt: skip
        code.put(python.row(entry), before="return ")


def _money(thing: Thing) -> tuple[str, str]:
    """The columns of the first amount with a currency."""
    for field in thing.resource.fields:
        columns = thing.columns_of(field)
        amounts = [
            c.name for c in columns if (part := thing.part_of(c)) and part.kind in (FieldKind.INT64, FieldKind.INT32)
        ]
        currencies = [c.name for c in columns if (part := thing.part_of(c)) and part.kind is FieldKind.CURRENCY]
        if field.kind is FieldKind.VALUE and not field.is_list and amounts and currencies:
            return amounts[0], currencies[0]
    return "", ""
