"""What a service that signs its own tokens answers beside its operations: its keys, and where they are.

RFC 7517, and as much of OpenID Connect Discovery 1.0 as there is without its flows."""

from __future__ import annotations

from msgspec.structs import replace

from nines.model.blueprint import OF_ACCOUNTS
from nines.model.contract import Schema
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint, Shape

_FRESH_S = 3_600
_WRONG = (500, 503)
_KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "use": "sig",
}
_TEXT: Schema = {"type": "string"}


def described(design: Design) -> Design:
    """With the two documents; as it is where the tokens are somebody else's."""
    is_signing = design.auth is not None and design.auth.scheme == "own-jwt"
    opened = next((each for each in design.endpoints if each.action in OF_ACCOUNTS and each.is_public), None)
    if not is_signing or opened is None:
        return design
    failing = tuple(
        replace(each, example=None, headers=tuple(name for name in each.headers if not name.startswith("RateLimit")))
        for each in opened.answers
        if each.status in _WRONG
    )
    says = "The public keys; the next one is among them before anything is signed with it."
    keys = _endpoint("getKeys", "/.well-known/jwks.json", says, _key_set(), failing)
    says = "Who signs the tokens, and where the keys are."
    issuer = _endpoint("getIssuer", "/.well-known/openid-configuration", says, _metadata(design), failing)
    return replace(
        design,
        endpoints=(*design.endpoints, keys, issuer),
        shapes=(*design.shapes, _key_set(), _metadata(design)),
    )


def _endpoint(id: str, path: str, says: str, shape: Shape, failing: tuple[PlannedAnswer, ...]) -> PlannedEndpoint:
    answer = PlannedAnswer(
        status=200,
        says=f"{says} Kept for {_FRESH_S // 60} minutes.",
        shape=shape.name,
        headers=("Cache-Control", "X-Request-Id"),
        example=shape.example,
    )
    return PlannedEndpoint(
        id=id,
        method="GET",
        path=path,
        summary=says.rstrip("."),
        resource="",
        answers=(answer, *failing),
        cache_control=f"public, max-age={_FRESH_S}",
        is_public=True,
    )


def _key_set() -> Shape:
    key: Schema = {"type": "object", "properties": {"kty": _TEXT, "kid": _TEXT}, "required": ["kty", "kid"]}
    members: Schema = {"keys": {"type": "array", "items": key}}
    schema: Schema = {"type": "object", "properties": members, "required": ["keys"]}
    return Shape(name="KeySet", schema=schema, example={"keys": [_KEY]})


def _metadata(design: Design) -> Shape:
    told = design.auth.issuer if design.auth else ""
    issuer = told if told.startswith("https://") else "https://issuer.example"
    uri: Schema = {"type": "string", "format": "uri"}
    schema: Schema = {
        "type": "object",
        "properties": {"issuer": uri, "jwks_uri": uri},
        "required": ["issuer", "jwks_uri"],
    }
    example = {"issuer": issuer, "jwks_uri": f"{issuer.rstrip('/')}/.well-known/jwks.json"}
    return Shape(name="IssuerMetadata", schema=schema, example=example)
