"""`--format F --output FILE`: pairs that may be repeated; a format without a file goes to standard output."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
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
WIDTH_MIN, WIDTH_MAX = 60, 140
WIDTH_OF_A_PIPE = 110
_NAME_MAX = 100
"""Characters of a file's name in the name of its forerunner, for names have a limit."""


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
    for name, value in _in_order(list(_options(arguments))):
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


def _in_order(options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """One format and one file belong together, whichever is named first."""
    positions = {
        name: [i for i, (found, _) in enumerate(options) if found == name] for name in ("--format", "--output")
    }
    formats, outputs = positions["--format"], positions["--output"]
    if len(formats) == len(outputs) == 1 and outputs[0] < formats[0]:
        options[outputs[0]], options[formats[0]] = options[formats[0]], options[outputs[0]]
    return options


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
        elif len(argument) > len("-f") and argument[:2] in ("-f", "-o"):
            yield names[argument[:2]], argument[2:]
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
    """Renders the report in every format; a terminal view on standard output when none was asked for.

    A report that cannot be saved does not keep the others from being; a UsageError in the end names each."""
    failures: list[str] = []
    for name, file in zip(formats, files, strict=True) if formats else [("terminal", STANDARD_OUTPUT)]:
        if file == STANDARD_OUTPUT:
            _print(name, report)
            continue
        try:
            save(Path(file), reports.render(name, report))
        except OSError as error:
            failures.append(f"{name} report to {file}: {error.strerror or error}")
        else:
            click.echo(f"{name} report: {Path(file).resolve()}", err=True)
    if failures:
        raise UsageError("a report could not be saved", detail="\n".join(failures), hint="Name another file.")


def check(formats: Sequence[str], files: Sequence[str]) -> None:
    """Raises UsageError before the work begins, not after it, when a report could not be made or saved."""
    for name in formats:
        if name not in reports.formats():
            near = difflib.get_close_matches(name, reports.formats(), n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise UsageError(f"there is no format {name!r}", hint=f"{hint}There are: {', '.join(reports.formats())}")
    for file in files:
        if file != STANDARD_OUTPUT:
            _check_file(Path(file))
    named = [Path(file).resolve() for file in files if file != STANDARD_OUTPUT]
    for path in named:
        if named.count(path) > 1 and not _is_special(path):
            raise UsageError("two reports would be written to one file", where=str(path), hint="Give each its own.")


def _check_file(path: Path) -> None:
    folder = path.resolve().parent
    if path.is_dir():
        raise UsageError("this is a folder", where=str(path), hint=f"Name a file in it: {path / 'report.html'}")
    if not folder.is_dir():
        hint = f"Make it first (mkdir -p {folder}), or name a folder that exists."
        raise UsageError("its folder does not exist", where=str(path), hint=hint)
    if not (os.access(path, os.W_OK) if _is_special(path) else os.access(folder, os.W_OK)):
        raise UsageError("the report cannot be written there", where=str(path), hint="Name a folder of your own.")


def _is_special(path: Path) -> bool:
    """A device or a pipe, which is written to and never replaced."""
    return path.exists() and not path.is_file()


def _print(name: str, report: Report) -> None:
    is_terminal = sys.stdout.isatty()
    width = min(max(shutil.get_terminal_size().columns, WIDTH_MIN), WIDTH_MAX) if is_terminal else WIDTH_OF_A_PIPE
    colour = is_terminal and "NO_COLOR" not in os.environ
    show(reports.render(name, report, width=width, is_coloured=colour))


def show(text: str) -> None:
    """Prints on standard output, also where its encoding lacks a character."""
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), color=True)


def save(path: Path, text: str) -> None:
    """Writes beside the target and renames, so that an interruption never leaves half a file."""
    if _is_special(path):
        with path.open("w", encoding="utf-8") as stream:
            stream.write(text)
        return
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:_NAME_MAX]}.", dir=path.resolve().parent)
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
