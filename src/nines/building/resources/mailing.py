"""Whoever carries mail: how it is opened, and what sends by it beside signing in."""

from __future__ import annotations

from nines.building import names, python
from nines.building.project.settings import variables
from nines.building.resources.code import Code
from nines.building.resources.facts import Thing
from nines.model.blueprint import Dependency, FieldKind
from nines.model.design import Design


def leaves_letters(design: Design) -> bool:
    """Whether signing in leaves letters for a job that sends them."""
    return any(query.base.startswith("claim-from-") and query.base != "claim-from-outbox" for query in design.queries)


def used(carrier: Dependency) -> tuple[str, ...]:
    """What of the runtime the opening names."""
    kept = (("Breaker", carrier.breaker), ("Bulkhead", carrier.bulkhead))
    return (*(name for name, value in kept if value), "CallObserver", "FolderMailer", "Mailer", "Mailing")


def opening(design: Design, carrier: Dependency) -> str:
    """The constants and the function by which it is opened."""
    name = names.snake(carrier.name)
    given = [
        f'"{carrier.name}"',
        f"str(settings.{variables(carrier)[0].lower()})",
        "sender=SENDER",
        f"timeout_s={carrier.timeout_s or 5.0!r}",
        "credential=credential.reveal() if credential else None",
    ]
    if carrier.breaker:
        told = (
            f"error_share={carrier.breaker.error_share!r}, of={carrier.breaker.of}, open_s={carrier.breaker.open_s!r}"
        )
        given.append(f"breaker=Breaker({told})")
    if carrier.bulkhead:
        given.append(f"bulkhead=Bulkhead({carrier.bulkhead})")
    given.append("observer=observer")
    made = "\n".join(python.laid(python.call("return Mailer", *given), depth=1))
    return f'''SENDER = "{design.name}@example.com"
FOLDER = Path(".local/{name}")
"""On a laptop letters are files."""


def mail(settings: GeneratedSettings, observer: CallObserver | None = None) -> Mailing:
    """Opened at the start, closed at the end."""
    if settings.environment == "local":
        return FolderMailer("{carrier.name}", FOLDER, sender=SENDER, environment=settings.environment)
    credential = settings.{name}_credential
{made}
'''


def sent(code: Code, thing: Thing | None, dependency: str, verb: str) -> None:
    """The body of a method that sends a letter about something: to whom, where its own fields tell."""
    address = next(
        (f for f in thing.resource.fields if f.kind is FieldKind.EMAIL and not f.is_list) if thing else iter(()), None
    )
    if thing is None or address is None:
        code.runtime("Unanswered", "Why")
        code.line(f"del deadline, {f'{thing.noun}, ' if thing else ''}key")
        code.comment("Whom it goes to is yours to say: send a Mail by self._mailer.")
        given = (python.quoted(dependency), python.quoted(verb), "why=Why.NOT_UNDERSTOOD", "may_have_happened=False")
        code.put(python.call("raise Unanswered", *given))
        return
    code.runtime("Mail")
    member = f"{thing.noun}.{names.snake(address.name)}"
    letter = python.call(
        "Mail",
        f'to={member} or ""' if address.is_optional else f"to={member}",
        f"subject={python.quoted(thing.spoken.capitalize())}",
        f'text=f"About your {thing.spoken} {{{thing.noun}.id}}."',
        "id=key",
    )
    code.put(python.call("await self._mailer.send", "deadline", letter, f"verb={python.quoted(verb)}"))
    if thing.told:
        code.line(f"return {code.shape(thing.told)}()")
