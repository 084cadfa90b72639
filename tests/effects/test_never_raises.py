"""Whatever a reader lowers, the analysis ends and says something."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nines import effects
from nines.model import code
from nines.readers import sql

NAMES = st.sampled_from(["a", "b", "self", "session", "requests", "app", "x"])


def expressions() -> st.SearchStrategy[code.Expression]:
    leaves: st.SearchStrategy[code.Expression] = st.one_of(
        st.builds(code.Name, NAMES, st.integers(1, 9)),
        st.builds(code.Constant, st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=5))),
        st.just(code.Yield(None)),
        st.builds(code.Opaque, st.text(max_size=3)),
    )

    def deeper(inner: st.SearchStrategy[code.Expression]) -> st.SearchStrategy[code.Expression]:
        return st.one_of(
            st.builds(code.Attribute, inner, NAMES),
            st.builds(code.Call, inner, st.lists(inner, max_size=2).map(tuple)),
            st.builds(code.Binary, inner, st.sampled_from(["+", "%", "|", "&", "/"]), inner),
            st.builds(code.Compare, inner, st.sampled_from(["==", "is", "in", "not in"]), inner),
            st.builds(code.Boolean, st.sampled_from(["and", "or"]), st.tuples(inner, inner)),
            st.builds(code.Subscript, inner, inner),
            st.builds(code.Sequence, st.sampled_from(["list", "tuple"]), st.lists(inner, max_size=2).map(tuple)),
            st.builds(code.Conditional, inner, inner, inner),
            st.builds(code.Await, inner),
            st.builds(code.Spread, inner),
            st.builds(code.Template, st.tuples(inner)),
        )

    return st.recursive(leaves, deeper, max_leaves=6)


def statements() -> st.SearchStrategy[code.Statement]:
    value = expressions()
    leaves: st.SearchStrategy[code.Statement] = st.one_of(
        st.builds(code.Evaluate, value, st.integers(1, 9)),
        st.builds(code.Assign, st.tuples(value), value, st.integers(1, 9)),
        st.builds(code.Return, value, st.integers(1, 9)),
        st.builds(code.Raise, value, st.integers(1, 9)),
        st.builds(code.Jump, st.sampled_from(["break", "continue"]), st.integers(1, 9)),
    )

    def deeper(inner: st.SearchStrategy[code.Statement]) -> st.SearchStrategy[code.Statement]:
        body = st.lists(inner, max_size=2).map(tuple)
        return st.one_of(
            st.builds(code.If, value, body, body, st.integers(1, 9)),
            st.builds(code.For, value, value, body, body, st.integers(1, 9)),
            st.builds(code.While, value, body, body, st.integers(1, 9)),
            st.builds(code.With, st.tuples(st.builds(code.WithItem, value)), body, st.integers(1, 9)),
            st.builds(
                code.Try,
                body,
                st.tuples(st.builds(code.Except, st.tuples(value), st.just(""), body, st.integers(1, 9))),
                body,
                body,
                st.integers(1, 9),
            ),
        )

    return st.recursive(leaves, deeper, max_leaves=5)


@settings(max_examples=120, deadline=None)
@given(body=st.lists(statements(), max_size=4).map(tuple), top=st.lists(statements(), max_size=2).map(tuple))
def test_analyse_never_raises(body: tuple[code.Statement, ...], top: tuple[code.Statement, ...]) -> None:
    route = code.Call(code.Attribute(code.Name("app"), "get"), (code.Constant("/x"),), (), 3)
    parameters = (code.Parameter("a"), code.Parameter("b", "star"))
    handler = code.Function("a", parameters, None, (route,), code.pack(body), 4, 9)
    module = code.Module(
        name="m",
        file="m.py",
        is_package=False,
        body=(
            code.Import("fastapi", 0, (code.ImportedName("FastAPI", ""),), 1),
            code.Import("requests", 0, (code.ImportedName("", ""),), 1),
            code.Assign((code.Name("app"),), code.Call(code.Name("FastAPI"), (), (), 2), 2),
            handler,
            *top,
        ),
        lines=9,
    )
    found = effects.analyse(code.Program(root=".", modules=(module,)), read_statement=sql.read)
    told = [endpoint.id for endpoint in found.endpoints]
    # A module's names are read without their order: one that is bound to something else later may hide the router.
    assert told == ["GET /x"] or (told == [] and "Name('app'" in repr(top))
