"""From a method and a path to what was registered for them: plain paths by a dictionary, others by their segments."""

from __future__ import annotations

from typing import Generic, TypeVar

Target = TypeVar("Target")
SEGMENTS_MAX = 32
_NO_PARAMETERS: dict[str, str] = {}


class _Leaf(Generic[Target]):
    """One path with its methods; each knows the names that its parameters have."""

    __slots__ = ("allow", "methods")

    def __init__(self) -> None:
        self.methods: dict[str, tuple[Target, tuple[str, ...]]] = {}
        self.allow = b""

    def add(self, method: str, target: Target, names: tuple[str, ...]) -> None:
        self.methods[method] = (target, names)
        known = {*self.methods, "OPTIONS", *(("HEAD",) if "GET" in self.methods else ())}
        self.allow = ", ".join(sorted(known)).encode("ascii")


class _Node(Generic[Target]):
    __slots__ = ("leaf", "literals", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[Target]] = {}
        self.parameter: _Node[Target] | None = None
        self.leaf: _Leaf[Target] | None = None


class Missed(Exception):  # noqa: N818 -- an outcome of finding
    """`allow` names the methods that the path has; empty: there is no such path."""

    def __init__(self, allow: bytes = b"") -> None:
        super().__init__(allow)
        self.allow = allow


class Router(Generic[Target]):
    """A literal segment goes before a parameter, as OpenAPI has it; HEAD is answered by GET."""

    def __init__(self) -> None:
        self._plain: dict[str, _Leaf[Target]] = {}
        self._root: _Node[Target] = _Node()

    def add(self, method: str, path: str, target: Target) -> None:
        if not path.startswith("/"):
            raise ValueError(f"The path {path!r} must begin with a slash.")
        segments = path[1:].split("/")
        if len(segments) > SEGMENTS_MAX:
            raise ValueError(f"The path {path!r} has more than {SEGMENTS_MAX} segments.")
        names = tuple(segment[1:-1] for segment in segments if _is_parameter(segment, path))
        if len(set(names)) != len(names):
            raise ValueError(f"Two parameters of {path!r} have the same name.")
        leaf = self._leaf(path, segments) if names else self._plain.setdefault(path, _Leaf())
        if method in leaf.methods:
            raise ValueError(f"{method} {path} is there twice.")
        leaf.add(method, target, names)

    def find(self, method: str, path: str) -> tuple[Target, dict[str, str]]:
        """Raises Missed."""
        leaf = self._plain.get(path)
        values: list[str] = []
        if leaf is None:
            leaf = self._search(path, values)
            if leaf is None:
                raise Missed
        found = leaf.methods.get(method)
        if found is None:
            found = leaf.methods.get("GET") if method == "HEAD" else None
            if found is None:
                raise Missed(leaf.allow)
        target, names = found
        return target, dict(zip(names, values, strict=True)) if names else _NO_PARAMETERS

    def allow(self, path: str) -> bytes:
        """The methods of a path; empty: there is none."""
        leaf = self._plain.get(path) or self._search(path, [])
        return leaf.allow if leaf else b""

    def _leaf(self, path: str, segments: list[str]) -> _Leaf[Target]:
        node = self._root
        for segment in segments:
            if _is_parameter(segment, path):
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        if node.leaf is None:
            node.leaf = _Leaf()
        return node.leaf

    def _search(self, path: str, values: list[str]) -> _Leaf[Target] | None:
        if path.count("/") > SEGMENTS_MAX or path[:1] != "/":
            return None
        return _walk(self._root, path[1:].split("/"), 0, values)


def _walk(node: _Node[Target], segments: list[str], at: int, values: list[str]) -> _Leaf[Target] | None:
    if at == len(segments):
        return node.leaf
    segment = segments[at]
    literal = node.literals.get(segment)
    if literal is not None:
        found = _walk(literal, segments, at + 1, values)
        if found is not None:
            return found
    if node.parameter is None or not segment:
        return None
    values.append(segment)
    found = _walk(node.parameter, segments, at + 1, values)
    if found is None:
        values.pop()
    return found


def _is_parameter(segment: str, path: str) -> bool:
    if segment[:1] == "{" and segment[-1:] == "}" and segment[1:-1].isidentifier():
        return True
    if "{" in segment or "}" in segment:
        raise ValueError(f"In {path!r} a parameter must be a whole segment, as in /v1/things/{{thing_id}}.")
    return False
