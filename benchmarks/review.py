"""What reading a project costs, beside Bandit over the same files in the same run.

    python -m benchmarks.review FOLDER [--bandit COMMAND] [--rounds N]

Every figure is the median wall-clock time of whole processes, their start included; rounds alternate between the peers,
so that a busy machine spoils neither alone. Beside it stands the processor time of all their processes, which other
work on the machine hardly touches. `cold` has an empty cache; each warm run follows a change of one file: a statement
more in one function of the service layer, a line more at the top of the largest file, an attribute more in a class of
the largest file of models. The folder is copied first: nothing in it is changed. Bandit is not a dependency; point at
one with --bandit.
"""

from __future__ import annotations

import argparse
import ast
import re
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nines.model.record import Record
from nines.readers.python import read
from nines.readers.python.files import find

ROUNDS = 3
PROCESS_TIME_MAX_S = 1_800.0
COLD_LIMIT = 1.0
WARM_LIMIT = 0.1
"""The share of Bandit's time that nines may take."""

_SERVICES = re.compile(r"services?|tasks|actions|crud|repositor(y|ies)|handlers|operations")
_MODELS = re.compile(r"models?|entities|tables")
"""What the name of a file or of its folder says of the layer that it belongs to."""

_READ = (
    "import sys, pathlib; from nines.readers.python import read; "
    "read(pathlib.Path(sys.argv[1]), cache=pathlib.Path(sys.argv[2]))"
)
_REVIEW = (sys.executable, "-m", "nines", "review", "--format", "json", "--output")


def main() -> None:
    """Measures and prints; the exit code says whether the limits hold."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="nines-benchmark-") as scratch:
        corpus = Path(scratch) / "corpus"
        size = _copy(arguments.folder, corpus)
        print(f"{size[0]:,} files, {size[1]:,} lines")
        bench = _Bench(corpus, Path(scratch), shlex.split(arguments.bandit))
        figures = bench.run(arguments.rounds, with_review=not arguments.reading_only)
    bandit = figures["bandit"]
    print(f"{'':26}{'seconds':>9}{'x bandit':>10}{'processor s':>13}{'x bandit':>10}")
    for name, spent in figures.items():
        wall = f"{spent.wall_s:9.2f}{spent.wall_s / bandit.wall_s:10.3f}"
        print(f"{name:26}{wall}{spent.processor_s:13.2f}{spent.processor_s / bandit.processor_s:10.3f}")
    holds = True
    for name, spent in figures.items():
        if name != "bandit":
            limit = COLD_LIMIT if name.endswith("cold") else WARM_LIMIT
            kept = spent.wall_s <= limit * bandit.wall_s
            holds = holds and kept
            print(f"{name}: at most {limit:g} x bandit: {'holds' if kept else 'BROKEN'}")
    sys.exit(0 if holds else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of Python projects, at least 200,000 lines")
    parser.add_argument("--bandit", default=shutil.which("bandit") or f"{sys.executable} -m bandit")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--reading-only", action="store_true", help="leave out the whole review")
    return parser.parse_args()


def _copy(folder: Path, corpus: Path) -> tuple[int, int]:
    """Copies the files that nines reads, so that both peers get exactly the same; returns files and lines."""
    for file in find(folder).files:
        target = corpus / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file, target)
    program = read(corpus)
    return len(program.modules), program.lines


class Spent(Record):
    """What a run of processes cost."""

    wall_s: float
    processor_s: float


class _Bench:
    def __init__(self, corpus: Path, scratch: Path, bandit: list[str]) -> None:
        self._corpus = corpus
        self._scratch = scratch
        self._bandit = bandit
        self._cache = scratch / "cache"
        files = sorted(corpus.rglob("*.py"), key=lambda file: (-file.stat().st_size, file))
        self._largest = files[0]
        self._service = next((each for each in files if _is_of(_SERVICES, each, corpus)), files[0])
        self._model = next((each for each in files if _is_of(_MODELS, each, corpus)), files[0])
        self._changes = 0
        for what, file in (("service", self._service), ("top", self._largest), ("model", self._model)):
            print(f"changed, {what}: {file.relative_to(corpus)}")

    def run(self, rounds: int, *, with_review: bool) -> dict[str, Spent]:
        """The medians of each peer."""
        steps: dict[str, Callable[[], Spent]] = {
            "bandit": self._run_bandit,
            "reading, cold": self._read_cold,
            "reading, warm": self._read_warm,
        }
        if with_review:
            steps |= {
                "review, cold": self._review_cold,
                "review, function changed": lambda: self._review_after(self._change_function),
                "review, line at the top": lambda: self._review_after(self._change_top),
                "review, model changed": lambda: self._review_after(self._change_model),
            }
        times: dict[str, list[Spent]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                times[name].append(step())
        return {
            name: Spent(
                wall_s=statistics.median(spent.wall_s for spent in found),
                processor_s=statistics.median(spent.processor_s for spent in found),
            )
            for name, found in times.items()
        }

    def _run_bandit(self) -> Spent:
        report = str(self._scratch / "bandit.json")
        return _timed([*self._bandit, "-q", "--exit-zero", "-f", "json", "-o", report, "-r", str(self._corpus)])

    def _read_cold(self) -> Spent:
        shutil.rmtree(self._cache, ignore_errors=True)
        return self._read()

    def _read_warm(self) -> Spent:
        self._change_top()
        return self._read()

    def _read(self) -> Spent:
        return _timed([sys.executable, "-c", _READ, str(self._corpus), str(self._cache)])

    def _review_cold(self) -> Spent:
        shutil.rmtree(self._corpus / ".nines", ignore_errors=True)
        return self._review()

    def _review_after(self, change: Callable[[], None]) -> Spent:
        change()
        return self._review()

    def _review(self) -> Spent:
        """The whole of `nines review`: reading, tracing, judging, reporting."""
        return _timed([*_REVIEW, str(self._scratch / "review.json"), str(self._corpus)], accepted=(0, 1))

    def _change_function(self) -> None:
        """A statement more at the start of the function in the middle of the file."""
        self._insert(self._service, (ast.FunctionDef, ast.AsyncFunctionDef))

    def _change_model(self) -> None:
        """An attribute more in the class in the middle of the file."""
        self._insert(self._model, (ast.ClassDef,))

    def _change_top(self) -> None:
        self._changes += 1
        text = self._largest.read_text(encoding="utf-8")
        self._largest.write_text(f"# changed {self._changes}\n{text}", encoding="utf-8")

    def _insert(self, file: Path, kinds: tuple[type[ast.AST], ...]) -> None:
        text = file.read_text(encoding="utf-8")
        found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
        bodies = [body for node in found if (body := getattr(node, "body", None)) and body[0].lineno > node.lineno]  # type: ignore[attr-defined]
        last = sorted(bodies, key=lambda body: body[0].lineno)[len(bodies) // 2][-1]
        first = min([last.lineno, *(each.lineno for each in getattr(last, "decorator_list", ()))])
        lines = text.splitlines(keepends=True)
        self._changes += 1
        lines.insert(first - 1, f"{' ' * last.col_offset}changed_{self._changes} = {self._changes}\n")
        file.write_text("".join(lines), encoding="utf-8")


def _is_of(layer: re.Pattern[str], file: Path, corpus: Path) -> bool:
    parts = file.relative_to(corpus).with_suffix("").parts[-2:]
    return any(layer.fullmatch(part) for part in parts) and "class " in file.read_text(encoding="utf-8")


def _timed(command: list[str], accepted: tuple[int, ...] = (0,)) -> Spent:
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=PROCESS_TIME_MAX_S, check=False
    )
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in accepted:
        sys.exit(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stderr.decode(errors='replace')[-2000:]}")
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall_s=elapsed, processor_s=processor_s)


if __name__ == "__main__":
    main()
