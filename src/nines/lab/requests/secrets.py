"""What must not be written into a report, each with the name of a variable that stands for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nines.model.experiment import CredentialFlaw
from nines.model.history import Credential

SECRET_CHARS_MIN = 6
"""What is shorter would be found, and hidden, everywhere."""
_FLAWED = {
    CredentialFlaw.TAMPERED: "{token} with one claim or character changed, its signature kept",
    CredentialFlaw.UNSIGNED: "the claims of {token} under alg none, without a signature",
    CredentialFlaw.EXPIRED: "the claims of {token} with an expiry in the past, and a signature that cannot be right",
}


class Secrets:
    """Tokens, cookies and passwords as they become known."""

    def __init__(self) -> None:
        self._credentials: dict[str, Credential] = {}

    def learn(self, identity: str, kind: str, secret: str, how: str) -> None:
        """`kind` is "token", "password", "cookie" ..., `how` says in one line where to get it."""
        if len(secret) >= SECRET_CHARS_MIN and secret not in self._credentials:
            variable = variable_of(identity, kind)
            self._credentials[secret] = Credential(variable=variable, how=how, secret=secret)

    def learn_flawed(self, identity: str, flaw: CredentialFlaw, secret: str) -> None:
        """A real token made wrong still holds what is real; a meaningless one hides nothing."""
        if flaw in _FLAWED:
            token = f"${variable_of(identity, 'token')}"
            self.learn(identity, f"{flaw.value} token", secret, _FLAWED[flaw].format(token=token))

    @property
    def named(self) -> Mapping[str, str]:
        """The variable for each form of each secret."""
        return {form: credential.variable for credential in self._credentials.values() for form in credential.forms}

    def known(self) -> tuple[Credential, ...]:
        return tuple(self._credentials.values())


def variable_of(identity: str, kind: str) -> str:
    return re.sub(r"\W+", "_", f"{identity} {kind}").upper()
