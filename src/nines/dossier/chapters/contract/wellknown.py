"""What a service answers beside the operations of its blueprint, so that callers are known.

One that signs its own tokens: its keys (RFC 7517), and as much of OpenID Connect Discovery 1.0 as there is without its
flows. One whose people sign in at a provider: the steps that their browsers take."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.blueprint import OF_ACCOUNTS, Limit
from nines.model.contract import Schema
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint, PlannedParameter, Shape

_FRESH_S = 3_600
STEPS_MAX = 60
"""Steps of signing in that one address may take in a minute."""
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
    """With what is answered beside; as it is where there is nothing."""
    if design.auth is not None and design.auth.scheme == "oidc":
        return replace(design, endpoints=(*design.endpoints, *_steps(design)))
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


def _steps(design: Design) -> Iterator[PlannedEndpoint]:
    """Of a browser: to the provider, back, and out."""
    guarded = next((each for each in design.endpoints if not each.is_public), None)
    known = {each.status: each for each in (guarded.answers if guarded else ())}
    failing = tuple(
        replace(known[status], example=None, headers=tuple(h for h in known[status].headers if "RateLimit" not in h))
        for status in (401, *_WRONG)
        if status in known
    )
    told = ("Cache-Control", "Location", "Set-Cookie", "X-Request-Id")
    limited = Limit(count=STEPS_MAX, per="address")

    def step(id: str, method: str, path: str, says: str, answer: PlannedAnswer, *, is_public: bool) -> PlannedEndpoint:
        return PlannedEndpoint(
            id=id,
            method=method,
            path=path,
            summary=says,
            answers=(answer, *(each for each in failing if each.status != 401 or id != "signIn")),
            cache_control="no-store",
            is_public=is_public,
            limit=limited if is_public else None,
            parameters=tuple(
                PlannedParameter(name=name, location="query", schema={"type": "string", "maxLength": most}, says=text)
                for name, most, text in _QUERIES.get(id, ())
            ),
        )

    there = PlannedAnswer(status=303, says="To the provider.", headers=told)
    back = PlannedAnswer(status=303, says="Signed in; the cookie of the session comes with it.", headers=told)
    over = PlannedAnswer(status=204, says="The session is over.", headers=("Set-Cookie", "X-Request-Id"))
    yield step("signIn", "GET", "/auth/sign-in", "Sign in with a browser", there, is_public=True)
    yield step("completeSignIn", "GET", "/auth/callback", "Come back from the provider", back, is_public=True)
    yield step("signOut", "POST", "/auth/sign-out", "End the session of the cookie", over, is_public=False)


_QUERIES = {
    "signIn": (("return_to", 512, "A path of this service, where the browser goes in the end."),),
    "completeSignIn": (
        ("code", 4_096, "What the provider gave."),
        ("state", 1_024, "What was sent to it, and tells that this browser asked."),
    ),
}


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
