"""Every construct becomes the fact that it is, and nothing that parses makes lowering fail."""

from __future__ import annotations

import ast
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.model.code import (
    Argument,
    Assign,
    Attribute,
    Boolean,
    Call,
    Class,
    Compare,
    Constant,
    Evaluate,
    Expression,
    Function,
    Import,
    ImportedName,
    Match,
    Name,
    Opaque,
    Sequence,
    Statement,
    Subscript,
    Template,
    Try,
    unpack,
)
from nines.readers.python.facts import Facts, decode, encode, facts_of, quiet
from tests.readers.python.sources import MODULES


def _body(source: str) -> tuple[Statement, ...]:
    with quiet():
        facts = facts_of(source.encode())
    assert not facts.reason, facts.reason
    return facts.body


def _expression(source: str) -> Expression:
    (statement,) = _body(f"_ = {source}")
    assert isinstance(statement, Assign)
    assert statement.value is not None
    return statement.value


@given(MODULES)
@settings(max_examples=150, deadline=None)
def test_whatever_parses_is_lowered_and_survives_encoding(source: str) -> None:
    with quiet():
        facts = facts_of(source.encode())
        try:
            ast.parse(source)
        except SyntaxError:
            return
    assert not facts.reason
    assert decode(encode(facts)) == facts


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode(errors="replace"))))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_reading_fail(source: bytes) -> None:
    with quiet():
        facts = facts_of(source)
    assert isinstance(facts, Facts)
    assert decode(encode(facts)) == facts


def test_the_standard_library_is_read_without_a_gap() -> None:
    library = Path(sysconfig.get_path("stdlib"))
    files = [*sorted(library.glob("asyncio/*.py")), *sorted(library.glob("[a-d]*.py"))]
    assert len(files) > 30
    with quiet():
        gaps = {file.name: facts.reason for file in files if (facts := facts_of(file.read_bytes())).reason}
    assert gaps == {}


def test_a_call_knows_where_it_stands() -> None:
    call = _expression("client.get(\n    url, timeout=5, **more)")
    assert call == Call(
        Attribute(Name("client", 1, 5), "get", 1, 5),
        (Name("url", 2, 5),),
        (Argument("timeout", Constant(5)), Argument("", Name("more", 2, 23))),
        1,
        5,
        2,
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("-1", Constant(-1)),
        (f"{2**64 - 1}", Constant(2**64 - 1)),
        (f"{2**64}", Opaque(hex(2**64))),
        ("...", Opaque("...")),
        ("b'x'", Opaque("b'x'")),
        ("2j", Opaque("2j")),
        ("'\\ud800'", Opaque("\\ud800")),
        ("True", Constant(True)),
    ],
)
def test_literals(source: str, expected: Expression) -> None:
    assert _expression(source) == expected


def test_a_chain_of_comparisons_becomes_pairs() -> None:
    chain = _expression("0 < x <= 9")
    x = Name("x", 1, 9)
    assert chain == Boolean("and", (Compare(Constant(0), "<", x), Compare(x, "<=", Constant(9))))


def test_an_f_string_keeps_its_parts_in_order() -> None:
    assert _expression("f'a{b}c{d:{e}}'") == Template(
        (Constant("a"), Name("b", 1, 9), Constant("c"), Name("d", 1, 13), Name("e", 1, 16))
    )


def test_thousands_of_terms_do_not_exhaust_the_stack() -> None:
    with quiet():
        facts = facts_of(b"x = " + b" + ".join(b"f(%d)" % number for number in range(900)))
    assert not facts.reason
    assert decode(encode(facts)) == facts


def test_nesting_without_end_is_reported_and_not_survived_by_luck() -> None:
    with quiet():
        facts = facts_of(b"x = " + b"-" * 50_000 + b"y")
    assert "nested too deeply" in facts.reason


def test_types_in_quotes_are_read_as_types_but_literals_are_not() -> None:
    (statement,) = _body("x: 'Mapped[list[\"Item\"]]'")
    assert isinstance(statement, Assign)
    item = Subscript(Name("list", 1, 4), Name("Item", 1, 4), 1, 4)
    assert statement.annotation == Subscript(Name("Mapped", 1, 4), item, 1, 4)
    (statement,) = _body("x: Literal['a', 'b']")
    assert isinstance(statement, Assign)
    assert isinstance(statement.annotation, Subscript)
    assert statement.annotation.key == Sequence("tuple", (Constant("a"), Constant("b")))


def test_a_function_is_packed_and_says_what_it_is() -> None:
    (function,) = _body(
        "@d\nasync def f(a, /, b: int = 1, *c, e, **g) -> str:\n    '''Does.\n\n    More.'''\n    yield a\n"
    )
    assert isinstance(function, Function)
    assert (function.name, function.is_async, function.is_generator, function.summary) == ("f", True, True, "Does.")
    assert [(p.name, p.kind) for p in function.parameters] == [
        ("a", "positional"),
        ("b", "any"),
        ("c", "star"),
        ("e", "keyword"),
        ("g", "double_star"),
    ]
    (statement,) = unpack(function)
    assert isinstance(statement, Evaluate)


def test_a_yield_belongs_to_the_innermost_function_only() -> None:
    (outer,) = _body("def f():\n    g = lambda: (yield)\n    def h():\n        yield 1\n    return h\n")
    assert isinstance(outer, Function)
    assert not outer.is_generator


def test_imports_are_split_and_their_names_bound() -> None:
    assert _body("import a.b, c as d\nfrom ..e import f as g") == (
        Import("a.b", 0, (ImportedName("", "a"),), 1),
        Import("c", 0, (ImportedName("", "d"),), 1),
        Import("e", 2, (ImportedName("f", "g"),), 2),
    )


def test_a_match_says_what_it_compares_with_and_what_it_binds() -> None:
    (match,) = _body("match x:\n    case {'k': [1, y], **rest} if y: pass\n    case C(a=None) | 'z' as w: pass\n")
    assert isinstance(match, Match)
    first, second = match.arms
    assert first.tests == (Constant("k"), Constant(1))
    assert first.binds == ("y", "rest")
    assert first.guard == Name("y", 2, 35)
    assert second.tests == (Name("C", 3, 10), Constant(None), Constant("z"))
    assert second.binds == ("w",)


def test_an_exception_group_is_a_try_like_any_other() -> None:
    (attempt,) = _body("try:\n    a()\nexcept* (A, B) as e:\n    pass\n")
    assert isinstance(attempt, Try)
    assert attempt.handlers[0].errors == (Name("A", 3, 10), Name("B", 3, 13))


def test_class_bodies_stay_open_for_linking() -> None:
    (found,) = _body("class A(B, metaclass=M):\n    '''What it is.'''\n    x: int = 1\n    def f(self): pass\n")
    assert isinstance(found, Class)
    assert found.summary == "What it is."
    assert [type(statement).__name__ for statement in found.body] == ["Assign", "Function"]


@pytest.mark.parametrize(
    ("source", "reason", "line"),
    [
        (b"x = (\n", "was never closed", 1),
        (b"x = 1\ny = '\xff'\n", "utf-8", 0),
        (b"x = 1\0\n", "null byte", 0),
        (b"# coding: klingon\nx = 1\n", "klingon", 0),
        (b"print 'x'\n", "print", 1),
    ],
)
def test_what_cannot_be_read_says_why(source: bytes, reason: str, line: int) -> None:
    with quiet():
        facts = facts_of(source)
    assert reason in facts.reason
    assert facts.reason_line >= line
    assert facts.body == ()


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbfx = '\xc3\xa9'\n",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'\n",
        b"# coding: cp1252\r\nx = '\xe9'\r\n",
    ],
)
def test_declared_encodings_are_honoured(source: bytes) -> None:
    with quiet():
        facts = facts_of(source)
    (statement,) = facts.body
    assert isinstance(statement, Assign)
    assert statement.value == Constant("é")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the running interpreter must know the grammar")
def test_type_aliases_are_assignments() -> None:
    (statement,) = _body("type A[T] = list[T]")
    assert isinstance(statement, Assign)
