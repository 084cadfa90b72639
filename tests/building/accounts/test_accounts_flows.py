"""Registering, signing in, refreshing, signing out and resetting, as somebody outside sees it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.building.accounts.serving import PASSWORD, Login, Process, wrong

pytestmark = pytest.mark.lab


def test_from_registering_to_signing_out(login: Login, process: Process) -> None:
    registered = process.register("Ada@Example.com", locale="de-AT")
    assert registered.status == 202
    challenge = registered.json["challenge_id"]
    assert process.sign_in("ada@example.com").problem == "credentials-rejected"
    code = login.mailbox.code("Ada@Example.com")
    refused = process.ask("POST", "/v1/verifications", {"challenge_id": challenge, "code": wrong(code)})
    assert (refused.status, refused.problem) == (422, "code-rejected")
    assert process.ask("POST", "/v1/verifications", {"challenge_id": challenge, "code": code}).status == 204
    assert process.ask("POST", "/v1/verifications", {"challenge_id": challenge, "code": code}).status == 422
    signed_in = process.sign_in("ADA@example.com")
    assert signed_in.status == 201
    assert signed_in.headers["cache-control"] == "no-store"
    tokens = signed_in.json
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)
    refreshed = process.refresh(tokens["refresh_token"])
    assert refreshed.status == 201
    token = refreshed.json["access_token"]
    assert process.ask("DELETE", "/v1/sessions/current", token=token).status == 204
    # Both tokens are of the session that has ended, and end with it here at once.
    assert process.ask("DELETE", "/v1/sessions/current", token=token).status == 401
    assert process.refresh(refreshed.json["refresh_token"]).problem == "token-rejected"


def test_a_code_is_sent_again_and_only_the_newest_counts(login: Login, process: Process) -> None:
    challenge = process.register("again@example.com").json["challenge_id"]
    first = login.mailbox.code("again@example.com")
    answer = process.ask("POST", "/v1/verification-codes", {"challenge_id": challenge})
    assert (answer.status, answer.json["challenge_id"]) == (202, challenge)
    second = login.mailbox.code("again@example.com", count=2)
    if first != second:
        assert process.ask("POST", "/v1/verifications", {"challenge_id": challenge, "code": first}).status == 422
    assert process.ask("POST", "/v1/verifications", {"challenge_id": challenge, "code": second}).status == 204


def test_whoever_registers_an_unverified_name_again_takes_its_place(login: Login, process: Process) -> None:
    """The password of somebody who never had the mailbox is never what its owner verifies."""
    stranger = process.register("taken-over@example.com", "the password of a stranger").json["challenge_id"]
    early = login.mailbox.code("taken-over@example.com")
    owner = process.register("taken-over@example.com", "the password of the owner").json["challenge_id"]
    code = login.mailbox.code("taken-over@example.com", count=2)
    for mixed in ((stranger, early), (stranger, code)):
        answer = process.ask("POST", "/v1/verifications", {"challenge_id": mixed[0], "code": mixed[1]})
        assert answer.problem == "code-rejected"
    assert process.ask("POST", "/v1/verifications", {"challenge_id": owner, "code": code}).status == 204
    assert process.sign_in("taken-over@example.com", "the password of a stranger").status == 401
    assert process.sign_in("taken-over@example.com", "the password of the owner").status == 201


def test_registering_twice_under_one_key_is_done_once(login: Login, process: Process) -> None:
    body = {"email": "once@example.com", "password": PASSWORD}
    answers = [process.ask("POST", "/v1/accounts", body, headers={"idempotency-key": "the-same-key"}) for _ in range(2)]
    assert [each.status for each in answers] == [202, 202]
    assert answers[0].body == answers[1].body
    login.mailbox.code("once@example.com")
    assert len(login.rows("SELECT 1 FROM accounts WHERE email = 'once@example.com'")) == 1


def test_a_password_that_everybody_tries_is_refused(process: Process) -> None:
    for password in ("password1", "12345678", "weak@example.com"):
        answer = process.register("weak@example.com", password)
        assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/password")


def test_a_stolen_refresh_token_ends_the_session_for_thief_and_owner(login: Login, process: Process) -> None:
    login.verified(process, "robbed@example.com")
    first = process.sign_in("robbed@example.com").json
    other = process.sign_in("robbed@example.com").json
    second = process.refresh(first["refresh_token"]).json
    stolen = process.refresh(first["refresh_token"])
    assert (stolen.status, stolen.problem) == (401, "token-rejected")
    assert process.refresh(second["refresh_token"]).status == 401
    assert process.ask("DELETE", "/v1/sessions/current", token=second["access_token"]).status == 401
    # A session of another device is none of the thief's.
    assert process.refresh(other["refresh_token"]).status == 201


def test_of_many_who_use_one_refresh_token_at_once_at_most_one_gets_the_next(login: Login, process: Process) -> None:
    login.verified(process, "raced@example.com")
    token = process.sign_in("raced@example.com").json["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: process.refresh(token), range(8)))
    good = [each for each in answers if each.status == 201]
    assert len(good) == 1
    assert all(each.status == 401 for each in answers if each not in good)
    # It came twice, so its session is over.
    assert process.refresh(good[0].json["refresh_token"]).status == 401


def test_signing_out_everywhere(login: Login, process: Process) -> None:
    login.verified(process, "everywhere@example.com")
    devices = [process.sign_in("everywhere@example.com").json for _ in range(3)]
    assert process.ask("DELETE", "/v1/sessions", token=devices[0]["access_token"]).status == 204
    for device in devices:
        assert process.refresh(device["refresh_token"]).status == 401
        assert process.ask("DELETE", "/v1/sessions", token=device["access_token"]).status == 401
    assert process.sign_in("everywhere@example.com").status == 201


def test_a_new_password_ends_every_session(login: Login, process: Process) -> None:
    login.verified(process, "forgot@example.com")
    device = process.sign_in("forgot@example.com").json
    asked = process.ask("POST", "/v1/password-resets", {"email": "forgot@example.com"})
    assert asked.status == 202
    path = f"/v1/password-resets/{asked.json['challenge_id']}/password"
    code = login.mailbox.code("forgot@example.com", count=2)
    body = {"code": code, "password": "another horse and battery"}
    assert process.ask("PUT", path, body | {"code": wrong(code)}).problem == "code-rejected"
    assert process.ask("PUT", path, body).status == 204
    assert process.ask("PUT", path, body).status == 422
    assert process.refresh(device["refresh_token"]).status == 401
    assert process.sign_in("forgot@example.com").status == 401
    assert process.sign_in("forgot@example.com", "another horse and battery").status == 201
    assert "changed" in login.mailbox.wait("forgot@example.com", count=3)


def test_a_code_is_good_for_five_attempts_and_for_what_it_was_sent_for(login: Login, process: Process) -> None:
    login.verified(process, "guessed@example.com")
    asked = process.ask("POST", "/v1/password-resets", {"email": "guessed@example.com"}).json["challenge_id"]
    code = login.mailbox.code("guessed@example.com", count=2)
    assert process.ask("POST", "/v1/verifications", {"challenge_id": asked, "code": code}).status == 422
    assert process.ask("POST", f"/v1/sign-in-codes/{asked}/sessions", {"code": code}).status == 422
    path = f"/v1/password-resets/{asked}/password"
    for _ in range(5):
        body = {"code": wrong(code), "password": "another horse and battery"}
        assert process.ask("PUT", path, body).status == 422
    assert process.ask("PUT", path, {"code": code, "password": "another horse and battery"}).status == 422


def test_a_code_that_is_over_is_refused(login: Login, process: Process) -> None:
    challenge = process.register("late@example.com").json["challenge_id"]
    code = login.mailbox.code("late@example.com")
    login.rows("UPDATE account_codes SET expires_at = now() - interval '1 s'")
    body = {"challenge_id": challenge, "code": code}
    assert process.ask("POST", "/v1/verifications", body).problem == "code-rejected"


def test_signing_in_by_a_code_without_a_password(login: Login, process: Process) -> None:
    login.verified(process, "by-code@example.com")
    asked = process.ask("POST", "/v1/sign-in-codes", {"email": "by-code@example.com"})
    assert asked.status == 202
    path = f"/v1/sign-in-codes/{asked.json['challenge_id']}/sessions"
    code = login.mailbox.code("by-code@example.com", count=2)
    assert process.ask("POST", path, {"code": wrong(code)}).status == 422
    tokens = process.ask("POST", path, {"code": code})
    assert tokens.status == 201
    assert process.ask("POST", path, {"code": code}).status == 422
    assert process.refresh(tokens.json["refresh_token"]).status == 201


def test_nothing_of_a_letter_is_in_clear_in_the_database(login: Login, process: Process) -> None:
    login.mailbox.close()
    try:
        process.register("sealed@example.com")
        payload = login.rows("SELECT payload FROM send_mail_tasks")[-1]["payload"]
        hashes = login.rows("SELECT code_hash FROM account_codes")
        assert b"sealed" not in payload
        assert all(len(row["code_hash"]) == 32 for row in hashes)
        kept = login.rows("SELECT password_hash FROM account_credentials LIMIT 1")[0]["password_hash"]
        assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    finally:
        login.mailbox.open()
    login.mailbox.code("sealed@example.com")


def test_letters_of_a_provider_that_was_down_come_later_and_leave_no_task(login: Login, process: Process) -> None:
    login.mailbox.close()
    try:
        challenge = process.register("patient@example.com").json["challenge_id"]
        waiting = login.rows("SELECT id FROM send_mail_tasks WHERE template = 'verify'")
        assert waiting
    finally:
        login.mailbox.open()
    code = login.mailbox.code("patient@example.com")
    assert process.ask("POST", "/v1/verifications", {"challenge_id": challenge, "code": code}).status == 204
    gone = login.rows("SELECT id FROM send_mail_tasks WHERE id = ANY($1)", [row["id"] for row in waiting])
    assert len(gone) < len(waiting) or not gone


def test_the_trail_tells_who_did_what_and_its_chain_holds(login: Login, process: Process) -> None:
    login.verified(process, "audited@example.com")
    tokens = process.sign_in("audited@example.com").json
    process.ask("DELETE", "/v1/sessions/current", token=tokens["access_token"])
    account = login.rows("SELECT id FROM accounts WHERE email = 'audited@example.com'")[0]["id"]
    rows = login.rows("SELECT * FROM audit_log WHERE chain = $1 ORDER BY sequence", f"signing:acc_{account.hex}")
    assert [row["operation"] for row in rows] == ["register", "verifyEmail", "signIn", "signOut"]
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4]
    assert not any("audited@example.com" in json.dumps(dict(row), default=str) for row in rows)
