"""`--format F --output FILE`: pairs that may be repeated; a format without a file goes to standard output."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from nines import reports
from nines.model.errors import UsageError
from nines.model.report import Report

STANDARD_OUTPUT = "-"


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two options that every command with a report has."""
    formats = click.option(
        "--format",
        "-f",
        "formats",
        multiple=True,
        metavar="FORMAT",
        help=f"{', '.join(reports.formats())}; may be repeated.",
    )
    files = click.option(
        "--output",
        "-o",
        "files",
        multiple=True,
        metavar="FILE",
        help="The file of the format before it; without a file: standard output.",
    )
    return formats(files(command))


def paired(arguments: Sequence[str]) -> list[str]:
    """Gives every --format exactly one --output, so that the two lists which the parser collects correspond.

    An --output without a format before it takes the format from its file's ending."""
    result: list[str] = []
    waiting = False
    for name, value in _options(arguments):
        if name == "--format":
            if waiting:
                result += ["--output", STANDARD_OUTPUT]
            result += ["--format", value]
            waiting = True
        elif name == "--output":
            if not waiting:
                result += ["--format", _format_of(value)]
            result += ["--output", value]
            waiting = False
        else:
            result.append(value)
    if waiting:
        result += ["--output", STANDARD_OUTPUT]
    return result


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    names = {"--format": "--format", "-f": "--format", "--output": "--output", "-o": "--output"}
    waiting = iter(arguments)
    for argument in waiting:
        head, separator, tail = argument.partition("=")
        if argument == "--":
            yield "", argument
            yield from (("", rest) for rest in waiting)
            return
        if head in names and separator:
            yield names[head], tail
        elif argument in names:
            value = next(waiting, None)
            if value is None:
                raise UsageError(f"{argument} needs a value", hint="Try: --format html --output report.html")
            yield names[argument], value
        else:
            yield "", argument


def _format_of(file: str) -> str:
    suffix = Path(file).suffix.lower()
    for name in reports.formats():
        if suffix and reports.suffix(name) == suffix:
            return name
    raise UsageError(
        f"the ending of {file!r} names no format", hint=f"Put one before it: --format {'|'.join(reports.formats())}"
    )


def write(report: Report, formats: Sequence[str], files: Sequence[str]) -> None:
    """Renders the report in every format; a terminal view on standard output when none was asked for."""
    for name, file in zip(formats, files, strict=True) if formats else [("terminal", STANDARD_OUTPUT)]:
        if file == STANDARD_OUTPUT:
            _print(name, report)
        else:
            _save(Path(file), reports.render(name, report))
            click.echo(f"{name} report: {Path(file).resolve()}", err=True)


def check(formats: Sequence[str], files: Sequence[str]) -> None:
    """Raises UsageError before the work begins, not after it, when a report could not be made or saved."""
    for name in formats:
        if name not in reports.formats():
            raise UsageError(f"there is no format {name!r}", hint=f"There are: {', '.join(reports.formats())}")
    for file in files:
        folder = Path(file).resolve().parent
        if file != STANDARD_OUTPUT and not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise UsageError("the report cannot be written there", where=file, hint="Name a folder that exists.")


def _print(name: str, report: Report) -> None:
    is_terminal = sys.stdout.isatty()
    width = min(os.get_terminal_size().columns, 140) if is_terminal else 110
    colour = is_terminal and "NO_COLOR" not in os.environ
    click.echo(reports.render(name, report, width=width, is_coloured=colour), color=True)


def _save(path: Path, text: str) -> None:
    """Writes beside the target and renames, so that an interruption never leaves half a report."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.resolve().parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
