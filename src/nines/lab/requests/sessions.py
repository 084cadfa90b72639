"""Identities signed in: registration, log-in, tokens, cookies, renewal."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from nines.lab.requests import answers
from nines.lab.requests.admission import Admission, told
from nines.lab.requests.confirming import Confirmation, Mail, RunCommand
from nines.lab.requests.fields import PASSWORD
from nines.lab.requests.filling import filled, values_of
from nines.lab.requests.flaws import Headers, decoded, expires_s, flawed
from nines.lab.requests.graph import Graph
from nines.lab.requests.secrets import Secrets
from nines.model.contract import Contract, Operation
from nines.model.errors import NinesError
from nines.model.experiment import Call, CredentialFlaw
from nines.model.history import Exchange, Outcome
from nines.model.settings import Identity, LoginSettings

UNAUTHORIZED = 401
RENEW_BEFORE_S = 30.0
"""How long before its expiry a token is renewed."""
TOKEN_NAMES = ("accesstoken", "token", "jwt", "idtoken", "authtoken", "bearer", "apikey", "key", "sessiontoken")
_SUBJECTS = ("sub", "user_id", "userId", "uid", "id")
_FORMATS = ("Bearer {token}", "Token {token}", "JWT {token}", "{token}")


class Sessions:
    """Who is signed in, and with which headers.

    `send` sends a call of nobody as it is; `run` gives what a command prints; `now_s` is Unix time. `mail` is where
    letters are read, and `door` is how those sign in whom nines registers in numbers."""

    def __init__(
        self,
        contract: Contract,
        identities: Sequence[Identity],
        *,
        register: LoginSettings,
        login: LoginSettings,
        send: Callable[[Call], Awaitable[Exchange]],
        note: Callable[[str], None],
        now_s: Callable[[], float],
        run: RunCommand | None = None,
        secrets: Secrets | None = None,
        confirmation: Confirmation | None = None,
        mail: Mail | None = None,
        door: LoginSettings | None = None,
    ) -> None:
        self._contract = contract
        self._identities = tuple(identities)
        self._admission = Admission(
            contract,
            register=register,
            confirmation=confirmation or Confirmation(),
            send=send,
            note=note,
            mail=mail,
            run=run,
        )
        self._login = login
        self._door = door or login
        self._send = send
        self._run = run
        self._note = note
        self._now_s = now_s
        self._headers: dict[str, Headers] = {}
        self._format = login.format
        self._registered_by: dict[str, str] = {}
        self._newcomers: set[str] = set()
        self.secrets = secrets or Secrets()

    async def open(self) -> tuple[Identity, ...]:
        """Registers and signs everybody in; those for whom it failed are noted and left out."""
        signed_in: list[Identity] = []
        for identity in self._identities:
            self._learn_password(identity)
            registers = identity.register and not identity.headers and not identity.command
            if registers and self._admission.register.path:
                is_in = await self._admitted(identity, await self._registered(identity))
            else:
                is_in = await self.renew(identity.name)
            if is_in:
                signed_in.append(identity)
        return tuple(signed_in)

    @property
    def registration(self) -> Operation | None:
        """The operation by which strangers become somebody, None where nines knows of none."""
        register = self._admission.register
        return self._contract.at(register.method, register.path.partition("?")[0]) if register.path else None

    async def newcomer(self, handle: str) -> Exchange | None:
        """Registers somebody new and signs them in: the answer to the registration, None where it failed.

        The handle is the identity's name from then on, and stands in everything by which it registers."""
        if not self._admission.register.path or not (self._door.path or self._door.headers):
            return None
        identity = Identity(name=handle, username=f"{handle}@example.com", password=PASSWORD)
        self._identities = (*self._identities, identity)
        self._newcomers.add(handle)
        registered = await self._registered(identity)
        if registered.outcome is not Outcome.OK or not await self._admitted(identity, registered):
            return None
        return msgspec.structs.replace(registered, identity=handle, marker=handle)

    def subject(self, identity: str) -> str:
        """Whom the identity's own token speaks of, "" where it is no JSON Web Token or names nobody."""
        for _, value in self._headers.get(identity, ()):
            parts = decoded(_bare(value))
            found = next((parts[1][name] for name in _SUBJECTS if parts[1].get(name)), "") if parts else ""
            if isinstance(found, str | int) and found:
                return str(found)
        return ""

    async def headers(self, identity: str) -> Headers:
        """The credentials of this identity, renewed when they are about to expire; none for nobody."""
        found = self._headers.get(identity, ())
        expiry = expires_s(found)
        if expiry is not None and expiry - self._now_s() < RENEW_BEFORE_S and await self.renew(identity):
            found = self._headers.get(identity, ())
        return found

    def known_headers(self, identity: str) -> Headers:
        """The credentials as they are, for a load that cannot wait."""
        return self._headers.get(identity, ())

    def flawed_headers(self, identity: str, flaw: CredentialFlaw) -> Headers:
        """The identity's credentials made wrong."""
        known = self._headers.get(identity, ())
        wrong = flawed(known, flaw, int(self._now_s()))
        for (_, real), (_, made) in zip(known, wrong, strict=False):
            if not real.lower().startswith("basic "):
                self.secrets.learn_flawed(identity, flaw, _bare(made))
        return wrong

    async def renew(self, name: str, refused: Callable[[str], None] | None = None) -> bool:
        """Signs in again; False when that failed, for the reason that `refused` is told instead of the notes."""
        identity = next((each for each in reversed(self._identities) if each.name == name), None)
        if identity is None:
            return False
        if identity.headers:
            self._headers[name] = tuple((header.lower(), value) for header, value in identity.headers.items())
            for header, value in self._headers[name]:
                self.secrets.learn(name, header, _bare(value), f"as the settings say for identity {name}: {header}")
            return True
        login = self._door if name in self._newcomers else self._login
        command = identity.command or (login.command if name not in self._newcomers else "")
        if command and self._run is not None:
            return await self._printed(identity, command, self._run)
        if not login.path and login.headers:
            return await self._shown_each_time(identity, login)
        if not login.path:
            self._note(f"identity {name}: neither fixed headers nor a log-in is configured")
            return False
        answer = await self._send(self._admission.call(login, values_of(identity), "login"))
        if answer.outcome is not Outcome.OK:
            (refused or self._note)(f"identity {name}: the log-in answered {told(answer)}")
            return False
        return await self._keep(name, answer)

    async def _shown_each_time(self, identity: Identity, login: LoginSettings) -> bool:
        """Credentials that come with every request; they count where the service accepts them."""
        values = values_of(identity)
        headers = tuple((name.lower(), filled(text, values)) for name, text in login.headers.items())
        probe = self._probe()
        if probe is not None:
            call = Call(operation=probe.id, method="GET", path=probe.path, headers=headers, phase="login")
            answer = await self._send(call)
            if answer.status == UNAUTHORIZED:
                self._note(f"identity {identity.name}: its name and password were answered {told(answer)}")
                return False
        self._headers[identity.name] = headers
        for header, value in headers:
            how = f"the name and the password of identity {identity.name} as HTTP's basic credentials"
            self.secrets.learn(identity.name, header, _bare(value), how)
        return True

    async def _printed(self, identity: Identity, command: str, run: RunCommand) -> bool:
        """A token that a command prints, because its issuer is elsewhere."""
        try:
            words = [filled(word, values_of(identity)) for word in shlex.split(command)]
            token = (await run(words)).strip()
        except (NinesError, ValueError) as error:
            self._note(f"identity {identity.name}: login.command failed: {error}")
            return False
        if not token or len(token.split()) > 1:
            self._note(f"identity {identity.name}: login.command must print a token and nothing else")
            return False
        self.secrets.learn(identity.name, "token", token, f"what this prints: {shlex.join(words)}")
        self._headers[identity.name] = ((self._login.header.lower(), self._format.replace("{token}", token)),)
        return True

    async def _registered(self, identity: Identity) -> Exchange:
        answer = await self._admission.registered(identity)
        if answer.outcome is Outcome.OK:
            self._registered_by[identity.name] = answer.curl
        return answer

    async def _admitted(self, identity: Identity, registered: Exchange) -> bool:
        """Signs in, after showing the address to be theirs where that is needed first."""
        is_new = registered.outcome is Outcome.OK
        if is_new and self._admission.is_confirming:
            return await self._admission.confirmed(identity, registered) and await self.renew(identity.name)
        refusals: list[str] = []
        if await self.renew(identity.name, refusals.append):
            return True
        if is_new and await self._admission.confirmed(identity, registered):
            return await self.renew(identity.name)
        for refusal in refusals:
            self._note(refusal)
        return False

    def _after(self, name: str) -> str:
        made_by = self._registered_by.get(name)
        return f" (after: {made_by})" if made_by else ""

    def _learn_password(self, identity: Identity) -> None:
        if identity.password == PASSWORD:
            # Everybody knows the one that nines gives to accounts of its own.
            return
        how = f"the password of identity {identity.name}, {identity.username}"
        if identity.register and self._admission.register.path:
            how += ", whom nines registers; any will do"
        self.secrets.learn(identity.name, "password", identity.password, how)
        basic = {text for key, text in values_of(identity).items() if key.startswith("basic")}
        for each in basic if identity.password else ():
            self.secrets.learn(identity.name, "basic", each, f"base64 of its name, a colon and {how}")

    async def _keep(self, name: str, answer: Exchange) -> bool:
        body = answers.parsed(answer)
        login = self._door if name in self._newcomers else self._login
        token = answers.at(body, login.token) if login.token else _token_in(body)
        if isinstance(token, str) and token:
            place = login.token or "the token"
            self.secrets.learn(name, "token", token, f"{place} in the answer to: {answer.curl}{self._after(name)}")
            await self._settle_format(token)
            self._headers[name] = ((login.header.lower(), self._format.replace("{token}", token)),)
            return True
        cookies = [text.partition(";")[0].strip() for key, text in answer.headers if key == "set-cookie"]
        if cookies:
            for key, _, value in (cookie.partition("=") for cookie in cookies):
                kind = "cookie" if len(cookies) == 1 else f"cookie {key}"
                self.secrets.learn(
                    name, kind, value, f"the cookie {key} in the answer to: {answer.curl}{self._after(name)}"
                )
            self._headers[name] = (("cookie", "; ".join(cookies)),)
            return True
        where = f" at {login.token!r}" if login.token else ""
        self._note(f"identity {name}: the log-in's answer holds no token{where} and sets no cookie")
        return False

    async def _settle_format(self, token: str) -> None:
        """Tries the usual ways of writing the token, once, where the default is refused."""
        probe = self._probe()
        if self._headers or self._login.format != _FORMATS[0] or probe is None:
            return
        for each in (self._login.format, *_FORMATS[1:]):
            credential = (self._login.header.lower(), each.replace("{token}", token))
            call = Call(operation=probe.id, method="GET", path=probe.path, headers=(credential,), phase="login")
            answer = await self._send(call)
            if answer.outcome is Outcome.OK:
                self._format = each
                return

    def _probe(self) -> Operation | None:
        own = Graph(self._contract).reader_of_self()
        if own is not None and own.is_secured:
            return own
        plain = (o for o in self._contract.operations if o.method == "GET" and o.is_secured and not o.path_parameters)
        return next((o for o in plain if not any(p.is_required for p in o.parameters)), None)


def with_credentials(call: Call, credentials: Headers) -> Call:
    """The call with these headers added; cookies are joined with those that it has."""
    own = {name.lower(): value for name, value in call.headers}
    joined = tuple(
        (name, f"{own[name]}; {value}" if name == "cookie" and "cookie" in own else value)
        for name, value in credentials
    )
    named = {name for name, _ in joined}
    kept = tuple((name, value) for name, value in call.headers if name.lower() not in named)
    return msgspec.structs.replace(call, headers=kept + joined)


def _bare(credential: str) -> str:
    """A header's value without its scheme."""
    return credential.partition(" ")[2] or credential


def _token_in(body: Any) -> Any:
    if isinstance(body, str):
        return body
    return answers.identifier_in(body, TOKEN_NAMES)
