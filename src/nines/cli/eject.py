"""`nines eject`."""

from __future__ import annotations

from pathlib import Path

import click

from nines.cli import outputs
from nines.cli.main import EXIT_OK
from nines.verbs.eject import SOURCE, eject


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def command(*, folder: Path) -> int:
    """Part from nines-runtime: its source stands beside the built service from then on, and is yours."""
    found = eject(folder)
    lines = [
        f"nines-runtime {found.version}: {found.files} files in {folder / SOURCE}, yours from now on",
        *(f"yours to change: {each}" for each in found.by_hand),
        f"next: cd {folder} && make; this version's `nines build` goes on to work, and leaves them alone",
    ]
    outputs.show("\n".join(lines))
    return EXIT_OK
