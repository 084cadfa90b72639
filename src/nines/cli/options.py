"""Options that several commands share, each said once."""

from __future__ import annotations

from pathlib import Path

import click

project = click.argument("path", type=click.Path(path_type=Path), default=".")
config = click.option(
    "--config", type=click.Path(path_type=Path), help="A configuration file other than the project's own."
)
only = click.option(
    "--only", multiple=True, metavar="EXPERIMENT", help="Carry out only this experiment; may be repeated."
)
seed = click.option("--seed", type=int, help="Repeat an earlier run's choices.")
baseline = click.option("--baseline", type=click.Path(path_type=Path), help="Leave out what this baseline accepts.")
quiet = click.option("--quiet", "-q", is_flag=True, help="No progress.")
