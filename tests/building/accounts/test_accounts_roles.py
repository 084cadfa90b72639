"""Roles, second factors, and what the operator's console does."""

from __future__ import annotations

import base64
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from nines_runtime.security.totp import STEP_S, code_at
from tests.building.accounts.serving import Login, Process, wrong

pytestmark = pytest.mark.lab


def _secret(uri: str) -> bytes:
    text = parse_qs(urlsplit(uri.strip()).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def _code(secret: bytes, *, steps: int = 0) -> str:
    return code_at(secret, int(time.time()) // STEP_S + steps)


def test_support_signs_in_with_a_second_factor_that_works_once(login: Login, process: Process) -> None:
    assert login.people("add", "helper@example.com").returncode == 0
    granted = login.people("grant", "helper@example.com", "support")
    secret = _secret(granted.stdout)
    missing = process.sign_in("helper@example.com")
    assert (missing.status, missing.problem) == (401, "second-factor-required")
    code = _code(secret)
    refused = process.sign_in("helper@example.com", code=wrong(code))
    assert (refused.status, refused.problem) == (401, "credentials-rejected")
    code = _code(secret)
    assert process.sign_in("helper@example.com", code=code).status == 201
    assert process.sign_in("helper@example.com", code=code).status == 401
    tokens = process.sign_in("helper@example.com", code=_code(secret, steps=1)).json
    # The second factor is remembered by the session, through every refresh.
    tokens = process.refresh(tokens["refresh_token"]).json
    assert process.ask("GET", "/v1/accounts", token=tokens["access_token"]).status == 200
    assert login.people("grant", "helper@example.com", "support").stdout == ""
    login.people("withdraw", "helper@example.com", "support")
    assert process.ask("GET", "/v1/accounts", token=tokens["access_token"]).status == 401


def test_a_code_by_mail_does_not_replace_a_second_factor(login: Login, process: Process) -> None:
    login.verified(process, "careful@example.com")
    secret = _secret(login.people("grant", "careful@example.com", "support").stdout)
    asked = process.ask("POST", "/v1/sign-in-codes", {"email": "careful@example.com"}).json["challenge_id"]
    code = login.mailbox.code("careful@example.com", count=2)
    path = f"/v1/sign-in-codes/{asked}/sessions"
    assert process.ask("POST", path, {"code": code}).problem == "second-factor-required"
    refused = process.ask("POST", path, {"code": code, "second_code": wrong(_code(secret))})
    assert refused.problem == "code-rejected"
    assert process.ask("POST", path, {"code": code, "second_code": _code(secret)}).status == 201


def test_a_role_without_its_second_factor_is_none(login: Login, process: Process) -> None:
    login.verified(process, "weak-helper@example.com")
    login.rows("INSERT INTO account_roles (account_id, role) SELECT id, 'support' FROM accounts WHERE email = $1",
               "weak-helper@example.com")  # fmt: skip
    token = process.sign_in("weak-helper@example.com").json["access_token"]
    assert process.ask("GET", "/v1/accounts", token=token).status == 403


def test_the_console_prints_tokens_in_laboratories_alone(login: Login, process: Process) -> None:
    login.people("add", "tried@example.com")
    token = login.people("token", "tried@example.com").stdout.strip()
    assert process.ask("GET", "/v1/accounts", token=token).status == 403
    assert process.ask("DELETE", "/v1/sessions/current", token=token).status == 204
    refused = login.people("token", "tried@example.com", ENVIRONMENT="production")
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert login.people("token", "nobody@example.com").returncode == 1


def test_an_account_that_is_locked_is_out_at_once(login: Login, process: Process) -> None:
    login.people("add", "officer@example.com")
    login.people("grant", "officer@example.com", "support")
    officer = login.people("token", "officer@example.com").stdout.strip()
    login.verified(process, "suspect@example.com")
    tokens = process.sign_in("suspect@example.com").json
    account = login.rows("SELECT id FROM accounts WHERE email = 'suspect@example.com'")[0]["id"]
    path = f"/v1/accounts/acc_{account.hex}"
    assert process.ask("GET", path, token=tokens["access_token"]).json["email"] == "suspect@example.com"
    assert process.ask("POST", f"{path}/locks", token=tokens["access_token"]).status == 403
    locked = process.ask("POST", f"{path}/locks", token=officer)
    assert (locked.status, locked.json["status"]) == (200, "locked")
    assert process.ask("GET", path, token=tokens["access_token"]).status == 401
    assert process.refresh(tokens["refresh_token"]).status == 401
    assert process.sign_in("suspect@example.com").problem == "credentials-rejected"
    released = process.ask("POST", f"{path}/releases", token=officer)
    assert (released.status, released.json["status"]) == (200, "active")
    # What was ended stays ended.
    assert process.refresh(tokens["refresh_token"]).status == 401
    assert process.sign_in("suspect@example.com").status == 201


def test_nobody_but_the_owner_of_the_mailbox_verifies_an_account(login: Login, process: Process) -> None:
    login.people("add", "second-officer@example.com")
    login.people("grant", "second-officer@example.com", "support")
    officer = login.people("token", "second-officer@example.com").stdout.strip()
    process.register("unverified@example.com")
    account = login.rows("SELECT id FROM accounts WHERE email = 'unverified@example.com'")[0]["id"]
    answer = process.ask("POST", f"/v1/accounts/acc_{account.hex}/releases", token=officer)
    assert (answer.status, answer.problem) == (409, "state-conflict")


def test_whoever_closes_their_account_is_signed_out(login: Login, process: Process) -> None:
    login.verified(process, "leaving@example.com")
    tokens = process.sign_in("leaving@example.com").json
    account = login.rows("SELECT id FROM accounts WHERE email = 'leaving@example.com'")[0]["id"]
    path = f"/v1/accounts/acc_{account.hex}"
    read = process.ask("GET", path, token=tokens["access_token"])
    headers = {"if-match": read.headers["etag"]}
    # The name to sign in with is not changed by the way.
    renamed = process.ask("PATCH", path, {"email": "other@example.com"}, token=tokens["access_token"], headers=headers)
    assert renamed.status == 422
    closed = process.ask("POST", f"{path}/closures", token=tokens["access_token"], headers=headers)
    assert closed.json["status"] == "closed"
    assert process.ask("GET", path, token=tokens["access_token"]).status == 401
    assert process.refresh(tokens["refresh_token"]).status == 401
    assert process.sign_in("leaving@example.com").status == 401


def test_nobody_reads_or_changes_the_account_of_somebody_else(login: Login, process: Process) -> None:
    for name in ("mine@example.com", "theirs@example.com"):
        login.verified(process, name)
    token = process.sign_in("mine@example.com").json["access_token"]
    theirs = login.rows("SELECT id FROM accounts WHERE email = 'theirs@example.com'")[0]["id"]
    path = f"/v1/accounts/acc_{theirs.hex}"
    headers = {"if-match": '"2"'}
    answers = [
        process.ask("GET", path, token=token),
        process.ask("PATCH", path, {"display_name": "Eve"}, token=token, headers=headers),
        process.ask("POST", f"{path}/closures", token=token, headers=headers),
    ]
    assert [each.status for each in answers] == [404, 404, 404]
    assert process.ask("POST", f"{path}/locks", token=token).status == 403
    assert process.ask("GET", "/v1/accounts", token=token).status == 403
