"""The table of the keys that machines show, where they show keys."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import PlannedCheck, PlannedColumn, PlannedIndex, PlannedTable
from nines.model.design.ddl import identifier
from nines.planning.data import facts
from nines.planning.data.columns import SUBJECT_LENGTH_MAX

API_KEYS = "api_keys"
SESSIONS = "sessions"
_ID_LENGTH = 16
_HASH_BYTES = 32


def has_keys(blueprint: Blueprint) -> bool:
    return blueprint.auth is not None and blueprint.auth.scheme == "api-key"


def has_sign_ins(blueprint: Blueprint) -> bool:
    """Whether people sign in at a provider, and have a session here."""
    return blueprint.auth is not None and blueprint.auth.scheme == "oidc"


def sessions_name(blueprint: Blueprint) -> str:
    return facts.own_name(blueprint, SESSIONS)


def keys_name(blueprint: Blueprint) -> str:
    return facts.own_name(blueprint, API_KEYS)


def caller_tables(blueprint: Blueprint) -> Iterator[PlannedTable]:
    if has_keys(blueprint):
        yield _api_keys(blueprint)
    if has_sign_ins(blueprint):
        yield _sessions(blueprint)


def _api_keys(blueprint: Blueprint) -> PlannedTable:
    name = keys_name(blueprint)
    says = "Keys of callers: of each its digest alone. Two at once are how one takes the place of the other."
    return PlannedTable(
        name=name,
        says=says,
        columns=(
            PlannedColumn(name="id", type="text", width_bytes=17, says="the part of the key that is no secret"),
            PlannedColumn(
                name="key_hash",
                type="bytea",
                width_bytes=33,
                says="SHA-256 of 256 random bits; the key is kept nowhere",
            ),
            PlannedColumn(name="subject", type="text", width_bytes=24, says="who shows it; several keys may be theirs"),
            *_tenant(blueprint),
            *_roles(blueprint),
            PlannedColumn(name="expires_at", type="timestamptz", is_nullable=True, says="NULL: not by itself"),
            PlannedColumn(name="revoked_at", type="timestamptz", is_nullable=True, width_bytes=1),
            PlannedColumn(name="used_at", type="timestamptz", is_nullable=True, says="to the minute"),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
        ),
        indexes=(PlannedIndex(name=identifier(name, "pkey"), columns=("id",), is_unique=True, is_primary=True),),
        checks=(
            PlannedCheck(name=identifier(name, "id", "check"), expression=f"char_length(id) <= {_ID_LENGTH}"),
            PlannedCheck(
                name=identifier(name, "key_hash", "check"), expression=f"octet_length(key_hash) = {_HASH_BYTES}"
            ),
            PlannedCheck(
                name=identifier(name, "subject", "check"), expression=f"char_length(subject) <= {SUBJECT_LENGTH_MAX}"
            ),
        ),
    )


def _sessions(blueprint: Blueprint) -> PlannedTable:
    name = sessions_name(blueprint)
    auth = blueprint.auth
    return PlannedTable(
        name=name,
        says="One sign-in at the provider with one browser; ended here, it is over at once.",
        columns=(
            PlannedColumn(name="id", type="uuid", width_bytes=16, says="version 7, made by the service"),
            PlannedColumn(
                name="token_hash",
                type="bytea",
                width_bytes=33,
                says="SHA-256 of the 256 random bits in the cookie, which is kept nowhere",
            ),
            PlannedColumn(name="subject", type="text", width_bytes=37, says="as the provider names them"),
            *_tenant(blueprint),
            *_roles(blueprint, default=""),
            *_factor(blueprint),
            PlannedColumn(name="seen_at", type="timestamptz", default="now()", says="to the minute; idle ones end"),
            PlannedColumn(name="expires_at", type="timestamptz"),
            PlannedColumn(name="revoked_at", type="timestamptz", is_nullable=True, width_bytes=1),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
        ),
        indexes=(
            PlannedIndex(name=identifier(name, "pkey"), columns=("id",), is_unique=True, is_primary=True),
            PlannedIndex(name=identifier(name, "token_hash_key"), columns=("token_hash",), is_unique=True),
        ),
        checks=(
            PlannedCheck(
                name=identifier(name, "token_hash", "check"), expression=f"octet_length(token_hash) = {_HASH_BYTES}"
            ),
            PlannedCheck(
                name=identifier(name, "subject", "check"), expression=f"char_length(subject) <= {SUBJECT_LENGTH_MAX}"
            ),
        ),
        retention_s=auth.refresh_ttl_s if auth else None,
    )


def _factor(blueprint: Blueprint) -> Iterator[PlannedColumn]:
    if any(role.needs_second_factor for role in blueprint.roles):
        yield PlannedColumn(name="has_second_factor", type="boolean", width_bytes=1, says="as the provider told")


def _tenant(blueprint: Blueprint) -> Iterator[PlannedColumn]:
    if blueprint.tenancy is not None:
        yield PlannedColumn(name="tenant", type="text", width_bytes=24, says="whose data it may see")


def _roles(blueprint: Blueprint, *, default: str = "'{}'") -> Iterator[PlannedColumn]:
    if blueprint.roles:
        yield PlannedColumn(name="roles", type="text[]", default=default, width_bytes=24, says="what they may do")
