"""One generated module while it is put together: its imports, its constants, and the heads of its operations."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.facts import SIGNING_CHAIN, People
from nines.building.accounts.shapes import MODULE as SHAPES
from nines.building.resources.guards import BODY_BYTES_MAX
from nines.model.blueprint import Action, Limit
from nines.model.design import PlannedEndpoint, PlannedJob, PlannedQuery

_DAY_S = 86_400.0


class Collected:
    """Imports, constants and functions of one module; what its operations write beside their change."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.imports = python.Imports(people.package)
        self._constants: dict[str, str] = {}
        self._helpers: dict[str, list[str]] = {}
        generated = f"{people.package}._generated"
        self.imports.add("nines_runtime", "Answer", "Call", "Operations")
        self.imports.add(generated, "sql")
        self.imports.add(f"{generated}.service", "Service")

    def head(self) -> list[str]:
        """What stands between the imports and the first operation."""
        constants = [f"{name} = {value}" for name, value in self._constants.items()]
        return ["operations: Operations[Service] = Operations()", *constants]

    def helpers(self) -> Iterator[list[str]]:
        yield from self._helpers.values()

    def constant(self, name: str, value: str) -> str:
        self._constants[name] = value
        return name

    def lasting(self, name: str, seconds: float) -> str:
        """A time to live, as a constant."""
        self.imports.add("datetime", "timedelta")
        return self.constant(name, f"timedelta({_seconds(seconds)})")

    def sql(self, endpoint: PlannedEndpoint, base: str) -> str:
        """The constant of a statement."""
        return f"sql.{names.constant(self.people.query(endpoint, base).id)}"

    def query(self, endpoint: PlannedEndpoint, base: str) -> PlannedQuery:
        return self.people.query(endpoint, base)

    def shape(self, name: str) -> str:
        self.imports.add(f"{self.people.package}._generated.{SHAPES}", name)
        return name

    def opened(self, endpoint: PlannedEndpoint, *, body: str = "") -> list[str]:
        """The decorator, the signature and the docstring of an operation."""
        parts: list[python.Part] = [python.quoted(endpoint.path), f"id={python.quoted(endpoint.id)}"]
        if endpoint.is_public:
            parts.append("is_public=True")
        if endpoint.limit:
            parts.append(python.named("limit", self._limit(endpoint, endpoint.limit)))
        if endpoint.idempotency:
            self.imports.add("nines_runtime", "Key")
            required = "" if endpoint.idempotency.is_required else "is_required=False, "
            parts.append(f"key=Key({required}ttl_s={_number(endpoint.idempotency.ttl_s)})")
        if endpoint.body_bytes_max not in (0, BODY_BYTES_MAX):
            parts.append(f"body_bytes_max={endpoint.body_bytes_max:_}")
        if not endpoint.is_critical:
            parts.append("sheds_first=True")
        given = f", body: {self.shape(body)}" if body else ""
        name = names.snake(endpoint.id)
        return [
            *python.laid(python.call(f"@operations.{endpoint.method.lower()}", *parts)),
            f"async def {name}(service: Service, call: Call{given}) -> Answer:",
            *python.docstring(_says(endpoint), depth=1),
        ]

    def _limit(self, endpoint: PlannedEndpoint, limit: Limit) -> str:
        self.imports.add("nines_runtime", "Limit")
        parts = [str(limit.count)]
        if limit.period_s != 60.0:
            parts.append(_number(limit.period_s))
        counted = self._counted(endpoint) if limit.per == "account" else ""
        # Where no member of the body names the account, the address is what is left to count by.
        per = "address" if limit.per == "account" and not counted else limit.per
        if per != "subject":
            parts.append(f'per="{per}"')
        if counted:
            parts.append(f'field="{counted}"')
        if not limit.operation:
            parts.append('name="default"')
        return f"Limit({', '.join(parts)})"

    def _counted(self, endpoint: PlannedEndpoint) -> str:
        """The member of the body that names the account."""
        shape = self.people.design.shape(endpoint.request)
        members = shape.schema.get("properties", {}) if shape else {}
        wanted = (self.people.login, "challenge_id", "refresh_token")
        return next((each for each in wanted if each in members), "")

    def audited(self, id: str, changes: str, *, depth: int) -> list[str]:
        """One entry of the audit trail, where it is wanted."""
        if not self.people.is_audited:
            return []
        if id != "call.subject":
            self.imports.add("nines_runtime.data.identifiers", "identifier_text")
            id = f"identifier_text({id}, {python.quoted(self.people.prefix)})"
        call = python.call("await service.audit.add", "tx", "call", f'"{SIGNING_CHAIN}"', id, changes)
        return python.laid(call, depth=depth)

    def left(self, template: str, *given: str, depth: int) -> list[str]:
        """One letter that is left for the job which sends it, where there is such a job."""
        if self.people.mail_table is None:
            return []
        self.imports.add(f"{self.people.package}._generated", "letters")
        parts = ("service", "tx", python.quoted(template), *given)
        return python.laid(python.call("await letters.leave", *parts), depth=depth)

    def woken(self, endpoint: PlannedEndpoint) -> list[str]:
        """The job that sends need not wait for its next look, nor the relay."""
        found = []
        job = next((each for each in self.people.design.jobs if self._sends(each)), None)
        if self.people.mail_table is not None and job is not None:
            found.append(f'    service.wake("{job.name}")')
        return [*found, *(['    service.wake("relayOutbox")'] if endpoint.emits else [])]

    def _sends(self, job: PlannedJob) -> bool:
        table = self.people.mail_table
        return table is not None and f"claim-from-{table.name.replace('_', '-')}" in job.queries

    def evenly(self) -> str:
        self.imports.add("nines_runtime.security.accounts", "Evenly")
        return "even = Evenly()"

    def emitted(self, endpoint: PlannedEndpoint, id: str, *, depth: int) -> list[str]:
        found: list[str] = []
        events = {each.name: each for each in self.people.design.events}
        for name in endpoint.emits:
            version = events[name].version if name in events else 1
            self.imports.add("nines_runtime.data.identifiers", "identifier_text")
            told = f"identifier_text({id}, {python.quoted(self.people.prefix)})"
            status = (
                f', "status": {python.quoted(self.people.resource.states[0].name)}'
                if self.people.resource.states
                else ""
            )
            found += [f"{python.INDENT * depth}{self.people.noun}_id = {told}"]
            parts: list[python.Part] = ["tx", "call", python.quoted(name), f"{self.people.noun}_id"]
            parts.append(f'{{"id": {self.people.noun}_id{status}}}')
            if version != 1:
                parts.append(f"version={version}")
            found += python.laid(python.call("await service.outbox.add", *parts), depth=depth)
        return found

    def helper(self, name: str, lines: list[str]) -> None:
        self._helpers[name] = lines

    def lowered(self, text: str) -> str:
        """The name as it is kept."""
        return f"{text}.lower()" if self.people.is_mail else text


def _says(endpoint: PlannedEndpoint) -> str:
    said = _SAYS[endpoint.action]
    return said if said.endswith(".") else f"{said}."


_SAYS = {
    Action.REGISTER: "Makes an account that is not verified yet, and leaves a letter for whoever has the address; "
    "whose name is taken is told by that letter alone.",
    Action.VERIFY_CODE: "Shows that the address is theirs: the code was in their mailbox, the challenge in the hands "
    "of whoever registered.",
    Action.SEND_CODE: "Sends a new code for the same registration; who forgot it registers again.",
    Action.SIGN_IN: "Opens a session for the right password; whoever fails waits longer each time, by account and by "
    "address.",
    Action.REFRESH: "Takes a refresh token for the next one; a token that comes twice ends its session.",
    Action.SIGN_OUT: "Ends the session of the token, also where it was ended before.",
    Action.SIGN_OUT_EVERYWHERE: "Ends every session of the account.",
    Action.LIST_SESSIONS: "Where the account is signed in: its sessions that hold, the newest first.",
    Action.END_SESSION: "Ends one session of the account, on a device that was lost.",
    Action.REQUEST_RESET: "Sends a code for a new password to whoever has an account, and says nothing of it.",
    Action.REQUEST_SIGN_IN: "Sends a code to sign in with to whoever has an account, and says nothing of it.",
    Action.SIGN_IN_BY_CODE: "Opens a session for the code that was sent, without a password.",
    Action.RESET_PASSWORD: "Takes a new password for the code that was sent, and ends every session of the account.",
}


def _seconds(seconds: float) -> str:
    if seconds % _DAY_S == 0:
        return f"days={_number(seconds / _DAY_S)}"
    if seconds % 60 == 0:
        return f"minutes={_number(seconds / 60)}"
    return f"seconds={_number(seconds)}"


def _number(value: float) -> str:
    return f"{int(value):_}" if value == int(value) else repr(value)
