"""Every limit of the analysis, by name: a pathological project ends in bounded time, with a Blind."""

from __future__ import annotations

CALL_DEPTH_MAX = 60
"""Calls nested in calls, from the entry point."""
SAME_FUNCTION_MAX = 2
"""How often one function may stand on the stack of calls."""
WORK_PER_ENTRY_MAX = 400_000
"""Expressions and statements interpreted for one entry point."""
WORK_PER_FUNCTION_MAX = 40_000
"""Expressions and statements interpreted in one activation of one function, callees excluded."""
WORK_TOTAL_MAX = 30_000_000
CONTEXTS_PER_FUNCTION_MAX = 40
"""Different argument types for which one function is interpreted anew; after that, its arguments are generalised."""
EFFECTS_PER_TRACE_MAX = 500
"""Traces of real endpoints had at most 286 effects, or grew without end; nobody reads one of 500 to its end."""
STEPS_PER_TRACE_MAX = 200_000
"""Nodes visited while one trace is unfolded."""
BLIND_PER_TRACE_MAX = 40
ALTERNATIVES_MAX = 6
"""Different things that one value may be."""
FIELDS_MAX = 60
VALUE_DEPTH_MAX = 8
"""Values within values; what lies deeper is forgotten."""
SOURCES_MAX = 24
"""Sources remembered for one value."""
ITEMS_MAX = 40
"""Elements of a list that are told apart."""
BASES_MAX = 200
"""Classes that one class inherits from, directly or not."""
ALIAS_HOPS_MAX = 20
"""Re-exports followed for one name."""
ROUTES_MAX = 20_000
MOUNTS_DEPTH_MAX = 12
TEXT_MAX = 160
"""Characters kept of a statement or a test, for people."""
PYTHON_STACK = 12_000
"""Python frames that the interpreter may use; a deeper program is cut with a Blind."""
CANDIDATES_MAX = 3
"""Project methods of one name that an unknown receiver may stand for."""
