"""The functions that several operations of signing in share: each is written when the first of them needs it."""

from __future__ import annotations

from nines.building import python
from nines.building.accounts.collecting import Collected
from nines.model.design import PlannedEndpoint

CODE_TTL_S = 600.0
FAILURES_TTL_S = 86_400.0
CHALLENGE = "chl"


class Module(Collected):
    """Collects what the operations of one module have in common."""

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
