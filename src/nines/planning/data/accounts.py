"""What signing in needs beside the account: credentials, roles, sessions, refresh tokens, codes, counted failures."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, FieldKind, Resource
from nines.model.design import PlannedCheck, PlannedColumn, PlannedIndex, PlannedTable
from nines.model.design.ddl import identifier, literal
from nines.planning.data import facts
from nines.planning.data.columns import CIPHERTEXT, column_type, width
from nines.planning.data.names import table_name

CODE_ATTEMPTS_MAX = 5
CODE_TTL_S = 600.0
HASH_BYTES = 32
FAILURES_TTL_S = 86_400.0
_CODES = (
    Action.SEND_CODE,
    Action.VERIFY_CODE,
    Action.REQUEST_RESET,
    Action.RESET_PASSWORD,
    Action.REQUEST_SIGN_IN,
    Action.SIGN_IN_BY_CODE,
)
MAILING = (Action.REGISTER, Action.SEND_CODE, Action.REQUEST_RESET, Action.RESET_PASSWORD, Action.REQUEST_SIGN_IN)
"""What leaves a letter."""
OPENING = (Action.SIGN_IN, Action.SIGN_IN_BY_CODE)
_SIGNING = (Action.SIGN_IN, Action.REFRESH, Action.SIGN_OUT, Action.SIGN_OUT_EVERYWHERE, *_CODES)


def account_tables(blueprint: Blueprint, resource: Resource) -> Iterator[PlannedTable]:
    """The tables that come with an account; codes only where an operation sends or takes them."""
    yield _credentials(blueprint, resource)
    if facts.uses(blueprint, *_SIGNING):
        yield _sessions(blueprint, resource)
        if not facts.keeps_sessions(blueprint):
            yield _refresh_tokens(blueprint, resource)
        yield _failures(blueprint, resource)
    if blueprint.roles:
        yield _roles(blueprint, resource)
    if has_second_factor(blueprint):
        yield _second_factors(blueprint, resource)
    if facts.uses(blueprint, *_CODES):
        yield _codes(blueprint, resource)


def has_second_factor(blueprint: Blueprint) -> bool:
    return any(role.needs_second_factor for role in blueprint.roles)


def roles_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "roles")


def second_factors_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "second_factors")


def credentials_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "credentials")


def sessions_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "sessions")


def refresh_tokens_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "refresh_tokens")


def codes_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "codes")


def failures_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "failures")


def holder(resource: Resource) -> str:
    """The column that names the account."""
    return f"{facts.singular(resource)}_id"


def _of_account(resource: Resource) -> PlannedColumn:
    type = column_type(resource.identifier.kind)
    return PlannedColumn(
        name=holder(resource),
        type=type,
        references=f"{table_name(resource.name)}.id",
        on_delete="CASCADE",
        width_bytes=width(type),
    )


def _key(table: str, *columns: str) -> PlannedIndex:
    return PlannedIndex(name=identifier(table, "pkey"), columns=columns, is_unique=True, is_primary=True)


def _id() -> PlannedColumn:
    return PlannedColumn(name="id", type="uuid", width_bytes=16, says="version 7, made by the service")


def _created() -> PlannedColumn:
    return PlannedColumn(name="created_at", type="timestamptz", default="now()")


def _credentials(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name = credentials_name(resource)
    has_password = any(field.kind is FieldKind.PASSWORD for field in resource.fields)
    return PlannedTable(
        name=name,
        says="Apart from the account, so that no query that shows an account can show a hash.",
        module=facts.module_name(blueprint, resource),
        columns=(
            _of_account(resource),
            PlannedColumn(
                name="password_hash",
                type="text",
                is_nullable=not has_password,
                width_bytes=98,
                says="argon2id with its salt and costs (RFC 9106)",
            ),
            PlannedColumn(name="changed_at", type="timestamptz", default="now()"),
            PlannedColumn(
                name="used_at",
                type="timestamptz",
                default="now()",
                says="the last sign-in: whoever comes back is not purged",
            ),
        ),
        indexes=(_key(name, holder(resource)),),
        checks=(
            PlannedCheck(
                name=identifier(name, "password_hash", "check"), expression="password_hash LIKE '$argon2id$%'"
            ),
        ),
    )


def _sessions(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name = sessions_name(resource)
    ttl_s = blueprint.auth.refresh_ttl_s if blueprint.auth else None
    is_shown = facts.keeps_sessions(blueprint)
    return PlannedTable(
        name=name,
        says="One sign-in on one device; revoking it ends it at once."
        if is_shown
        else "One sign-in on one device; revoking it ends every token that descends from it.",
        module=facts.module_name(blueprint, resource),
        columns=(
            _id(),
            _of_account(resource),
            PlannedColumn(name="address", type="inet", is_nullable=True, is_personal=True, width_bytes=10),
            PlannedColumn(name="agent", type="text", is_nullable=True, is_personal=True, width_bytes=60),
            *(_of_cookie() if is_shown else ()),
            *_shown_factor(blueprint),
            PlannedColumn(name="expires_at", type="timestamptz"),
            PlannedColumn(name="revoked_at", type="timestamptz", is_nullable=True, width_bytes=1),
            _created(),
        ),
        indexes=(
            _key(name, "id"),
            *(
                (PlannedIndex(name=identifier(name, "token_hash_key"), columns=("token_hash",), is_unique=True),)
                if is_shown
                else ()
            ),
        ),
        checks=(
            PlannedCheck(name=identifier(name, "agent", "check"), expression="char_length(agent) <= 255"),
            *((_hash_check(name),) if is_shown else ()),
        ),
        retention_s=ttl_s,
    )


def _of_cookie() -> Iterator[PlannedColumn]:
    says = "SHA-256 of the 256 random bits in the cookie, which is kept nowhere"
    yield PlannedColumn(name="token_hash", type="bytea", width_bytes=33, says=says)
    yield PlannedColumn(name="seen_at", type="timestamptz", default="now()", says="to the minute; idle ones end")


def _hash_check(table: str) -> PlannedCheck:
    return PlannedCheck(
        name=identifier(table, "token_hash", "check"), expression=f"octet_length(token_hash) = {HASH_BYTES}"
    )


def _shown_factor(blueprint: Blueprint) -> Iterator[PlannedColumn]:
    if has_second_factor(blueprint):
        says = "tokens of this session say so, so that roles which need it can be used"
        yield PlannedColumn(name="has_second_factor", type="boolean", width_bytes=1, says=says)


def _roles(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name = roles_name(resource)
    allowed = ", ".join(literal(role.name) for role in blueprint.roles)
    return PlannedTable(
        name=name,
        says="Who has which role; granted at the console of an operator, by no operation that could be called.",
        module=facts.module_name(blueprint, resource),
        columns=(
            _of_account(resource),
            PlannedColumn(name="role", type="text", width_bytes=10),
            _created(),
        ),
        indexes=(_key(name, holder(resource), "role"),),
        checks=(PlannedCheck(name=identifier(name, "role", "check"), expression=f"role IN ({allowed})"),),
    )


def _second_factors(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name = second_factors_name(resource)
    return PlannedTable(
        name=name,
        says="The secret that somebody's authenticator shares (RFC 6238).",
        module=facts.module_name(blueprint, resource),
        columns=(
            _of_account(resource),
            PlannedColumn(name="secret", type="bytea", is_encrypted=True, width_bytes=50, says=CIPHERTEXT),
            PlannedColumn(
                name="last_step", type="bigint", default="0", says="of the code that was used last: none works twice"
            ),
            _created(),
        ),
        indexes=(_key(name, holder(resource)),),
    )


def _refresh_tokens(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name, sessions = refresh_tokens_name(resource), sessions_name(resource)
    return PlannedTable(
        name=name,
        says="Each is used once; one that comes twice was stolen, and ends its session (RFC 9700, 4.14.2).",
        module=facts.module_name(blueprint, resource),
        columns=(
            PlannedColumn(
                name="token_hash",
                type="bytea",
                width_bytes=33,
                says="SHA-256 of 256 random bits; the token itself is kept nowhere",
            ),
            PlannedColumn(
                name="session_id", type="uuid", references=f"{sessions}.id", on_delete="CASCADE", width_bytes=16
            ),
            PlannedColumn(name="used_at", type="timestamptz", is_nullable=True),
            PlannedColumn(name="expires_at", type="timestamptz"),
            _created(),
        ),
        indexes=(_key(name, "token_hash"),),
        checks=(_hash_check(name),),
        retention_s=blueprint.auth.refresh_ttl_s if blueprint.auth else None,
    )


def _codes(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name = codes_name(resource)
    return PlannedTable(
        name=name,
        says="One-time codes: the newest of a purpose counts, for a few minutes and a few attempts.",
        module=facts.module_name(blueprint, resource),
        columns=(
            PlannedColumn(
                name="id", type="uuid", width_bytes=16, says="version 4: it goes with the code and must not be guessed"
            ),
            _of_account(resource),
            PlannedColumn(name="purpose", type="text", width_bytes=8),
            PlannedColumn(name="code_hash", type="bytea", width_bytes=33, says="HMAC-SHA-256 under a key of its own"),
            PlannedColumn(name="attempts", type="smallint", default="0", width_bytes=2),
            PlannedColumn(name="expires_at", type="timestamptz"),
            _created(),
        ),
        indexes=(
            _key(name, "id"),
            PlannedIndex(
                name=identifier(name, holder(resource), "purpose_key"),
                columns=(holder(resource), "purpose"),
                is_unique=True,
            ),
        ),
        checks=(
            PlannedCheck(
                name=identifier(name, "purpose", "check"), expression="purpose IN ('sign-in', 'verify', 'reset')"
            ),
            PlannedCheck(
                name=identifier(name, "code_hash", "check"), expression=f"octet_length(code_hash) = {HASH_BYTES}"
            ),
            PlannedCheck(
                name=identifier(name, "attempts", "check"), expression=f"attempts BETWEEN 0 AND {CODE_ATTEMPTS_MAX}"
            ),
        ),
        retention_s=CODE_TTL_S,
    )


def _failures(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name = failures_name(resource)
    return PlannedTable(
        name=name,
        says="Failed attempts counted for each account and for each address, whether the account exists or not.",
        module=facts.module_name(blueprint, resource),
        columns=(
            PlannedColumn(name="scope", type="text", width_bytes=8),
            PlannedColumn(
                name="subject_hash",
                type="bytea",
                width_bytes=33,
                says="HMAC-SHA-256 of the login name or the address: no personal data in a table of failures",
            ),
            PlannedColumn(name="failures", type="integer", default="1", width_bytes=4),
            PlannedColumn(name="blocked_until", type="timestamptz", default="now()"),
            PlannedColumn(name="expires_at", type="timestamptz"),
        ),
        indexes=(_key(name, "scope", "subject_hash"),),
        checks=(
            PlannedCheck(name=identifier(name, "scope", "check"), expression="scope IN ('account', 'address')"),
            PlannedCheck(
                name=identifier(name, "subject_hash", "check"), expression=f"octet_length(subject_hash) = {HASH_BYTES}"
            ),
            PlannedCheck(name=identifier(name, "failures", "check"), expression="failures > 0"),
        ),
        retention_s=FAILURES_TTL_S,
    )
