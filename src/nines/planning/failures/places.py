"""The failure modes of what is the service's own: where it stands, and who issues its tokens."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.design import Design, FailureMode
from nines.model.words import duration
from nines.planning.failures import assumptions
from nines.planning.failures.assumptions import Incident, Mode, part
from nines.planning.failures.copies import replicas
from nines.planning.failures.dependencies import STALL
from nines.planning.failures.making import deployable, made
from nines.planning.running import names
from nines.planning.threats import elements

ZONE, REGION, EDGE, ISSUER = "the zone", "the region", "the edge", "the issuer"
_ELSEWHERE = "503 or a connection that ends: whoever was sent there; a repetition comes elsewhere"


def of_places(design: Design) -> Iterator[FailureMode]:
    deploy, least = design.deploy, replicas(design)[0]
    fast = names.burn(names.objective(design.name, "availability"), names.FAST)
    zone = assumptions.ZONE
    alone = deploy.zones < 2
    lasts_s = assumptions.ZONE_ALONE_S if alone else zone.lasts_s
    yield made(
        design,
        ZONE,
        Mode.REFUSING,
        metric="up",
        alert=names.down(deployable(design))
        if alone
        else names.replicas_missing(deployable(design))
        if least > 1
        else fast,
        contained_by=()
        if alone
        else (
            f"{deploy.zones} zones: {least} processes or more, spread over them",
            "failover of the database to a copy in another zone",
        ),
        sees="503 or no connection: all" if alone else _ELSEWHERE,
        lasts_s=lasts_s,
        per_year=zone.per_year,
        failing=1.0 if alone else 1 / deploy.zones,
        arithmetic=f"{zone.source}{'; there is one zone: ' + duration(lasts_s) if alone else ''}; "
        f"{part(1.0 if alone else 1 / deploy.zones)} of the requests fail.",
        is_open=alone,
    )
    if elements.has_issuer(design):
        yield from _issuer(design)
    if deploy.regions < 2:
        yield _region(design, assumptions.REGION, fast)
    certificate = assumptions.CERTIFICATE
    yield made(
        design,
        EDGE,
        Mode.EXPIRED,
        metric=names.CREDENTIAL_EXPIRY_SECONDS,
        alert=names.credential_expires_soon(design.name),
        contained_by=("renewed at two thirds of its life by ACME (RFC 8555)", "two alerts before it ends"),
        sees="a TLS error: all",
        lasts_s=certificate.lasts_s,
        per_year=certificate.per_year,
        failing=1.0,
        arithmetic=f"{certificate.source}; nobody comes through.",
    )


def _region(design: Design, region: Incident, alert: str) -> FailureMode:
    return made(
        design,
        REGION,
        Mode.REFUSING,
        metric=names.REQUEST_SECONDS,
        alert=alert,
        contained_by=("backups in another region, from which it is set up anew",),
        sees="no connection: all",
        lasts_s=region.lasts_s,
        per_year=region.per_year,
        failing=1.0,
        arithmetic=f"{region.source}; there is one region, and all requests fail.",
    )


def _issuer(design: Design) -> Iterator[FailureMode]:
    issuer = design.auth.issuer if design.auth and design.auth.issuer else "the issuer"
    guarded = tuple(each.id for each in design.endpoints if not each.is_public)
    yield made(
        design,
        ISSUER,
        Mode.REFUSING,
        metric=names.CALL_SECONDS,
        alert="",
        contained_by=("the keys that were fetched go on to hold; no request asks the issuer",),
        sees="nothing, as long as the callers' tokens last; then they get no new ones, from " + issuer,
        lasts_s=3_600.0,
        per_year=1.0,
        arithmetic="assumed: once a year for an hour. No request fails here; callers without a token send none.",
        tried_by=STALL,
        operations=guarded,
    )
    keys = assumptions.KEYS
    yield made(
        design,
        ISSUER,
        Mode.EXPIRED,
        metric=names.REQUEST_SECONDS,
        alert="",
        contained_by=("a kid that is not known is asked for at once, then at most once a minute",),
        sees="401 unauthorized: those with a token of the new key",
        lasts_s=keys.lasts_s,
        per_year=keys.per_year,
        arithmetic=f"{keys.source}. 401 is no failure to the objective; to those callers it is one.",
        operations=guarded,
    )
