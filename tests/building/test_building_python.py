"""Python as text: what is laid out here is what `ruff format` makes of it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.building import names, python

_WORDS = st.sampled_from(
    ["payment", "call.deadline", 'row["id"]', "sql.INSERT_PAYMENT", "x", "a_rather_long_name_of_it"]
)
_PARTS = st.recursive(
    _WORDS,
    lambda inner: st.builds(
        lambda head, parts: python.call(head, *parts),
        st.sampled_from(["f", "service.database.fetchrow", "Answer.of"]),
        st.lists(inner, min_size=1, max_size=5),
    ),
    max_leaves=14,
)


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


@settings(max_examples=25, deadline=None)
@given(_PARTS, st.integers(0, 3))
def test_calls_of_any_depth_are_laid_out(part: python.Part, depth: int) -> None:
    lines = [f"{python.INDENT * level}if x:" for level in range(depth)]
    text = "\n".join([*lines, *python.laid(part, before="found = ", depth=depth)]) + "\n"
    assert _formatted(text) == text


def test_one_thing_in_a_tuple_keeps_its_comma() -> None:
    assert python.flat(python.row("a")) == "(a,)"
    assert python.flat(python.named("roles", python.row('"a"'))) == 'roles=("a",)'
    assert python.flat(python.call("f", "a")) == "f(a)"


@given(st.text(max_size=80))
def test_a_quoted_text_is_the_text(text: str) -> None:
    printable = "".join(letter for letter in text if letter.isprintable() or letter in "\n\t\r")
    assert eval(python.quoted(printable)) == printable


@given(st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1, max_size=400))
def test_a_docstring_says_the_words_and_fits(text: str) -> None:
    lines = python.docstring(text, depth=1)
    longest = max((len(word) for word in text.split()), default=0)
    assert all(len(line) <= max(python.WIDTH, longest + 16) for line in lines)
    compile("def f():\n" + "\n".join(lines) + "\n", "x", "exec")


def test_imports_stand_in_the_order_of_their_kinds() -> None:
    imports = python.Imports("payments")
    imports.add("payments._generated", "sql")
    imports.add("payments._generated.shapes", "Problem as ProblemShape", "Payment")
    imports.add("nines_runtime", "new_id", "Answer")
    imports.add("uuid", "UUID")
    imports.add("msgspec")
    imports.add("typing", "Any")
    imports.prune("new_id Answer sql Payment ProblemShape UUID msgspec")
    assert imports.lines() == [
        "from __future__ import annotations",
        "",
        "from uuid import UUID",
        "",
        "import msgspec",
        "from nines_runtime import Answer, new_id",
        "",
        "from payments._generated import sql",
        "from payments._generated.shapes import Payment",
        "from payments._generated.shapes import Problem as ProblemShape",
    ]


@pytest.mark.parametrize(
    ("name", "snake", "pascal", "constant", "kebab"),
    [
        ("createPayment", "create_payment", "CreatePayment", "CREATE_PAYMENT", "create-payment"),
        (
            "list-payments-by-owner",
            "list_payments_by_owner",
            "ListPaymentsByOwner",
            "LIST_PAYMENTS_BY_OWNER",
            "list-payments-by-owner",
        ),
        ("class", "class_", "Class", "CLASS", "class"),
        ("payment.captured", "payment_captured", "PaymentCaptured", "PAYMENT_CAPTURED", "payment-captured"),
        ("HTTPCall", "http_call", "HttpCall", "HTTP_CALL", "http-call"),
    ],
)
def test_names_in_every_case(name: str, snake: str, pascal: str, constant: str, kebab: str) -> None:
    assert (names.snake(name), names.pascal(name)) == (snake, pascal)
    assert (names.constant(name), names.kebab(name)) == (constant, kebab)


def test_a_choice_whose_second_half_is_a_long_choice_is_laid_out_as_the_formatter_would() -> None:
    inner = f"None if body.note is None else service.cipher.encrypt(body.note, {'x' * 70!r}, row_id)"
    text = f'before["note"] if body.note is UNSET else ({inner})'.replace("'", '"')
    written = "\n".join(python.laid(python.call("found = f", text, '"second"'))) + "\n"
    assert _formatted(written) == written
