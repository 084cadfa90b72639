"""Gathers what an answer is made of: reading, traces, pages, reports, designs; each once, when it is asked for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nines import experiments, patterns, rules
from nines.asking.material import Draft, Hit, Measurement, Traced
from nines.model.contract import path_shape
from nines.model.effect import EffectKind, Known
from nines.model.errors import NinesError
from nines.model.experiment import Experiment
from nines.model.pattern import Pattern
from nines.model.progress import Progress, Silent
from nines.model.report import Report
from nines.model.rule import Rule
from nines.model.schema import Table
from nines.model.service import Endpoint
from nines.model.trace import Trace
from nines.reports import harmless, tree
from nines.verbs import ask_design, compare
from nines.verbs import explain as explaining
from nines.verbs.project import STATE_DIRECTORY, Project, keep_out_of_version_control
from nines.verbs.reading import Read, read
from nines.verbs.review import judge, report_of

REPORTS = "reports"
"""Below the state directory: what `ask --run` measured."""
_NAMES = ("*report*.json", "*nines*.json", "*prove*.json", "*check*.json", "before.json", "after.json")
_CANDIDATES_MAX = 12
_FILES_MAX = 20_000
_SOURCES = frozenset({".py", ".sql", ".toml", ".yaml", ".yml", ".ini", ".cfg"})
_SKIPPED = frozenset({"node_modules", "venv", "__pycache__", "site-packages"})
_WIDTH = 130
_TREE_CHARACTERS_MAX = 8_000


class Gathered:
    """Material out of one project, or out of none."""

    def __init__(self, project: Project | None, *, where: str = "", progress: Progress | None = None) -> None:
        self._project = project
        self._where = where or (str(project.root) if project else "")
        self._progress = progress or Silent()
        self._read: Read | None = None
        self._report: Report | None = None
        self._measurement: Measurement | None = None
        self._has_looked = False

    @property
    def where(self) -> str:
        found = self._found()
        return self._where if found is not None and (found.service.endpoints or found.service.tables) else ""

    def review(self) -> Report | None:
        found = self._found()
        if found is None or self._project is None or not self.where:
            return None
        if self._report is None:
            self._progress.stage("judging")
            judged = judge(self._project, found, found.service)
            self._report = harmless(report_of(self._project, found, judged, judged.findings, None))
        return self._report

    def traces(self, wanted: str) -> tuple[Traced, ...]:
        found = self._found()
        if found is None:
            return ()
        text = wanted.lower()
        pairs = [
            (endpoint, found.service.trace(endpoint.id))
            for endpoint in found.service.endpoints
            if any(text in name.lower() for name in (endpoint.id, endpoint.function))
        ]
        exact = [pair for pair in pairs if text in (pair[0].id.lower(), pair[0].path.lower())]
        served = [
            (endpoint, found.service.trace(endpoint.id))
            for endpoint in found.service.endpoints
            if text and _ends_like(endpoint, wanted)
        ]
        return tuple(_traced(endpoint, trace) for endpoint, trace in exact or served or pairs)

    def tables(self) -> tuple[Table, ...]:
        found = self._found()
        tables: tuple[Table, ...] = harmless(found.service.tables) if found is not None else ()
        return tables

    def measurement(self) -> Measurement | None:
        """The newest report of prove or check that lies in the project."""
        if not self._has_looked and self._project is not None:
            self._has_looked = True
            self._measurement = _newest(self._project)
        return self._measurement

    def keep(self, report: Report) -> None:
        """Remembers what was measured just now, here and for the next question."""
        where = f"{STATE_DIRECTORY}/{REPORTS}/{report.command}.json"
        self._has_looked = True
        self._measurement = Measurement(report=harmless(report), where=where, age_s=0.0, is_fresh=True)
        if self._project is not None:
            remember(self._project, report)

    def patterns(self) -> tuple[Pattern, ...]:
        return patterns.discover()

    def rules(self) -> tuple[Rule, ...]:
        return rules.discover()

    def experiments(self) -> tuple[Experiment, ...]:
        return experiments.discover()

    def pages(self, words: str) -> tuple[Hit, ...]:
        named = explaining.named(words) if words.strip() else None
        found = (named,) if named else explaining.search(words)
        return tuple(
            Hit(id=each.id, kind=each.kind.value, title=each.title, summary=each.summary, page=each.page)
            for each in found
        )

    def draft(self, subject: str, name: str, rate_hz: float | None) -> Draft:
        return ask_design.draft(subject, name, rate_hz, self._progress)

    def compared(self, before: str, after: str) -> tuple[str, tuple[str, ...]]:
        root = self._project.root if self._project else Path()
        found = compare.compare(compare.load(root / before), compare.load(root / after))
        told = [f"worse: {change.says}" for change in found.worse]
        told += [f"better: {change.says}" for change in found.better]
        return found.says, tuple(harmless(tuple(told)))

    def _found(self) -> Read | None:
        if self._read is None and self._project is not None:
            self._progress.stage("reading the code")
            self._read = read(self._project)
        return self._read


def remember(project: Project, report: Report) -> None:
    """Keeps a report where the next question finds it: below the state directory, the newest of each command."""
    folder = project.root / STATE_DIRECTORY / REPORTS
    if project.has_strange_state or folder.is_symlink():
        return
    keep_out_of_version_control(project)
    # A folder that cannot be written costs the next question a run, and nothing else.
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        temporary = folder / f".{report.command}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as stream:
            stream.write(msgspec.json.encode(report))
        temporary.replace(folder / f"{report.command}.json")


def _ends_like(endpoint: Endpoint, wanted: str) -> bool:
    """Whether `POST /orders/{id}` means this endpoint, whose path may begin with a prefix and name it otherwise."""
    method, _, path = wanted.strip().rpartition(" ")
    shape = path_shape(path)
    is_method = not method or method.upper() == endpoint.method
    return bool(shape) and is_method and f"/{path_shape(endpoint.path)}".endswith(f"/{shape}")


def _traced(endpoint: Endpoint, trace: Trace | None) -> Traced:
    effects = trace.effects if trace else ()
    remote = [each for each in effects if each.kind is EffectKind.REMOTE_CALL]
    shown = tree.traces(((endpoint, trace),), width=_WIDTH, is_coloured=False)
    return Traced(
        endpoint=harmless(endpoint.id),
        place=harmless(str(endpoint.place)),
        tree=harmless(shown[:_TREE_CHARACTERS_MAX]),
        reads=sum(each.kind is EffectKind.DATABASE_READ for each in effects),
        writes=sum(each.kind is EffectKind.DATABASE_WRITE for each in effects),
        remote_calls=len(remote),
        in_loops=sum(bool(each.loops) and (each.is_database or each in remote) for each in effects),
        in_transaction=sum(each.transaction is not None for each in remote),
        without_deadline=sum(each.deadline.known is Known.MISSING for each in effects),
        not_understood=len(trace.blind) if trace else 0,
    )


def _newest(project: Project) -> Measurement | None:
    found: list[tuple[datetime, Path, Report]] = []
    for path in list(_candidates(project))[:_CANDIDATES_MAX]:
        try:
            report = compare.load(path)
            begun = datetime.strptime(report.started_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except (NinesError, ValueError):
            continue
        if report.command in ("prove", "check"):
            found.append((begun, path, report))
    if not found:
        return None
    begun, path, report = max(found, key=lambda each: each[0])
    return Measurement(
        report=harmless(report),
        where=path.relative_to(project.root).as_posix(),
        age_s=max(0.0, (datetime.now(UTC) - begun).total_seconds()),
        is_fresh=_last_change(project.root) <= begun.timestamp(),
    )


def _candidates(project: Project) -> Iterator[Path]:
    """Reports by their usual names; a link is not followed, since it may lead anywhere."""
    state = () if project.has_strange_state else (project.root / STATE_DIRECTORY / REPORTS,)
    seen: set[Path] = set()
    for folder in (*state, project.root, project.root / "reports", project.root / "build"):
        if folder.is_symlink() or not folder.is_dir():
            continue
        patterns_of = ("*.json",) if folder.name == REPORTS else _NAMES
        for path in sorted(path for pattern in patterns_of for path in folder.glob(pattern)):
            if path not in seen and path.is_file() and not path.is_symlink():
                seen.add(path)
                yield path


def _last_change(root: Path) -> float:
    """When a source file was last changed, as seconds since the epoch; of very many the first are looked at."""
    newest, left = 0.0, _FILES_MAX
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED]
        for name in files:
            if Path(name).suffix in _SOURCES:
                left -= 1
                with contextlib.suppress(OSError):
                    newest = max(newest, (Path(folder) / name).stat(follow_symlinks=False).st_mtime)
        if left <= 0:
            break
    return newest
