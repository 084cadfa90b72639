"""How many copies of what was acknowledged there are."""

from __future__ import annotations

from nines.model.design import Decision, Design
from nines.model.words import count, duration
from nines.planning.decisions.deciding import database, is_said, option, resource

NUMBER = 13
_SYNCHRONOUS = "a synchronous copy in another zone"
_ASYNCHRONOUS = "an asynchronous copy"
_NONE = "one server, with backups and archived logs"
_CHOSEN = {"synchronous": _SYNCHRONOUS, "asynchronous": _ASYNCHRONOUS, "none": _NONE}
_ARCHIVED_S = 300.0
"""archive_timeout, which has to be set: PostgreSQL leaves it off."""


def decide(design: Design) -> Decision | None:
    found = database(design)
    if found is None or design.blueprint is None:
        return None
    loss_s = design.budgets.loss_s
    said = found.replication in _CHOSEN
    chosen = _CHOSEN[found.replication] if said else _of(loss_s)
    commits = resource(design, "database commits")
    return Decision(
        id="replication",
        number=NUMBER,
        concern="Replication and what may be lost",
        context=f"{'Nothing' if loss_s == 0 else duration(loss_s)} of what was acknowledged may be lost (rpo); the "
        "service "
        f"must answer again within {duration(design.budgets.recovery_s)}."
        + (f" {count(commits.at_peak)} commits a second at the peak." if commits else ""),
        options=(
            option(
                _SYNCHRONOUS,
                "a commit is in two places before it is acknowledged: the primary may burn",
                "about 1.5 ms more for each commit; when the copy is away, either writes stop or a second copy is "
                "there",
                "nothing may be lost",
            ),
            option(
                _ASYNCHRONOUS,
                "commits wait for one disk only; reads can go to the copy",
                "what was acknowledged in the last moments (usually well below a second, more under load) is lost with "
                "the primary",
                "the last seconds can be asked for again",
            ),
            option(
                _NONE,
                "nothing to keep in step",
                f"with the disk goes what was not archived yet, up to {duration(_ARCHIVED_S)} with that "
                "archive_timeout, and "
                "hours until a restored server answers",
                "everything can be made again from elsewhere",
            ),
        ),
        chosen=chosen,
        because=_because(chosen, loss_s),
        consequences=_consequences(chosen, found.name),
        changes_when="What may be lost is no longer nothing: then commits need not wait."
        if chosen == _SYNCHRONOUS
        else "Somebody counts on the last second of what was acknowledged.",
        is_given=said and is_said(design, f"dependencies.{found.name}.replication"),
    )


def _of(loss_s: float) -> str:
    if loss_s == 0:
        return _SYNCHRONOUS
    return _ASYNCHRONOUS if loss_s < 3_600 else _NONE


def _because(chosen: str, loss_s: float) -> str:
    if chosen == _SYNCHRONOUS and loss_s == 0:
        return "Nothing that was acknowledged may be lost, and one disk is one disk"
    if chosen == _SYNCHRONOUS:
        return f"It is asked for, although {duration(loss_s)} might be lost: the 1.5 ms are cheap"
    if chosen == _ASYNCHRONOUS:
        return f"{duration(loss_s)} may be lost, and a copy that runs is usually less than a second behind"
    return f"{duration(loss_s)} may be lost, which an archive of the logs keeps"


def _consequences(chosen: str, server: str) -> tuple[str, ...]:
    backups = (
        "Backups are tried by restoring them, at least every month: a copy repeats a wrong DELETE within a millisecond."
    )
    if chosen == _SYNCHRONOUS:
        return (
            f"{server} has two standbys and waits for any one of them (synchronous_standby_names = 'ANY 1 (...)'), so "
            "that losing one does not stop writes.",
            backups,
        )
    return (backups,)
