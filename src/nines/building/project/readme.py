"""The owner's first page: what is whose, how it runs, and requests that work."""

from __future__ import annotations

from nines.building.names import package, snake
from nines.building.project import requests
from nines.building.project.settings import (
    database,
    has_console,
    has_keys,
    is_issued_elsewhere,
    stands_in,
    variables,
)
from nines.model.blueprint import DependencyKind
from nines.model.design import Design, telling


def _events(design: Design) -> str:
    """What becomes of events on a laptop, and what their broker needs elsewhere."""
    carrier = telling.broker(design)
    needed = telling.needed(design)
    if carrier is None or not needed:
        return ""
    if carrier.kind not in telling.SERVED:
        return f"\n\n{needed[:1].upper()}{needed[1:]}"
    variable = variables(carrier)[0]
    here = "end in the log" if stands_in(design) else f"wait in the outbox until {variable} leads somewhere"
    return f"\n\nEvents {here} on a laptop; `{variable}=... make run` tells them. {needed}"


def _internal(design: Design) -> str:
    """How other services ask it, with a line that works."""
    protocol = design.protocol
    if protocol is None:
        return ""
    read = next((each for each in protocol.rpcs if each.items), protocol.rpcs[0])
    show = '-H "authorization: Bearer $TOKEN" ' if design.auth and design.auth.scheme != "none" else ""
    return f"""
## Other services

ask it over gRPC, on a port of its own (`GRPC_PORT`, 50051 here): `{design.name}.proto` is what they need, and
`proto.lock` keeps the numbers of its fields, so commit it. No ingress leads there; in Kubernetes a caller carries the
label `asks-{design.name}: "true"` and finds every copy under `{design.name}-internal:50051`.

```sh
grpcurl -plaintext -import-path . -proto {design.name}.proto {show}\\
  127.0.0.1:50051 {protocol.package}.{protocol.service}/{read.name}
```
"""


def _roles(design: Design) -> str:
    """How somebody gets a role, for no operation grants one."""
    if not has_console(design) or not design.roles:
        return ""
    return f"""
No operation grants a role; an operator does (`python -m {package(design)}.people --help`):

```sh
ENVIRONMENT=local .venv/bin/python -m {package(design)}.people grant ada@example.com {design.roles[0].name}
```
"""


def _commands(design: Design) -> str:
    """The files that are started, as a row of the table."""
    found = ["__main__.py"]
    found += ["migrate.py"] if database(design) else []
    found += ["people.py"] if has_console(design) else []
    found += ["keys.py"] if has_keys(design) else []
    found += ["tokens.py"] if is_issued_elsewhere(design) else []
    return ", ".join(f"`{each}`" for each in found)


def _apart(design: Design) -> str:
    """How modules run in processes of their own, and what that leaves to the owner."""
    parts = [each.module for each in design.running.deployables if each.module]
    if not parts:
        return ""
    name = package(design)
    spanning = [each for each in (design.blueprint.operations if design.blueprint else ()) if each.saga]
    files = ", ".join(f"`src/{name}/operations/{snake(each.name)}.py`" for each in spanning)
    steps = f" Steps of an operation that happen in another part are yours: {files}." if files else ""
    return f"""
## Parts that run apart

`python -m {name} --module {parts[0]}` serves one part alone ({", ".join(parts)}): its operations, its jobs, with the
settings and secrets of nobody else. Without it everything runs in one process, as on a laptop. The parts are one
package over one database, so that one migration serves all, and whatever leads each path to its part is yours to
make.{steps}
"""


def text(design: Design) -> str:
    name = package(design)
    blocks = "\n\n".join(requests.shell(design))
    first = (
        f"""
## First requests

```sh
{blocks}
```
"""
        if blocks
        else ""
    )
    has_database = any(each.kind is DependencyKind.POSTGRES for each in design.dependencies)
    laptop = " with a PostgreSQL of its own below `.local/`" if has_database else ""
    return f"""# {design.name}

{design.card.purpose or "What it does stands in `blueprint.yaml`."}

```sh
make            # sets up .venv, then linters, types and tests
make run        # http://127.0.0.1:8000{laptop}, and keys that are made up
nines check .   # reviews it, runs it, tries to break it, and gives a verdict
```

Only Python 3.11 or newer and make are needed.{_events(design)}
{first}{_roles(design) if first else ""}{_internal(design)}
## What is yours, and what is generated

| yours: created once, never touched again | what for |
|---|---|
| `blueprint.yaml` | what the service is; everything generated follows from it |
| `src/{name}/operations/` | the decisions that a blueprint cannot hold |
| `src/{name}/gateways/` | how others are asked: one file for each, behind a typed protocol |
| `src/{name}/app.py`, `settings.py` | what is put together, and your own routes (FastAPI) |
| `src/{name}/`: {_commands(design)} | what is started: `python -m {name}`, `python -m {name}.migrate` and so on |
| `tests/unit/`, `requirements.txt`, `Dockerfile`, `local.mk`, `deploy/production/`, `ops/*/own.*` | |

Everything else is generated and listed in `nines.lock`: `src/{name}/_generated/` is the service, and what a reviewer
reads to trust it; `dossier/` says why it is as it is. Migrations are added and never rewritten.

## Change it

Edit `blueprint.yaml`, then:

```sh
nines build blueprint.yaml -o .           # says what the change means for callers and for data
nines build blueprint.yaml -o . --check   # writes nothing; fails when something is out of date
```

Callers are never broken by accident: that takes `--accept-breaking`, and is written into `CHANGES.md`. A migration has
phases: `python -m {name}.migrate` expands before a release, and `--contract` tidies up when no old process is left.
`nines eject .` puts the runtime's source beside yours, should you want to part.
{_apart(design)}"""
