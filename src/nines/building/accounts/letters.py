"""`_generated/letters.py`: what is left for the job that sends mail; and the owner's texts, `operations/letters.py`."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.facts import People
from nines.building.file import File
from nines.building.resources import mailing
from nines.building.resources.ports import ports_of
from nines.model.blueprint import Action, DependencyKind
from nines.model.design import PlannedQuery

_SAYS = "Letters: left in the transaction that asks for them, encrypted while they wait, sent by a job."
_TEMPLATES = {
    "verify": ((Action.REGISTER, Action.SEND_CODE), "Your code", "{code} is your code. It works for ten minutes."),
    "taken": (
        (Action.REGISTER,),
        "You have an account already",
        "Somebody wanted to register with this address, and you have an account.\\n"
        "If it was you: sign in, or ask for a new password. If it was not, nothing has to be done.",
    ),
    "reset": (
        (Action.REQUEST_RESET,),
        "Your code for a new password",
        "{code} is your code for a new password. It works for ten minutes.\\n"
        "If you did not ask for it, nothing has to be done.",
    ),
    "sign-in": (
        (Action.REQUEST_SIGN_IN,),
        "Your code to sign in",
        "{code} is your code to sign in. It works for ten minutes.\\n"
        "If you did not ask for it, nothing has to be done.",
    ),
    "changed": (
        (Action.RESET_PASSWORD,),
        "Your password was changed",
        "Your password was changed, and you were signed out everywhere.\\n"
        "If it was not you, ask for a new password now.",
    ),
}


def write(people: People) -> Iterator[File]:
    left = _leave(people)
    if left is None:
        return
    yield File(path=names.source(people.design, "_generated/letters.py"), text=_generated(people, left))
    yield File(path=names.source(people.design, "operations/letters.py"), text=_owned(people), is_owned=True)
    yield from _gateway(people)


def _gateway(people: People) -> Iterator[File]:
    """The owner's adapter of whoever carries letters, where that is done by SMTP."""
    carrier = next((each for each in people.design.dependencies if each.kind is DependencyKind.SMTP), None)
    if carrier is None:
        return
    name = names.snake(carrier.name)
    if not ports_of(people.design):
        init = '"""Yours: how others are asked."""\n'
        yield File(path=names.source(people.design, "gateways/__init__.py"), text=init, is_owned=True)
    text = f'''"""How letters leave. Yours: whom they come from, and who carries them."""

from __future__ import annotations

from pathlib import Path

from nines_runtime import {", ".join(mailing.used(carrier))}

from {people.package}._generated.settings import GeneratedSettings

{mailing.opening(people.design, carrier)}'''
    yield File(path=names.source(people.design, f"gateways/{name}.py"), text=text, is_owned=True)


def _leave(people: People) -> PlannedQuery | None:
    table = people.mail_table
    wanted = f"leave-{table.name.replace('_', '-')}" if table else ""
    return next((each for each in people.design.queries if each.base == wanted), None)


def _generated(people: People, left: PlannedQuery) -> str:
    imports = python.Imports(people.package)
    imports.add("typing", "Any")
    imports.add("collections.abc", "Mapping")
    imports.add("msgspec")
    imports.add("nines_runtime", "Deadline", "GiveUp", "Declined", "Mail", "new_id")
    imports.add(f"{people.package}._generated", "sql")
    imports.add(f"{people.package}._generated.service", "Service")
    imports.add(f"{people.package}.operations", "letters")
    given = {"id": "id", "template": "template", "payload": "sealed"}
    values = [given.get(each, '""') for each in left.parameters]
    sent = python.call("await tx.execute", f"sql.{names.constant(left.id)}", *values)
    table = left.tables[0]
    body = [
        f'PLACE = "{table}.payload"',
        '"""What a letter is bound to while it is encrypted, together with its row."""',
        "",
        "",
        "class Note(msgspec.Struct, frozen=True, kw_only=True):",
        '    """What a letter is written from."""',
        "",
        "    to: str",
        '    locale: str = ""',
        '    code: str = ""',
        "",
        "",
        "_read = msgspec.json.Decoder(Note).decode",
        "",
        "",
        *python.laid(
            python.Group(
                head="async def leave",
                parts=(
                    "service: Service",
                    "tx: Any",
                    "template: str",
                    "*",
                    "to: str",
                    'locale: str = ""',
                    'code: str = ""',
                ),
                tail=" -> None:",
            )
        ),
        '    """One letter, with the change that it tells of: both are there, or none is."""',
        "    id = new_id()",
        "    note = msgspec.json.encode(Note(to=to, locale=locale, code=code))",
        "    sealed = service.accounts.cipher.encrypt(note, PLACE, id)",
        *python.laid(sent, depth=1),
        "",
        "",
        "async def send(service: Service, row: Mapping[str, Any], deadline: Deadline) -> None:",
        '    """Sends one; it keeps its id when it is sent again, so that a mailbox can tell a copy."""',
        '    note = _read(service.accounts.cipher.decrypt_bytes(row["payload"], PLACE, row["id"]))',
        '    subject, text = letters.write(row["template"], note.locale, note.code)',
        "    try:",
        '        await service.mail.send(deadline, Mail(to=note.to, subject=subject, text=text, id=row["id"].hex))',
        "    except Declined as refusal:",
        "        raise GiveUp from refusal",
    ]
    return python.module(_SAYS, imports, body)


def _owned(people: People) -> str:
    lines = [
        '"""What people get by mail. Yours: words, languages, and whether there are links to your pages."""',
        "",
        "from __future__ import annotations",
        "",
        "_ENGLISH = {",
    ]
    for name, (actions, subject, text) in _TEMPLATES.items():
        if people.uses(*actions):
            lines += [f'    "{name}": (', f'        "{subject}",', *_spread(text), "    ),"]
    lines += [
        "}",
        '_LANGUAGES = {"en": _ENGLISH}',
        "",
        "",
        "def write(template: str, locale: str, code: str) -> tuple[str, str]:",
        '    """The subject and the text of a letter; English where nobody wrote it in that language yet."""',
        '    language = _LANGUAGES.get(locale.partition("-")[0].lower(), _ENGLISH)',
        "    subject, text = language[template]",
        "    return subject, text.format(code=code)",
    ]
    return "\n".join(lines) + "\n"


def _spread(text: str) -> list[str]:
    parts = text.split("\\n")
    told = [f'"{part}\\n"' for part in parts]
    return (
        [f"        {told[0]},"]
        if len(told) == 1
        else [f"        {each}" for each in told[:-1]] + [f"        {told[-1]},"]
    )
