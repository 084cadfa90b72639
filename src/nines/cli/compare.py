"""`nines compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from nines import reports
from nines.cli import outputs
from nines.cli.main import EXIT_FOUND, EXIT_OK
from nines.verbs.compare import Change, compare, load


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--format", "-f", "format_", type=click.Choice(["terminal", "json"]), default="terminal")
def command(*, before: Path, after: Path, format_: str) -> int:
    """Say what changed between two JSON reports; exit 1 when anything became worse."""
    found = compare(load(before), load(after))
    if format_ == "json":
        outputs.show(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        lines = [found.says, *_part("worse", found.worse), *_part("better", found.better), *_part("also", found.other)]
        outputs.show(str(reports.harmless("\n".join(lines))))
    return EXIT_FOUND if found.worse else EXIT_OK


def _part(title: str, changes: Sequence[Change]) -> list[str]:
    return [f"{title}:", *(f"  {change.kind.value:<8} {change.says}" for change in changes)] if changes else []
