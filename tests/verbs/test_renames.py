"""A file that moved keeps its findings; one that was replaced does not lend its findings to another."""

from __future__ import annotations

from pathlib import Path

from nines.model.code import Module, Program
from nines.model.finding import Finding
from nines.model.place import Place
from nines.verbs import renames

BODY = "".join(f"line {i}\n" for i in range(40))
OTHER = "".join(f"entirely different {i}\n" for i in range(40))


def state(root: Path, files: dict[str, str]) -> Program:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    modules = (Module(n.removesuffix(".py").replace("/", "."), n, False, (), 1) for n in files)
    return Program(root=str(root), modules=tuple(modules))


def moved(tmp_path: Path, before: dict[str, str], after: dict[str, str]) -> dict[str, str]:
    old, new = tmp_path / "old", tmp_path / "new"
    found = renames.between(old, state(old, before), new, state(new, after))
    return {move.file: move.new_file for move in found}


def test_the_same_and_the_similar_content(tmp_path: Path) -> None:
    before = {"a/x.py": BODY, "a/y.py": OTHER, "stays.py": "1\n"}
    after = {"b/x.py": BODY + "more\n", "b/z.py": OTHER, "stays.py": "2\n"}
    assert moved(tmp_path, before, after) == {"a/x.py": "b/x.py", "a/y.py": "b/z.py"}


def test_other_content_is_another_file(tmp_path: Path) -> None:
    assert moved(tmp_path, {"x.py": BODY, "empty.py": ""}, {"y.py": OTHER, "void.py": ""}) == {}


def test_the_fingerprint_follows() -> None:
    def finding(file: str, module: str) -> Finding:
        subject = f"remote_call {module}.pay"
        return Finding(rule="r/r", message="m", place=Place(file=file, line=3), subject=subject)

    old, untouched = finding("shop/a.py", "shop.a"), finding("a.py", "shop.a")
    move = renames.Move(file="shop/a.py", new_file="b/c.py", module="shop.a", new_module="b.c")
    followed = renames.followed([old, untouched], (move,))
    assert followed[0].fingerprint == finding("b/c.py", "b.c").fingerprint
    assert followed[1] is untouched
