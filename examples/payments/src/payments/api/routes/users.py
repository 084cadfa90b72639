"""Registration, login, and who one is."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from payments.api.access import ServicesDep, SignedIn, address, enforce
from payments.api.contract import errors, headers
from payments.api.schemas import NewToken, NewUser, TokenOut, UserOut
from payments.api.strict import StrictRoute
from payments.ids import new_id
from payments.problems import not_found, unauthorized
from payments.security import Principal
from payments.store import audit, users

router = APIRouter(prefix="/v1", tags=["users"], route_class=StrictRoute)


@router.post(
    "/users",
    status_code=201,
    operation_id="registerUser",
    summary="Register as a customer",
    responses={201: {"headers": headers("Location")}, **errors(400, 409, 413, 415, 422)},
)
async def register(new: NewUser, request: Request, response: Response, services: ServicesDep) -> UserOut:
    """The role is never the caller's choice: merchants and staff are made by `python -m payments.seed`."""
    enforce(services.limits.register, address(request))
    password_hash = await services.passwords.hash(new.password)
    async with services.database.transaction() as tx:
        user = await users.insert(
            tx,
            id=new_id("usr"),
            email=new.email,
            display_name=new.display_name,
            password_hash=password_hash,
            role="customer",
        )
        await audit.record(tx, user.id, "user.register", user.id)
    response.headers["location"] = "/v1/users/me"
    return UserOut.of(user)


@router.post(
    "/tokens",
    operation_id="createToken",
    summary="Sign in",
    responses=errors(400, 401, 413, 415, 422),
)
async def sign_in(new: NewToken, request: Request, services: ServicesDep) -> TokenOut:
    """Failures are counted for each e-mail address, and success starts anew."""
    enforce(services.limits.default, address(request))
    enforce(services.limits.login, new.email)
    async with services.database.reading() as tx:
        credential = await users.credential(tx, new.email)
    is_right = await services.passwords.matches(new.password, credential.password_hash if credential else None)
    if credential is None or not is_right:
        raise unauthorized("The e-mail address or the password is wrong.")
    services.limits.login.forgive(new.email)
    token = services.tokens.issue(Principal(credential.user_id, credential.role))
    return TokenOut(access_token=token, expires_in=services.settings.jwt_ttl_s)


@router.get("/users/me", operation_id="getMe", summary="Who am I", responses=errors(401, 404))
async def me(principal: SignedIn, services: ServicesDep) -> UserOut:
    async with services.database.reading() as tx:
        user = await users.get(tx, principal.id)
    if user is None:
        raise not_found("user")
    return UserOut.of(user)
