"""Code that is newer than the interpreter is read all the same, line for line."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.readers.python.fstrings import with_older_fstrings
from nines.readers.python.newer import rewritten

CASES = [
    "type A = int",
    "type B[T] = list[T]",
    "def f[T: (int, str), *Ts, **P](x: T) -> T: pass",
    "async def f[T](x: T) -> T: pass",
    "class C[\n   T,  # why\n   U = int,\n](Base): pass",
    "try: pass\nexcept A, B: pass",
    "try: pass\nexcept* A, b.C: pass",
    'x = f"{a["b"]} {d[\'x\']!r:>{w["k"]}}"',
    "x = f\"{'\\n'.join(lines)}\"",
    'x = f"""{a["b"]} {f"{z["k"]}"}"""',
    'x = f"{\n   a["x"]  # why\n} end"',
    "x = f'{a['x']}' 'plain' \"it's\" rf\"\\d{x[\"y\"]}\"",
]


@pytest.mark.parametrize("source", CASES)
def test_newer_words_become_older_ones_on_the_same_lines(source: str) -> None:
    older = rewritten(source.encode())
    assert older is not None
    tree = ast.parse(older)
    assert older.count(b"\n") == source.count("\n")
    assert tree.body


def test_what_is_not_new_is_left_alone() -> None:
    source = textwrap.dedent(
        """\
        type = 3
        type(x)
        try: pass
        except (A, B) as e: pass
        except A: pass
        x = f"{a!r:>10} {{}} {x:%H:%M} {d['k']}" 'it"s' # f"{"
        y = {"a": f"{b}"}["a"]
        """
    )
    assert rewritten(source.encode()) is None


@given(st.text(alphabet="f{}'\"\\:!#\n [](),x", max_size=60))
@settings(max_examples=300, deadline=None)
def test_broken_strings_never_stop_the_rewriting(text: str) -> None:
    assert isinstance(with_older_fstrings(text), str)
    rewritten(text.encode())


@given(
    st.lists(
        st.sampled_from(["f'{a}'", "f\"{b['k']}\"", "'q\"'", 'rb"x"', "# c'\n", " + ", "\n", "f'''{c!r}'''"]),
        max_size=8,
    )
)
def test_older_f_strings_stay_as_they_are(pieces: list[str]) -> None:
    source = "".join(pieces)
    try:
        expected = ast.dump(ast.parse(source))
    except SyntaxError:
        return
    assert ast.dump(ast.parse(with_older_fstrings(source))) == expected
