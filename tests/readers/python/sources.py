"""Python sources made up by hypothesis, from pieces that are each valid."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "self", "session", "été", "_"])
LITERALS = st.sampled_from(
    ["0", "-1", "10 ** 30", f"{2**70}", "1.5", "1e999", "2j", "True", "None", "...", "b'\\xff'", "'\\ud800'", "'x' 'y'"]
)


def _binary(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["+", "-", "*", "@", "/", "%", "**", "<<", "|", "^", "&", "//", "and", "or", "<", "in", "is not"]
    )
    return st.builds("({} {} {})".format, children, operators, children)


def _extend(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        _binary(children),
        st.builds("({} < {} <= {})".format, children, children, children),
        st.builds("{}.{}".format, NAMES, NAMES),
        st.builds("{}({}, *{}, k={}, **{})".format, NAMES, children, children, children, children),
        st.builds("{}[{}:{}, {}]".format, NAMES, children, children, children),
        st.builds("[{}, *{}]".format, children, children),
        st.builds("{{{}: {}, **{}}}".format, children, children, NAMES),
        st.builds("{{{}, {}}}".format, children, children),
        st.builds("({} if {} else {})".format, children, children, children),
        st.builds("(lambda x, /, y={}, *z, k, **w: {})".format, children, children),
        st.builds("[{} for {} in {} if {}]".format, children, NAMES, children, children),
        st.builds("{{{}: {} for {} in b}}".format, children, children, NAMES),
        st.builds("(not {})".format, children),
        st.builds("(w := {})".format, children),
        st.builds("f'{{{}!r:>{{{}}}}} text {{{}}}'".format, NAMES, NAMES, NAMES),
    )


EXPRESSIONS = st.recursive(st.one_of(NAMES, LITERALS), _extend, max_leaves=8)


def _indented(body: str) -> str:
    return "\n".join("    " + line for line in body.splitlines())


def _block(opening: str, body: str) -> str:
    return f"{opening}:\n{_indented(body)}"


SIMPLE = st.one_of(
    EXPRESSIONS,
    st.builds("{} = c = {}".format, NAMES, EXPRESSIONS),
    st.builds("{}: list['User | None'] = {}".format, NAMES, EXPRESSIONS),
    st.builds("{} += {}".format, NAMES, EXPRESSIONS),
    st.builds("raise {} from {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("assert {}, {}".format, EXPRESSIONS, EXPRESSIONS),
    st.sampled_from(["pass", "global g", "del a, b", "import a.b, c as d", "from .. import x as y", "from m import *"]),
)


def _compound(bodies: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    tests = EXPRESSIONS
    return st.one_of(
        st.builds(lambda test, a, b: f"{_block(f'if {test}', a)}\n{_block('else', b)}", tests, bodies, bodies),
        st.builds(lambda test, a: _block(f"while {test}", a + "\nbreak"), tests, bodies),
        st.builds(lambda items, a: _block(f"for a, *b in {items}", a + "\ncontinue"), tests, bodies),
        st.builds(lambda item, a: _block(f"with {item} as a, b", a), tests, bodies),
        st.builds(
            lambda a, b: f"{_block('try', a)}\n{_block('except (A, B) as e', b)}\n{_block('finally', a)}",
            bodies,
            bodies,
        ),
        st.builds(lambda a: f"{_block('try', a)}\n{_block('except* A', a)}", bodies.filter(lambda b: "\n" not in b)),
        st.builds(
            lambda a, value: _block(
                f"match {value}",
                "\n".join(
                    _block(f"case {case}", a)
                    for case in ("1 | 'x'", "[1, *rest]", "{'k': v, **rest}", "C(x, y=1) as c", "None if a", "_")
                ),
            ),
            bodies,
            tests,
        ),
        st.builds(
            lambda a: _block("def f(x: 'int', /, y=1, *, z: list[int] = None, **w) -> 'A.B'", '"""Doc."""\n' + a),
            bodies,
        ),
        st.builds(lambda a: _block("async def f()", "async with a as b: pass\nawait b\nyield 1\n" + a), bodies),
        st.builds(lambda a: _block("@d(1)\nclass C(B, metaclass=M)", a), bodies),
    )


STATEMENTS = st.recursive(SIMPLE, _compound, max_leaves=5)
MODULES = st.lists(STATEMENTS, max_size=4).map("\n".join)
