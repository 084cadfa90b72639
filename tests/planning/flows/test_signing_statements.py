"""The statements of signing in, each with everything that it decides."""

from __future__ import annotations

from typing import Any

from nines import planning
from nines.model.blueprint import Action
from nines.planning.data import facts
from tests.planning.data.blueprints import EXAMPLES
from tests.planning.data.server import Server
from tests.planning.flows.test_statements import Tried, _run

_LOGIN = next(each for each in EXAMPLES if each.service.name == "login")
_NAME = "'new@example.com'"


def _id(number: int) -> str:
    return f"'01b8e094-9b2e-7000-8000-0000000000{number:02}'"


def _at(tried: Tried, id: str, *names: str) -> list[str]:
    """ "p3" for the third argument."""
    return [f"p{tried.query(id).parameters.index(name) + 1}" for name in names]


async def _registered(connection: Any, tried: Tried, number: int, password: str) -> Any:
    names = _at(tried, "register-account", "id", "email", "password_hash", "code_id")
    values = (_id(number), _NAME, f"'$argon2id${password}'", _id(50 + number))
    return (await tried.send(connection, "register-account", **dict(zip(names, values, strict=True))))[0]


def test_a_name_belongs_to_the_last_who_registered_it_until_it_is_verified(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        first = await _registered(connection, tried, 1, "first")
        assert (first["is_made"], first["is_new"]) == (True, True)
        second = await _registered(connection, tried, 2, "second")
        assert (second["is_made"], second["is_new"], second["id"]) == (True, False, first["id"])
        kept = await connection.fetchrow(
            "SELECT password_hash, c.id AS code FROM account_credentials JOIN account_codes AS c USING (account_id) "
            "WHERE account_id = $1",
            first["id"],
        )
        assert (kept["password_hash"], str(kept["code"])) == ("$argon2id$second", _id(52).strip("'"))
        await tried.send(connection, "verify-account", p1=f"'{first['id']}'")
        third = await _registered(connection, tried, 3, "third")
        assert (third["is_made"], third["is_new"], third["id"]) == (False, False, first["id"])
        assert await connection.fetchval("SELECT count(*) FROM account_codes WHERE id = $1", _id(53).strip("'")) == 0
        hashes = await connection.fetch("SELECT password_hash FROM account_credentials")
        assert [row["password_hash"] for row in hashes] == ["$argon2id$second"]

    _run(server, _LOGIN, work)


def test_only_what_is_unverified_is_verified(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        account = (await _registered(connection, tried, 1, "first"))["id"]
        for status, count in (("locked", 0), ("closed", 0), ("active", 0), ("unverified", 1)):
            await connection.execute("UPDATE accounts SET status = $1 WHERE id = $2", status, account)
            assert len(await tried.send(connection, "verify-account", p1=f"'{account}'")) == count

    _run(server, _LOGIN, work)


def test_locking_ends_the_sessions_and_a_session_ends_with_its_account(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        account = (await _registered(connection, tried, 1, "first"))["id"]
        names = _at(tried, "insert-account-session", "id", "account_id", "expires_at")
        given = dict(zip(names, (_id(7), f"'{account}'", "now() + interval '1 day'"), strict=True))
        assert await tried.send(connection, "insert-account-session", **given) == []
        await tried.send(connection, "verify-account", p1=f"'{account}'")
        assert len(await tried.send(connection, "insert-account-session", **given)) == 1
        assert len(await tried.send(connection, "see-account-session", p1=_id(7))) == 1
        names = _at(tried, "move-account-to-locked", "id", "has:support")
        stranger = dict(zip(names, (f"'{account}'", "false"), strict=True))
        assert await tried.send(connection, "move-account-to-locked", **stranger) == []
        assert len(await tried.send(connection, "see-account-session", p1=_id(7))) == 1
        support = dict(zip(names, (f"'{account}'", "true"), strict=True))
        assert len(await tried.send(connection, "move-account-to-locked", **support)) == 1
        assert await tried.send(connection, "see-account-session", p1=_id(7)) == []
        await connection.execute("UPDATE accounts SET status = 'active'")
        assert await tried.send(connection, "see-account-session", p1=_id(7)) == []

    _run(server, _LOGIN, work)


def test_a_code_is_tried_five_times_and_for_one_purpose(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        await _registered(connection, tried, 1, "first")
        assert await tried.send(connection, "try-account-code", p1=_id(51), p2="'reset'") == []
        found = [len(await tried.send(connection, "try-account-code", p1=_id(51), p2="'verify'")) for _ in range(6)]
        assert found == [1, 1, 1, 1, 1, 0]
        again = dict(zip(_at(tried, "renew-account-code", "id"), (_id(51),), strict=True))
        assert len(await tried.send(connection, "renew-account-code", **again)) == 1
        assert len(await tried.send(connection, "try-account-code", p1=_id(51), p2="'verify'")) == 1

    _run(server, _LOGIN, work)


def test_whoever_signs_in_now_and_then_is_never_purged(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        await _registered(connection, tried, 1, "first")
        await connection.execute("UPDATE accounts SET updated_at = '2000-01-01'")
        all_of_them = {"p1": "'ffffffff-ffff-ffff-ffff-ffffffffffff'"}
        before = await connection.fetchval("SELECT count(*) FROM accounts WHERE email = 'new@example.com'")
        await tried.send(connection, "purge-accounts", **all_of_them)
        assert await connection.fetchval("SELECT count(*) FROM accounts WHERE email = 'new@example.com'") == before
        await connection.execute("UPDATE account_credentials SET used_at = '2000-01-01'")
        await tried.send(connection, "purge-accounts", **all_of_them)
        assert await connection.fetchval("SELECT count(*) FROM accounts WHERE email = 'new@example.com'") == 0

    _run(server, _LOGIN, work)


def test_nobody_can_release_an_account_that_was_never_verified() -> None:
    account = _LOGIN.resource("Account")
    assert account
    assert facts.sources(_LOGIN, account, "active") == ("locked",)
    assert facts.sources(_LOGIN, account, "locked") == ("active",)


def test_the_name_to_sign_in_with_is_changed_by_no_update_and_each_token_is_seen() -> None:
    design = planning.plan(_LOGIN)
    update = design.query("update-account")
    assert update
    assert "email" not in update.parameters
    seeing = design.query("see-account-session")
    assert seeing
    known = {each.id for each in design.endpoints if not each.is_public}
    assert set(seeing.used_by) == known
    opened = {each.id for each in design.endpoints if each.action in (Action.SIGN_IN, Action.SIGN_IN_BY_CODE)}
    session = design.query("insert-account-session")
    assert session
    assert set(session.used_by) == opened
