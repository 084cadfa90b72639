"""The secrets that the service needs, each by its name, and how it is changed while requests are answered."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, Secret
from nines.model.words import duration
from nines.planning.data.names import snake
from nines.planning.running.others import SOON_S
from nines.planning.threats import elements
from nines.planning.threats.drafting import named

STORE = "the platform's secret store, as an environment variable at start"
_QUARTER_S = 90 * 86_400.0
_YEAR_S = 365 * 86_400.0
_FETCH_S = 3_600.0
"""How long others may keep a published key set (Cache-Control: max-age)."""
_CURSOR_S = 86_400.0
"""A cursor that is older is refused anyway."""


def secrets(design: Design) -> tuple[Secret, ...]:
    """Nothing for a design that was read from code: what it asks its environment for is not part of the reading."""
    if design.is_recovered:
        return ()
    found = [each for dependency in design.dependencies for each in _of_dependency(dependency)]
    return (*found, *_of_auth(design), *_of_data(design), *_of_edges(design))


def setting(name: str, *words: str) -> str:
    """ "gateway" with "credential" is GATEWAY_CREDENTIAL."""
    return "_".join([snake(name), *words]).upper()


def _of_dependency(dependency: Dependency) -> Iterator[Secret]:
    name = dependency.name
    if dependency.kind is DependencyKind.POSTGRES:
        yield Secret(
            name=setting(name, "password"),
            says=f"{name}, with the rights of the service: its own tables, no change of the schema.",
            held_in=STORE,
            rotation="Two roles with the same rights take turns: give the idle one a new password, roll out with "
            "it, wait until "
            "the other has no connection left (pg_stat_activity), then lock it.",
            dependency=name,
            every_s=_QUARTER_S,
            is_assumed=True,
        )
        yield Secret(
            name=setting(name, "migration", "password"),
            says=f"{name}, with the right to change the schema; the job that migrates has it, no process that "
            "answers requests.",
            held_in="the platform's secret store, for the migration job alone",
            rotation="Changed between two releases; nothing that runs uses it.",
            dependency=name,
            every_s=_QUARTER_S,
            is_assumed=True,
        )
        return
    if elements.is_store(dependency):
        says, rotation = (
            f"{name}, with the rights of the service.",
            "A second user takes over with a roll-out, then the first is deleted.",
        )
    else:
        says = f"What {name} knows this service by."
        rotation = (
            f"{name} issues a second one, it is rolled out, calls with the first fall to none in the log, "
            "then the first is revoked. Needs a provider that accepts two at a time."
        )
    yield Secret(
        name=setting(name, "credential"),
        says=says,
        held_in=f"{STORE}, beside {dependency.url.strip('${}')}" if dependency.url.startswith("${") else STORE,
        rotation=rotation,
        dependency=name,
        every_s=_QUARTER_S,
        is_assumed=True,
    )


def _of_auth(design: Design) -> Iterator[Secret]:
    auth = design.auth
    if auth is None:
        return
    if auth.scheme == "own-jwt":
        yield Secret(
            name="TOKEN_SIGNING_KEY",
            says=f"The private half of the {' or '.join(auth.algorithms)} key that signs access tokens; whoever "
            "has it is everybody.",
            held_in=f"{STORE}; better a key service that signs and never gives it out",
            rotation=f"Publish the next public key beside the present one; after {duration(_FETCH_S)}, when every "
            "key set was fetched anew, sign "
            f"with it; {duration(auth.token_ttl_s)} later no token of the old key is left, and it is taken out. "
            f"{duration(_FETCH_S + auth.token_ttl_s)} in all.",
            every_s=_QUARTER_S,
        )
    if auth.scheme == "oidc":
        yield Secret(
            name="OIDC_CLIENT_SECRET",
            says="What the provider knows this service by when it redeems a code; empty: by PKCE alone.",
            held_in=STORE,
            rotation="The provider issues a second one, it is rolled out, then the first is revoked.",
            every_s=_QUARTER_S,
            is_assumed=True,
        )


def _of_data(design: Design) -> Iterator[Secret]:
    encrypted = [f"{t.name}.{c.name}" for t in design.tables for c in t.columns if c.is_encrypted]
    digests = [f"{t.name}.{c.name}" for t in design.tables for c in t.columns if c.name.endswith("_digest")]
    if encrypted:
        yield Secret(
            name="FIELD_KEYS",
            says=f"AES-256 keys, each with its number, of {named(encrypted)}.",
            held_in=f"{STORE}, wrapped by a key of the key service",
            rotation="Each ciphertext begins with the number of its key. Roll out with a new key for reading, "
            "then for writing; a job writes old "
            "rows anew, and the old key goes when no row has its number. Until then both are needed, in backups "
            "as long as these are kept.",
            every_s=_YEAR_S,
        )
    if digests:
        yield Secret(
            name="LOOKUP_KEY",
            says=f"Keys the digests by which {named(digests)} are found.",
            held_in=STORE,
            rotation="A second digest column is filled by a job, lookups change over, the first is dropped: "
            "expand and contract. Only after a leak.",
        )
    hashed = [t.name for t in design.tables if t.column("code_hash") or t.column("subject_hash")]
    if hashed:
        yield Secret(
            name="CODE_KEY",
            says=f"Keys the digests in {named(hashed)}: without it a copy of the table tells no code.",
            held_in=STORE,
            rotation="Roll out: codes that are under way no longer match and are asked for again, counted "
            "failures begin anew.",
            every_s=_YEAR_S,
        )
    if any(each.page for each in design.endpoints):
        yield Secret(
            name="CURSOR_KEY",
            says="Signs the cursors of lists, so that nobody makes one for filters of others.",
            held_in=STORE,
            rotation=f"Two keys: sign with the new one, take both for {duration(_CURSOR_S)}.",
            every_s=_YEAR_S,
        )


def _of_edges(design: Design) -> Iterator[Secret]:
    if elements.has_subscribers(design):
        yield Secret(
            name="SUBSCRIBER_SECRETS",
            says=f"Sign the deliveries of {named(each.name for each in design.events)}, one for each subscriber.",
            held_in=STORE,
            rotation="Deliveries carry two signatures while a subscriber changes over.",
            every_s=_YEAR_S,
            is_assumed=True,
        )
    yield Secret(
        name="TLS_KEY",
        says="The certificate of the public host name.",
        held_in="the balancer; never in the service",
        rotation="Issued anew by ACME (RFC 8555) at two thirds of its life, and loaded without a restart; an "
        f"alert {duration(SOON_S)} before its end.",
        every_s=60 * 86_400.0,
        is_assumed=True,
    )
