"""Contracts for the tests of the requests, written by hand."""

from __future__ import annotations

from typing import Any

from nines.model.contract import Answer, Body, Contract, ContractParameter, Link, Operation, SecurityScheme

ID: dict[str, Any] = {"type": "string", "format": "uuid"}
NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 80}
SHOWN: dict[str, Any] = {"type": "object", "properties": {"id": ID, "name": NAME}}
LISTED: dict[str, Any] = {"type": "object", "properties": {"items": {"type": "array", "items": SHOWN}}}


def thing(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required or list(properties), "properties": properties}


def parameter(name: str, location: str = "path", schema: dict[str, Any] | None = None) -> ContractParameter:
    return ContractParameter(
        name=name, location=location, is_required=location == "path", schema=ID if schema is None else schema
    )


def operation(
    method: str,
    path: str,
    *,
    body: dict[str, Any] | None = None,
    shows: dict[str, Any] | None = None,
    media: str = "application/json",
    extra: tuple[ContractParameter, ...] = (),
    links: tuple[Link, ...] = (),
    security: tuple[tuple[str, ...], ...] = (("bearer",),),
    examples: tuple[Any, ...] = (),
) -> Operation:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return Operation(
        id=f"{method} {path}",
        method=method,
        path=path,
        parameters=(*(parameter(name) for name in names), *extra),
        body=Body(media_type=media, schema=body, examples=examples) if body is not None else None,
        answers=(Answer(status="200", media_type="application/json", schema=shows or {}),),
        security=security,
        links=links,
    )


BANK = Contract(
    operations=(
        operation(
            "POST", "/users", body=thing(email={"type": "string", "format": "email"}, password=NAME), security=()
        ),
        operation("GET", "/users/me", shows=SHOWN),
        operation("POST", "/accounts", body=thing(name=NAME, currency=NAME), shows=SHOWN),
        operation("GET", "/accounts", shows=LISTED, extra=(parameter("limit", "query", {"type": "integer"}),)),
        operation("GET", "/accounts/{account_id}", shows=SHOWN),
        operation("PATCH", "/accounts/{account_id}", body=thing([], name=NAME), shows=SHOWN),
        operation("DELETE", "/accounts/{account_id}"),
        operation("POST", "/accounts/{account_id}/entries", body=thing(note=NAME), shows=SHOWN),
        operation("GET", "/accounts/{account_id}/entries", shows=LISTED),
        operation("GET", "/accounts/{account_id}/entries/{entry_id}", shows=SHOWN),
        operation(
            "POST",
            "/transfers",
            body=thing(from_account_id=ID, toAccountId=ID, amount={"type": "integer", "minimum": 1}),
            shows=SHOWN,
            extra=(parameter("Idempotency-Key", "header", {"type": "string"}),),
        ),
        operation("GET", "/transfers/{transfer_id}", shows=SHOWN),
        operation("POST", "/transfers/{transfer_id}/approve"),
        operation("POST", "/transfers/{transfer_id}/refunds", body=thing(reason=NAME), shows=SHOWN),
        operation("GET", "/refunds/{refund_id}", shows=SHOWN),
        operation("GET", "/reports/{year}", shows=SHOWN),
        operation("POST", "/login", body=thing(email=NAME, password=NAME), security=()),
    ),
    security_schemes=(SecurityScheme(name="bearer", kind="http", scheme="bearer"),),
)
