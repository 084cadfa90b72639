"""The statements of signing in: each decides in its own condition, so that a race has one winner."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from nines.model.blueprint import Action, FieldKind, Operation, Resource
from nines.model.design import PlannedTable
from nines.model.design.ddl import literal, quoted
from nines.planning.data import accounts, facts
from nines.planning.data.names import kebab, table_name
from nines.planning.flows import changing, sessions
from nines.planning.flows.draft import Draft
from nines.planning.flows.keeping import interval
from nines.planning.flows.samples import sample
from nines.planning.flows.statement import Sql, Statement, Wish, listed

SESSION_TTL_S = 30 * 86_400.0
"""Where the blueprint names none."""
FREE_FAILURES = 5
"""Each failed attempt beyond these doubles the wait."""
FREE_FAILURES_OF_ADDRESS = 50
"""Of one address, behind which a whole office may sit."""
FIRST_WAIT_S = 1.0
WAIT_DOUBLINGS_MAX = 10
"""1 s doubled ten times: 17 minutes."""


def register(draft: Draft, operation: Operation, account: Resource) -> Statement:
    """One statement whether the name is new, unverified or taken: who asks cannot tell it by the time that passes.

    A name that nobody has verified yet belongs to whoever verifies it: the password of the last one who registered it
    counts, and goes with the code of that registration alone."""
    insert = changing.insert(draft, account, operation)
    people = draft.table(table_name(account.name))
    sql = draft.sql(people)
    sql.arguments, sql.parameters = list(insert.arguments), list(insert.parameters)
    holder, name = accounts.holder(account), quoted(people.name)
    login = facts.login_column(account)
    parts = [f"made AS (\n{_indented(_inserted(draft, account, people, insert.text))}\n)"]
    credentials = draft.table(accounts.credentials_name(account))
    if any(field.kind is FieldKind.PASSWORD for field in account.fields):
        parts.append(
            f"secret AS (\n    INSERT INTO {credentials.name} ({holder}, password_hash)\n"
            f"    SELECT id, {sql.value('password_hash', table=credentials)} FROM made\n"
            f"    ON CONFLICT ({holder}) DO UPDATE\n"
            "    SET password_hash = EXCLUDED.password_hash, changed_at = now()\n)"
        )
    if facts.uses(draft.blueprint, Action.VERIFY_CODE):
        codes = draft.table(accounts.codes_name(account))
        id = sql.bind(sample(draft.tables, codes, "id", is_fresh=True), "code_id")
        code, ttl = sql.value("code_hash", table=codes), sql.bind(interval(accounts.CODE_TTL_S), "ttl")
        parts.append(
            f"code AS (\n    INSERT INTO {codes.name} (id, {holder}, purpose, code_hash, expires_at)\n"
            f"    SELECT {id}, id, 'verify', {code}, now() + {ttl}::interval FROM made\n"
            f"    ON CONFLICT ({holder}, purpose) DO UPDATE\n    SET {_RENEWED}\n)"
        )
    name_of = f"${insert.parameters.index(login) + 1}" if login in insert.parameters else sql.value(login)
    text = (
        f"WITH {', '.join(parts)}\nSELECT id, true AS is_made, is_new FROM made\nUNION ALL\n"
        f"SELECT id, false, false FROM {name}\n"
        f"WHERE {quoted(login)} = {name_of}\n  AND NOT EXISTS (SELECT 1 FROM made)"
    )
    return sql.done(
        f"register-{kebab(account.name)}",
        text,
        rows_max=1,
        is_write=True,
        says="not made: the name is taken; not new: somebody else registered it before and never verified it",
        others=tuple(each.name for each in draft.tables if each.name in _beside(account) and each.name in text),
    )


def _inserted(draft: Draft, account: Resource, people: PlannedTable, text: str) -> str:
    head = text.partition("\nRETURNING ")[0]
    login, first = facts.login_column(account), facts.unverified_state(draft.blueprint, account)
    columns = head.partition("(")[2].partition(")")[0].split(", ")
    given = [each for each in columns if each.strip('"') not in ("id", login)]
    conflict = "DO NOTHING"
    if first:
        made = [f"{each} = EXCLUDED.{each}" for each in given]
        made += [f"version = {quoted(people.name)}.version + 1", "updated_at = now()"]
        conflict = f"DO UPDATE\nSET {', '.join(made)}\nWHERE {quoted(people.name)}.status = {literal(first)}"
    is_new = "version = 1" if first else "true"
    return f"{head}\nON CONFLICT ({quoted(login)}) {conflict}\nRETURNING id, {is_new} AS is_new"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _beside(account: Resource) -> tuple[str, ...]:
    return accounts.credentials_name(account), accounts.codes_name(account)


def find_credentials(draft: Draft, account: Resource) -> Statement:
    table = draft.table(table_name(account.name))
    other = draft.table(accounts.credentials_name(account))
    sql = draft.sql(table)
    holder = quoted(accounts.holder(account))
    login = facts.login_column(account)
    status = ", a.status" if table.column("status") else ""
    factor, join, names = "", "", [other.name]
    if accounts.has_second_factor(draft.blueprint):
        name = accounts.second_factors_name(account)
        factor = ", f.secret AS factor_secret"
        join, names = f"\nLEFT JOIN {name} AS f ON f.{holder} = a.id", [*names, name]
    text = (
        f"SELECT a.id{status}, c.password_hash{sessions.roles(draft, account)}{factor}\n"
        f"FROM {quoted(table.name)} AS a\n"
        f"JOIN {quoted(other.name)} AS c ON c.{holder} = a.id{join}\n"
        f"WHERE {sql.equal(login, alias='a.')}"
    )
    wish = Wish(table=table.name, equal=(login,))
    return sql.done(f"find-{kebab(account.name)}-to-sign-in", text, wish=wish, rows_max=1, others=names)


def find_by_id(draft: Draft, account: Resource) -> Statement:
    """Who showed a code instead of a password."""
    table = draft.table(table_name(account.name))
    sql = draft.sql(table)
    holder, factor, join, names = quoted(accounts.holder(account)), "", "", []
    if accounts.has_second_factor(draft.blueprint):
        name = accounts.second_factors_name(account)
        factor, names = ", f.secret AS factor_secret", [name]
        join = f"\nLEFT JOIN {name} AS f ON f.{holder} = a.id"
    chosen = f"SELECT a.id{sessions.roles(draft, account)}{factor}"
    text = f"{chosen}\nFROM {quoted(table.name)} AS a{join}\nWHERE {sql.equal('id', alias='a.')}"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"find-{kebab(account.name)}-by-id", text, wish=wish, rows_max=1, others=names)


def change_password(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.credentials_name(account))
    sql = draft.sql(table)
    holder = accounts.holder(account)
    text = (
        f"INSERT INTO {table.name} ({listed([holder, 'password_hash'])})\n"
        f"VALUES ({sql.value(holder)}, {sql.value('password_hash')})\n"
        f"ON CONFLICT ({quoted(holder)}) DO UPDATE\nSET password_hash = EXCLUDED.password_hash, changed_at = now()"
    )
    wish = Wish(table=table.name, equal=(holder,))
    return sql.done(f"change-{kebab(account.name)}-password", text, wish=wish, rows_max=0, is_write=True)


def read_failures(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.failures_name(account))
    sql = draft.sql(table)
    subject, address = _subjects(sql)
    text = (
        f"SELECT scope, failures, blocked_until, now() AS seen_at\nFROM {table.name}\n"
        f"WHERE (scope, subject_hash) IN (('account', {subject}), ('address', {address}))\n"
        "  AND blocked_until > now()"
    )
    wish = Wish(table=table.name, equal=("scope", "subject_hash"))
    says = "each row tells until when the account or the address is blocked"
    return sql.done(f"read-{kebab(account.name)}-failures", text, wish=wish, rows_max=2, says=says)


def count_failure(draft: Draft, account: Resource) -> Statement:
    """For the account and the address, whether there is such an account or not."""
    table = draft.table(accounts.failures_name(account))
    sql = draft.sql(table)
    subject, address = _subjects(sql)
    lasting = f"now() + {sql.bind(interval(accounts.FAILURES_TTL_S), 'lifetime')}::interval"
    name = table.name
    free = f"CASE {name}.scope WHEN 'account' THEN {FREE_FAILURES} ELSE {FREE_FAILURES_OF_ADDRESS} END"
    text = (
        f"INSERT INTO {name} (scope, subject_hash, expires_at)\n"
        f"VALUES ('account', {subject}, {lasting}), ('address', {address}, {lasting})\n"
        "ON CONFLICT (scope, subject_hash) DO UPDATE\n"
        f"SET failures = CASE WHEN {name}.expires_at > now() THEN {name}.failures + 1 ELSE 1 END,\n"
        "    blocked_until = CASE\n"
        f"        WHEN {name}.expires_at <= now() THEN now()\n"
        f"        WHEN {name}.failures < {free} THEN now()\n"
        f"        ELSE now() + interval '{FIRST_WAIT_S:g} s'\n"
        f"            * power(2, least({WAIT_DOUBLINGS_MAX}, {name}.failures\n"
        f"                - {free}))\n"
        "    END,\n"
        "    expires_at = EXCLUDED.expires_at\nRETURNING scope, failures, blocked_until"
    )
    wish = Wish(table=name, equal=("scope", "subject_hash"))
    return sql.done(f"count-{kebab(account.name)}-failure", text, wish=wish, rows_max=2, is_write=True)


def _subjects(sql: Sql) -> tuple[str, str]:
    """Of the name and of the address."""
    found = [sample(sql.tables, sql.table, "subject_hash", is_fresh=is_fresh) for is_fresh in (False, True)]
    return sql.bind(found[0], "account_hash"), sql.bind(found[1], "address_hash")


def forget_failures(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.failures_name(account))
    sql = draft.sql(table)
    text = f"DELETE FROM {table.name}\nWHERE scope = 'account'\n  AND {sql.equal('subject_hash')}"
    wish = Wish(table=table.name, equal=("scope", "subject_hash"))
    return sql.done(f"forget-{kebab(account.name)}-failures", text, wish=wish, rows_max=0, is_write=True)


_RENEWED = (
    "id = EXCLUDED.id, code_hash = EXCLUDED.code_hash, attempts = 0,\n"
    "        expires_at = EXCLUDED.expires_at, created_at = now()"
)


def upsert_code(draft: Draft, account: Resource, purpose: str) -> Statement:
    """Finds the account and keeps the code in one statement, which takes as long when there is no such account."""
    table, people = draft.table(accounts.codes_name(account)), draft.table(table_name(account.name))
    sql = draft.sql(table)
    holder, login = accounts.holder(account), facts.login_column(account)
    id, digest = sql.value("id", is_fresh=True), sql.value("code_hash")
    ttl = sql.bind(interval(accounts.CODE_TTL_S), "ttl")
    name = sql.value(login, table=people)
    states = dict.fromkeys(
        each
        for each in (
            facts.unverified_state(draft.blueprint, account) if purpose == "reset" else "",
            facts.signing_state(draft.blueprint, account),
        )
        if each
    )
    condition = f"\n      AND status IN ({', '.join(map(literal, states))})" if states else ""
    shown = [each for each in ("id", "locale") if people.column(each)]
    text = (
        f"WITH person AS (\n    SELECT {listed(shown)}\n    FROM {quoted(people.name)}\n"
        f"    WHERE {quoted(login)} = {name}{condition}\n), code AS (\n"
        f"    INSERT INTO {table.name} (id, {holder}, purpose, code_hash, expires_at)\n"
        f"    SELECT {id}::uuid, id, {literal(purpose)}, {digest}::bytea, now() + {ttl}::interval FROM person\n"
        f"    ON CONFLICT ({holder}, purpose) DO UPDATE\n    SET {_RENEWED}\n)\n"
        f"SELECT {listed(shown)}\nFROM person"
    )
    wish = Wish(table=people.name, equal=(login,))
    id = f"keep-{kebab(account.name)}-code-to-{purpose}"
    says = "no row: nobody has that name, or not in a state in which a code would help"
    return sql.done(id, text, wish=wish, rows_max=1, is_write=True, others=(people.name,), says=says)


def renew_code(draft: Draft, account: Resource) -> Statement:
    """By the challenge of a registration and not by the name: only who registered can have it sent again."""
    table, people = draft.table(accounts.codes_name(account)), draft.table(table_name(account.name))
    sql = draft.sql(table)
    digest, ttl = sql.value("code_hash"), sql.bind(interval(accounts.CODE_TTL_S), "ttl")
    first = facts.unverified_state(draft.blueprint, account)
    condition = f"\n  AND a.status = {literal(first)}" if first else ""
    holder = accounts.holder(account)
    told = [f"a.{quoted(each)}" for each in ("id", facts.login_column(account), "locale") if people.column(each)]
    text = (
        f"UPDATE {table.name} AS c\nSET code_hash = {digest}, attempts = 0, expires_at = now() + {ttl}::interval,\n"
        f"    created_at = now()\nFROM {quoted(people.name)} AS a\n"
        f"WHERE {sql.equal('id', alias='c.')}\n  AND c.purpose = 'verify'\n  AND a.id = c.{quoted(holder)}{condition}\n"
        f"RETURNING {', '.join(told)}"
    )
    wish = Wish(table=table.name, equal=("id",))
    id = f"renew-{kebab(account.name)}-code"
    says = "no row: there is no such registration any more"
    return sql.done(id, text, wish=wish, rows_max=1, is_write=True, others=(people.name,), says=says)


def count_try(draft: Draft, account: Resource, purpose: str) -> Statement:
    """A code is good for what it was sent for and for nothing else."""
    table, people = draft.table(accounts.codes_name(account)), draft.table(table_name(account.name))
    sql = draft.sql(table)
    holder = quoted(accounts.holder(account))
    told = [f"c.{holder}", "c.code_hash"]
    told += [f"a.{quoted(each)}" for each in (facts.login_column(account), "locale") if people.column(each)]
    text = (
        f"UPDATE {table.name} AS c\nSET attempts = c.attempts + 1\nFROM {quoted(people.name)} AS a\n"
        f"WHERE {sql.equal('id', alias='c.')}\n  AND c.purpose = {sql.bind(literal(purpose), 'purpose')}\n"
        f"  AND c.attempts < {accounts.CODE_ATTEMPTS_MAX}\n  AND c.expires_at > now()\n  AND a.id = c.{holder}\n"
        f"RETURNING {', '.join(dict.fromkeys(told))}"
    )
    wish = Wish(table=table.name, equal=("id",))
    id = f"try-{kebab(account.name)}-code"
    return sql.done(id, text, wish=wish, rows_max=1, is_write=True, others=(people.name,))


def delete_code(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.codes_name(account))
    sql = draft.sql(table)
    text = f"DELETE FROM {table.name}\nWHERE {sql.equal('id')}"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"delete-{kebab(account.name)}-code", text, wish=wish, rows_max=0, is_write=True)


def verify(draft: Draft, account: Resource) -> Statement:
    """Only what is unverified becomes verified: a code lets nobody back in who was locked out since."""
    table = draft.table(table_name(account.name))
    sql = draft.sql(table)
    to, first = facts.signing_state(draft.blueprint, account), facts.unverified_state(draft.blueprint, account)
    text = (
        f"UPDATE {quoted(table.name)}\nSET status = {literal(to)}, version = version + 1, updated_at = now()\n"
        f"WHERE {sql.equal('id')}\n  AND status = {literal(first)}\nRETURNING id"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = "no row: it was verified before, or is locked or closed"
    return sql.done(f"verify-{kebab(account.name)}", text, wish=wish, rows_max=1, is_write=True, says=says)
