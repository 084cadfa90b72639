"""One generated module while it is put together: its imports, its constants, and the functions that several need."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.facts import SIGNING_CHAIN, People
from nines.building.accounts.shapes import MODULE as SHAPES
from nines.building.resources.guards import BODY_BYTES_MAX
from nines.model.blueprint import Action, Limit
from nines.model.design import PlannedEndpoint, PlannedJob, PlannedQuery

CODE_TTL_S = 600.0
FAILURES_TTL_S = 86_400.0
CHALLENGE = "chl"
_DAY_S = 86_400.0


class Module:
    """Collects what the operations of one module have in common."""

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

    def checked(self, password: str, *about: str) -> str:
        """The line that refuses a password which everybody tries."""
        self.imports.add("nines_runtime", "Problem")
        self.imports.add("nines_runtime.security.strength", "objection")
        self._helpers["strong"] = [
            "def _check_password(password: str, *about: str) -> None:",
            "    said = objection(password, about=about)",
            "    if said:",
            f'        raise Problem("invalid-request", errors=(("/{password}", said),))',
        ]
        return f"    _check_password({', '.join([f'body.{password}', *about])})"

    def challenge(self) -> str:
        """The function that answers that a code may be on its way."""
        self.imports.add("nines_runtime.data.identifiers", "identifier_text")
        self.imports.add("uuid", "UUID")
        self.shape("Challenge")
        ttl = self.lasting("CODE_TTL", CODE_TTL_S)
        self._helpers["challenge"] = [
            "def _challenge(service: Service, challenge: UUID) -> Answer:",
            '    """The same whether or not a code was sent."""',
            "    return Answer.of(",
            "        Challenge(",
            f'            challenge_id=identifier_text(challenge, "{CHALLENGE}"),',
            f"            expires_at=service.accounts.now() + {ttl},",
            "        ),",
            "        status=202,",
            "    )",
        ]
        return "_challenge"

    def tried(self) -> str:
        """The function that reads a challenge of a body."""
        self.imports.add("nines_runtime", "Problem")
        self.imports.add("nines_runtime.data.identifiers", "identifier_of")
        self.imports.add("uuid", "UUID")
        self._helpers["named"] = [
            "def _named(text: str) -> UUID:",
            f'    found = identifier_of(text, "{CHALLENGE}")',
            "    if found is None:",
            '        raise Problem("code-rejected")',
            "    return found",
        ]
        return "_named"

    def right(self, endpoint: PlannedEndpoint) -> str:
        """The function that finds a code which is right."""
        kebab = self.people.noun.replace("_", "-")
        self.imports.add("nines_runtime", "Connection")
        self.imports.add("collections.abc", "Mapping")
        self.imports.add("typing", "Any")
        head = python.Group(
            head="async def _tried",
            parts=("service: Service", "tx: Connection", "challenge: UUID", "code: str", "purpose: str"),
            tail=" -> Mapping[str, Any] | None:",
        )
        self._helpers["tried"] = [
            *python.laid(head),
            '    """None for a code that is wrong or over. The attempt is counted, so commit before it is refused."""',
            *python.laid(
                python.call("await tx.fetchrow", self.sql(endpoint, f"try-{kebab}-code"), "challenge", "purpose"),
                before="row: Mapping[str, Any] | None = ",
                depth=1,
            ),
            '    if row is None or not service.accounts.codes.matches(challenge, code, row["code_hash"]):',
            "        return None",
            "    return row",
        ]
        return "_tried"

    def factor(self) -> str:
        """The function that compares the code of a second factor."""
        self.imports.add("nines_runtime", "Problem")
        self.imports.add("collections.abc", "Mapping")
        self.imports.add("msgspec", "UNSET", "UnsetType")
        self.imports.add("typing", "Any")
        table = f"{self.people.noun}_second_factors.secret"
        holder = "SessionAccounts" if self.people.keeps_sessions else "Accounts"
        head = python.Group(
            head="def _factor",
            parts=(f"accounts: {holder}", "row: Mapping[str, Any]", "code: str | UnsetType"),
            tail=" -> int | None:",
        )
        self.imports.add("nines_runtime.security.accounts", holder)
        self._helpers["factor"] = [
            *python.laid(head),
            '    """The step of the code; 0 where the account has no second factor, None for a code that is wrong."""',
            '    if row["factor_secret"] is None:',
            "        return 0",
            "    if code is UNSET:",
            '        raise Problem("second-factor-required")',
            f'    secret = accounts.cipher.decrypt_bytes(row["factor_secret"], "{table}", row["id"])',
            "    return accounts.totp.accepted(secret, code)",
        ]
        return "_factor"

    def tokens(self) -> str:
        """The function that answers with both tokens."""
        self.imports.add("nines_runtime.data.identifiers", "identifier_text")
        self.imports.add("nines_runtime.security.secret", "Secret")
        self.imports.add("uuid", "UUID")
        self.shape("Tokens")
        people = self.people
        holder, parameters, given = (
            f"{people.noun}_id",
            ["service: Service", f"{people.noun}_id: UUID", "session: UUID"],
            [],
        )
        if people.has_roles:
            factor = "has_second_factor" if people.has_second_factor else "True"
            parameters.append("roles: list[str]")
            given.append(f"roles=accounts.allowed(roles, has_second_factor={factor})")
        given.append("session=str(session)")
        if people.has_second_factor:
            parameters.append("has_second_factor: bool")
            given.append("has_second_factor=has_second_factor")
        issued = python.call(
            "accounts.issuer.issue", f"identifier_text({holder}, {python.quoted(people.prefix)})", *given
        )
        answer = python.call(
            "Tokens",
            "access_token=access",
            "expires_in=int(accounts.issuer.ttl_s)",
            "refresh_token=refresh.text",
        )
        self._helpers["tokens"] = [
            *python.laid(python.Group(head="def _tokens", parts=(*parameters, "refresh: Secret"), tail=" -> Answer:")),
            "    accounts = service.accounts",
            *python.laid(issued, before="access = ", depth=1),
            *python.laid(answer, before="tokens = ", depth=1),
            "    return Answer.of(tokens, status=201)",
        ]
        return "_tokens"

    def signed_in(self) -> str:
        """The function that answers with the cookie of a session."""
        self.imports.add("datetime", "datetime")
        self.imports.add("nines_runtime.security.secret", "Secret")
        self.imports.add("nines_runtime.security.sessions", "session_cookie")
        self.shape("SignedIn")
        auth = self.people.blueprint.auth
        idle_s, lasting_s = (int(auth.token_ttl_s), int(auth.refresh_ttl_s)) if auth else (0, 0)
        self.constant("IDLE_S", f"{idle_s:_}")
        self.constant("SESSION_S", f"{lasting_s:_}")
        self._helpers["signed_in"] = [
            "def _signed_in(cookie: Secret, until: datetime) -> Answer:",
            "    shown = session_cookie(cookie.text, max_age_s=SESSION_S)",
            "    return Answer.of(SignedIn(expires_at=until, idle_s=IDLE_S), status=201, headers=(shown,))",
        ]
        return "_signed_in"

    def ended(self) -> str:
        """What answers that a session is over."""
        if not self.people.keeps_sessions:
            return "Answer.nothing()"
        self.imports.add("nines_runtime.security.sessions", "ended_cookie")
        return 'Answer(status=204, media_type="", headers=(ended_cookie(),))'

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
