"""The form of a runbook, the same for each, so that nobody has to search at night."""

from __future__ import annotations

from nines.dossier.markdown import bullets, code, fence, heading, link, page, table
from nines.dossier.words import duration
from nines.model.design import Alert, Design, FailureMode
from nines.model.record import Record


class Runbook(Record):
    means: str
    see: tuple[str, ...]
    """Blocks of Markdown."""
    first: tuple[str, ...]
    """Steps, in order."""
    stop: tuple[str, ...]
    escalate: tuple[str, ...]


def text(design: Design, alert: Alert, book: Runbook) -> str:
    return page(
        heading(1, alert.name),
        f"**{_loud(alert)}** · {alert.says}",
        heading(2, "What it means"),
        book.means,
        _failures(design, alert),
        heading(2, "How to see it"),
        f"{link('The dashboard', f'../dashboards/{design.name}.json')}, and what the alert asks:",
        fence("promql", alert.expression),
        *book.see,
        heading(2, "What to do first"),
        _steps(book.first),
        heading(2, "How to make it stop"),
        bullets(book.stop),
        heading(2, "When to call somebody else"),
        bullets((*book.escalate, *_always(design, alert))),
    )


def sql(*statements: str) -> str:
    return fence("sql", "\n".join(each for each in statements if each))


def kubectl(design: Design, *lines: str) -> str:
    """Commands of the platform; "" where it is another one."""
    return fence("sh", "\n".join(lines)) if design.deploy.platform == "kubernetes" and not design.is_recovered else ""


def owner(design: Design) -> str:
    return design.card.owner or "whoever owns the service"


def _loud(alert: Alert) -> str:
    wait = f" after {duration(alert.for_s)}" if alert.for_s else ""
    return f"Page{wait}: now" if alert.severity == "page" else f"Ticket{wait}: within a working day"


def _steps(steps: tuple[str, ...]) -> str:
    return "\n".join(f"{at}. {' '.join(step.split())}" for at, step in enumerate(steps, 1))


def _failures(design: Design, alert: Alert) -> str:
    """The failure modes that this alert tells of."""
    found = [each for each in design.failures if each.alert == alert.name]
    return table(("failure", "of", "how", "callers see", "held in by"), [_failure(each) for each in found])


def _failure(mode: FailureMode) -> tuple[str, ...]:
    return (mode.id, code(mode.dependency), mode.mode, mode.caller_sees, "; ".join(mode.contained_by))


def _always(design: Design, alert: Alert) -> tuple[str, ...]:
    if alert.severity != "page":
        return ()
    return (
        f"Nothing that is written here has helped after {duration(design.budgets.recovery_s)}, the recovery "
        "budget: open "
        f"an incident ({link('roles and severities', '../incidents.md')}).",
    )
