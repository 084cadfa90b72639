"""Backup, restore and disaster: what is promised, what keeps it, and the drill that shows it."""

# ruff: noqa: S608 -- Names are quoted; nothing of a caller becomes part of a text.

from __future__ import annotations

from nines.dossier.chapters.operation import timing
from nines.dossier.markdown import bullets, code, fence, heading, link, page, table
from nines.dossier.words import duration, size
from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design
from nines.model.design.ddl import literal, quoted

RESTORE_BYTES_S = 100 * 1024**2
"""What a restore from an object store reads and replays a second; measure your own."""
BASE_EVERY_S = 86_400.0
KEPT_S = 30 * 86_400.0
ARCHIVE_S = 60.0
"""How often the log is copied away at the latest (archive_timeout)."""
DRILL_EVERY_S = 90 * 86_400.0


def text(design: Design) -> str:
    stores = [each for each in design.dependencies if each.kind is DependencyKind.POSTGRES]
    if not stores:
        return page(
            heading(1, "Backup and recovery"),
            "There is no database of its own: what must come back after a disaster is the image, its settings and "
            "its secrets.",
        )
    return page(
        heading(1, "Backup and recovery"),
        _promises(design, stores[0]),
        heading(2, "What keeps it"),
        bullets(_keeps(design, stores[0])),
        heading(2, "What a restore takes"),
        _restore(design),
        heading(2, "Restore, step by step"),
        _steps(design, stores[0]),
        heading(2, "The drill"),
        _drill(design),
    )


def _promises(design: Design, store: Dependency) -> str:
    budgets = design.budgets
    sync = store.replication == "synchronous"
    none = store.replication not in ("synchronous", "asynchronous")
    failover = (
        "a copy takes over; it has every acknowledged commit"
        if sync
        else "a copy takes over; what it had not received is gone"
        if not none
        else "no copy is named in the blueprint: a restore"
    )
    lost = "nothing" if sync else f"at most {duration(budgets.loss_s)}" if not none else f"up to {duration(ARCHIVE_S)}"
    restore_s = _restore_s(design)
    rows = [
        _process(design),
        ("the primary", failover, lost, f"within {duration(budgets.recovery_s)}" if not none else _about(restore_s)),
        (
            "a zone",
            f"as above; the service runs in {design.deploy.zones}"
            if design.deploy.zones > 1
            else "there is only one: all of it",
            lost,
            f"within {duration(budgets.recovery_s)}" if design.deploy.zones > 1 and not none else _about(restore_s),
        ),
        (
            "the region, or every copy" if design.deploy.regions == 1 else "every region",
            "a restore from the archive, elsewhere",
            f"up to {duration(ARCHIVE_S)}: what was not yet copied away",
            _about(restore_s),
        ),
        (
            "data by mistake",
            "a restore beside it, to the second before; the rows are copied over",
            "nothing else",
            _about(restore_s),
        ),
    ]
    note = (
        f"The budgets promise a recovery point of {duration(budgets.loss_s)} and a recovery time of "
        f"{duration(budgets.recovery_s)}."
    )
    return f"{note} {_holds(design, has_copy=not none)}\n\n" + table(
        ("what is lost", "what happens", "data lost", "back after"), rows
    )


def _holds(design: Design, *, has_copy: bool) -> str:
    if not has_copy:
        return (
            "They hold while the primary does: the blueprint names no copy of it, and its loss is a restore. Name one "
            "(`replication: synchronous`), or promise what the table says."
        )
    kept = ["a process", "the primary", *(["a zone"] if design.deploy.zones > 1 else [])]
    beyond = (
        " They do not hold for the loss of the region: that would need a second one, which the blueprint does not ask "
        "for; the last lines say what holds instead."
        if design.deploy.regions == 1
        else ""
    )
    return f"They hold for the failures that happen in any year: {', '.join(kept)}.{beyond}"


def _process(design: Design) -> tuple[str, ...]:
    alone = any(each.replicas_min == 1 for each in design.running.deployables)
    if alone:
        until = f"up to {duration(timing.STARTUP_S)}"
        return (
            "a process",
            "it is the only one: nobody answers until the platform has started another",
            "nothing",
            until,
        )
    return ("a process", "the others answer, the platform starts another", "nothing", "seconds")


def _about(seconds: float) -> str:
    return (
        f"about {duration(seconds)}, once somebody has decided"
        if seconds
        else "not known: the amount of data is not known"
    )


def _keeps(design: Design, store: Dependency) -> list[str]:
    name = code(store.name)
    copies = {
        "synchronous": f"{name} acknowledges a commit when a copy in another zone has it (`synchronous_commit = on`, "
        "`synchronous_standby_names = 'ANY 1 (...)'`); with two copies the loss of one holds nobody up.",
        "asynchronous": f"{name} has a copy that follows; the alert on its lag fires at half of "
        f"{duration(design.budgets.loss_s)}.",
    }
    found = [copies[store.replication]] if store.replication in copies else []
    found += [
        f"A base backup every {duration(BASE_EVERY_S)}, and the log copied away every {duration(ARCHIVE_S)} at the "
        "latest "
        "(`archive_timeout`), to an object store in another account and another region, encrypted, with object lock: "
        "whoever takes over the service cannot delete them.",
        f"Kept for {duration(KEPT_S)}. What must be erased sooner is gone from the database at once and from the "
        "backups "
        f"when they end; after a restore the purging jobs run before the service opens.",
        "Each base backup is verified (`pg_verifybackup`); an archive that stops is an alert.",
        "Secrets and keys are backed up where they live, not with the data: without the keys encrypted columns are "
        "noise.",
    ]
    others = [each for each in design.dependencies if each.kind in (DependencyKind.REDIS, DependencyKind.OBJECTS)]
    for other in others:
        if other.kind is DependencyKind.REDIS:
            found.append(f"{code(other.name)} holds nothing that is not in {name} as well: it starts empty.")
        else:
            found.append(
                f"{code(other.name)}: versions of objects kept for {duration(KEPT_S)}, copied to another region."
            )
    brokers = [
        e for e in design.dependencies if e.kind in (DependencyKind.KAFKA, DependencyKind.NATS, DependencyKind.RABBITMQ)
    ]
    if brokers and any(each.name.endswith("outbox") for each in design.tables):
        found.append(
            f"{code(brokers[0].name)} may lose what it carried: what was not confirmed is still in the outbox."
        )
    return found


def _bytes(design: Design, year: int) -> int:
    return sum(each.growth.bytes[year] for each in design.tables if each.growth and len(each.growth.bytes) > year)


def _restore_s(design: Design) -> float:
    return _bytes(design, 1) / RESTORE_BYTES_S + 900.0 if _bytes(design, 1) else 0.0


def _restore(design: Design) -> str:
    rows = [
        (
            f"after year {year}" if year else "at the start",
            size(_bytes(design, year)),
            duration(_bytes(design, year) / RESTORE_BYTES_S + 900.0),
        )
        for year in range(4)
        if _bytes(design, year)
    ]
    if not rows:
        return "How much data there is, is not known; measure one restore."
    return (
        f"Reading at {size(RESTORE_BYTES_S)}/s, and 15 minutes for a machine, the log since the last base backup, "
        "and the "
        "checks; the first drill replaces this assumption by a figure.\n\n" + table(("when", "data", "restore"), rows)
    )


def _steps(design: Design, store: Dependency) -> str:
    name = f"{design.name}-{store.name}"
    counts = "\nUNION ALL ".join(
        f"SELECT {literal(each.name)} AS name, count(*) FROM {quoted(each.name)}" for each in design.tables[:5]
    )
    steps = [
        "Decide, and write down who did and when: to what moment. Data by mistake: the second before it. "
        "Otherwise: the latest.",
        f"Stop the writers: {_stop(design)}",
        "A new server from the last base backup before that moment, beside the old one; never over it "
        f"({code(name)} stays as it is).",
        "`recovery_target_time` in its settings, `recovery.signal` beside them, start it, and wait until it says "
        "that it is done.",
        "Look before anybody writes: the newest rows, and how many there are.",
        "Run the purging jobs, then let the service connect to it, a single process first.",
        "Give the copies and the archive a new base backup: the timeline is another one.",
    ]
    numbered = "\n".join(f"{at}. {step}" for at, step in enumerate(steps, 1))
    return f"{numbered}\n\n{fence('sql', counts + ';')}" if counts else numbered


def _stop(design: Design) -> str:
    if design.deploy.platform != "kubernetes":
        return "every process of the service."
    return (
        ", ".join(code(f"kubectl scale deployment/{each.name} --replicas=0") for each in design.running.deployables)
        + "."
    )


def _drill(design: Design) -> str:
    budgets = design.budgets
    rows = [
        ("a process is killed under load", "`nines prove --only crash/durable-kill`: lost writes, time to "
                                           "recover", "each release"),
        ("the primary is killed under load", "the same writes on the test system; back within "
                                             f"{duration(budgets.recovery_s)}, "
         f"{'no' if budgets.loss_s == 0 else f'at most {duration(budgets.loss_s)} of'} acknowledged "
         "writes lost", "a quarter"),
        ("a restore, elsewhere, to a moment that somebody draws", "the time from the decision to the first answer; "
                                                                  "the rows of the "
         "hour before compared with a count that was written down", "a quarter"),
        ("a restore by somebody who has never done it, with this page alone", "where the page was wrong", "a year"),
    ]  # fmt: skip
    return (
        f"Every {duration(DRILL_EVERY_S)}, announced, on a system that is like production; a drill that was not "
        "done counts as a "
        "promise that is not kept. Its figures replace the ones above.\n\n"
        + table(("what", "what is measured", "how often"), rows)
        + f"\n\nWhat went wrong becomes a task with a name, as after {link('an incident', 'incidents.md')}."
    )
