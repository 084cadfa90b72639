"""Secrets of sessions and the variables that stand for them."""

from __future__ import annotations

from nines.lab.requests.secrets import Secrets, variable_of
from nines.model.experiment import CredentialFlaw


def test_a_secret_is_learnt_once_and_short_ones_not_at_all() -> None:
    secrets = Secrets()
    secrets.learn("owner", "token", "abcdef", "log in")
    secrets.learn("peer", "token", "abcdef", "log in as well")
    secrets.learn("peer", "password", "abc", "short")
    assert dict(secrets.named) == {"abcdef": "OWNER_TOKEN"}
    assert [credential.how for credential in secrets.known()] == ["log in"]


def test_what_is_made_of_a_real_token_says_how() -> None:
    secrets = Secrets()
    secrets.learn_flawed("owner", CredentialFlaw.GARBAGE, "meaningless")
    secrets.learn_flawed("owner", CredentialFlaw.EXPIRED, "head.claims.sign")
    (credential,) = secrets.known()
    assert credential.variable == "OWNER_EXPIRED_TOKEN"
    assert "$OWNER_TOKEN" in credential.how


def test_a_name_that_is_no_name_of_a_variable() -> None:
    assert variable_of("second owner", "x-api-key") == "SECOND_OWNER_X_API_KEY"
