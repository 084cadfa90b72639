"""Kills a service and its database many times under a stream of creates: is anything lost that was acknowledged?

    python -m benchmarks.kills FOLDER [--kills N]

The experiment `crash/durable-kill`, with more kills than its three and one: so many of each, and everything that was
acknowledged is looked for at the end. FOLDER holds a `nines.toml`, such as a service that `nines build` wrote."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nines.experiments.crash import durable_kill
from nines.model.verdict import Verdict
from nines.verbs.project import open_project
from nines.verbs.prove import prove

KILLS = 20
RECOVERY_S_MAX = 10.0
READS_MAX = 20_000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--kills", type=int, default=KILLS)
    given = arguments.parse_args()
    durable_kill.SERVICE_KILLS = durable_kill.DATABASE_KILLS = given.kills
    durable_kill.READS_MAX = READS_MAX
    report = prove(open_project(given.folder), only=("crash/durable-kill",))
    (trial,) = report.trials
    killed = f"{given.folder.name}, {given.kills} kills of the service and of its database"
    print(f"{killed}: {trial.verdict.value}. {trial.says}")
    for figure in trial.figures:
        print(f"  {figure.name}: {figure.value:g} {figure.unit}".rstrip())
    held = trial.verdict is Verdict.HOLDS
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
