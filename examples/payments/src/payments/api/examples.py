"""An example of each answer, for the contract."""

from __future__ import annotations

from typing import Any

_USER = "usr_0190c6c5f2a87c1e8f6b0d3a5e7f9b1c"
_MERCHANT = "usr_0190c6c5f2a97d2f9a7c1e4b6f8a0c2d"
_ACCOUNT = "acc_0190c6c5f2aa7e30ab8d2f5c7a9b1d3e"
_PAYMENT = "pay_0190c6c5f2ab7f41bc9e306d8bac2e4f"
_REFUND = "ref_0190c6c5f2ac7052cdaf417e9cbd3f50"
_AT = "2030-01-02T03:04:05.678901Z"

_ACCOUNT_OUT: dict[str, Any] = {
    "id": _ACCOUNT,
    "owner_id": _USER,
    "kind": "customer",
    "name": "Household",
    "description": "Rent and food",
    "currency": "EUR",
    "version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
_PAYMENT_OUT: dict[str, Any] = {
    "id": _PAYMENT,
    "account_id": _ACCOUNT,
    "customer_id": _USER,
    "merchant_id": _MERCHANT,
    "amount": {"amount_minor": 1250, "currency": "EUR"},
    "refunded_minor": 0,
    "external_ref": "order-1",
    "description": "Two books",
    "status": "authorized",
    "failure_code": None,
    "version": 2,
    "created_at": _AT,
    "updated_at": _AT,
}
_REFUND_OUT: dict[str, Any] = {
    "id": _REFUND,
    "payment_id": _PAYMENT,
    "amount_minor": 500,
    "currency": "EUR",
    "reason": "Returned",
    "status": "succeeded",
    "created_at": _AT,
    "updated_at": _AT,
}
_ENTRY_OUT: dict[str, Any] = {
    "id": "ent_0190c6c5f2ad7163debf528fadce4061",
    "kind": "authorize",
    "payment_id": _PAYMENT,
    "amount_minor": -1250,
    "currency": "EUR",
    "created_at": _AT,
}
_AUDIT_EVENT_OUT: dict[str, Any] = {
    "id": "aud_0190c6c5f2ae7274efc0639abedf5172",
    "at": _AT,
    "actor_id": _USER,
    "action": "payment.create",
    "object_id": _PAYMENT,
    "request_id": "req_0190c6c5f2af7385f0d174abcfe06283",
}
_TOTAL_OUT: dict[str, Any] = {
    "status": "authorized",
    "currency": "EUR",
    "count": 1,
    "amount_minor": 1250,
    "refunded_minor": 0,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "UserOut": {
        "id": _USER,
        "email": "ada@example.com",
        "display_name": "Ada Lovelace",
        "role": "customer",
        "created_at": _AT,
    },
    "TokenOut": {"access_token": "header.claims.signature", "token_type": "Bearer", "expires_in": 900},
    "AccountOut": _ACCOUNT_OUT,
    "BalanceOut": {"account_id": _ACCOUNT, "balance_minor": -1250, "currency": "EUR"},
    "PaymentOut": _PAYMENT_OUT,
    "RefundOut": _REFUND_OUT,
    "Health": {"status": "ok"},
    "Totals": {"days": 7, "items": [_TOTAL_OUT]},
    "Accounts": {"items": [_ACCOUNT_OUT], "next_cursor": None},
    "Entries": {"items": [_ENTRY_OUT], "next_cursor": None},
    "Payments": {"items": [_PAYMENT_OUT], "next_cursor": None},
    "Refunds": {"items": [_REFUND_OUT], "next_cursor": None},
    "AuditEvents": {"items": [_AUDIT_EVENT_OUT], "next_cursor": None},
}
