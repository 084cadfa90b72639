"""For each objection a change to a sound blueprint that must be refused or warned of, and one that must not."""

from __future__ import annotations

from typing import Any, NamedTuple

Tree = dict[str, Any]

SOUND: Tree = {
    "nines": 1,
    "service": {"name": "parcels"},
    "load": {"steady": "50/s", "peak": "200/s", "payload": "1KiB"},
    "auth": {"scheme": "oidc", "issuer": "${ISSUER}"},
    "roles": {"sender": {}, "clerk": {}},
    "resources": {
        "Parcel": {
            "fields": {"label": {"type": "string", "max": 80}, "weight_g": "int32 > 0"},
            "states": {"new": ["sent"], "sent": ["arrived"]},
            "access": {"read": "owner or role:clerk", "list": "owner", "write": "owner"},
            "retention": "1y",
        }
    },
    "operations": {
        "createParcel": {"on": "Parcel", "do": "create", "roles": ["sender"], "idempotency": "required"},
        "sendParcel": {"on": "Parcel", "do": "-> sent", "roles": ["sender"]},
        "receiveParcel": {"on": "Parcel", "do": "-> arrived", "roles": ["clerk"]},
        "getParcel": {"on": "Parcel", "do": "read"},
        "listParcels": {"on": "Parcel", "do": "list", "filter": ["status"], "order": "created_at desc"},
    },
    "dependencies": {"db": {"type": "postgres", "replication": "synchronous", "pool": 10, "connections": 200}},
    "limits": {"default": "100/m per subject"},
}

_CARRIER = {"type": "http", "timeout": "2s", "p95": "60ms", "breaker": {}, "bulkhead": 32}
_FAST = {**_CARRIER, "timeout": "150ms"}


def _calls(operation: str, **more: Any) -> Tree:
    """The sound blueprint's operation, calling the carrier."""
    return {operation: {"calls": ["carrier.book"], **more}}


class Case(NamedTuple):
    code: str
    refused: Tree
    allowed: Tree
    is_fatal: bool = True


def _resource(**told: Any) -> Tree:
    return {"resources": {"Parcel": told}}


def _seals(*, hook: str | None) -> Tree:
    """Parts of a parcel that whoever makes parcels may add, also to the parcel of somebody else."""
    access = {"read": "authenticated", "list": "authenticated", "write": "owner"}
    creation: Tree = {"on": "Seal", "do": "create", "roles": ["sender"], "idempotency": "required"}
    parcel = {"ref": "Parcel", "on_delete": "cascade"}
    return {
        "resources": {
            "Parcel": {"access": access},
            "Seal": {"fields": {"parcel": parcel, "number": "int32"}, "access": access, "retention": "1y"},
        },
        "operations": {"addSeal": creation | ({"hook": hook} if hook else {})},
    }


def _field(name: str, told: Any, **more: Any) -> Tree:
    return {"resources": {"Parcel": {"fields": {name: told}, **more}}}


_ACCOUNT = {
    "kind": "account",
    "fields": {"email": {"type": "email", "pii": True}, "password": "password"},
    "unique": [["email"]],
    "access": {"read": "owner", "write": "owner"},
    "retention": "1y",
}
_SIGN_IN = {
    "auth": {"scheme": "own-jwt"},
    "resources": {"Account": _ACCOUNT},
    "operations": {
        "register": {"on": "Account", "do": "register", "public": True},
        "signIn": {"on": "Account", "do": "sign-in", "public": True},
    },
}
_SERVICES = {
    "modules": {
        "shipping": {"resources": ["Parcel"], "separate": True},
        "books": {"resources": ["Entry"], "separate": True},
    }
}
_LEDGER = {"Entry": {"kind": "ledger", "access": {"list": "role:clerk"}}}
_SHIPPING = {"ship": {"on": "Parcel", "from": "new", "to": "sent", "every": "1h"}}
_RATE = {"operations": _calls("createParcel", share="50%")}

_OPEN = {
    name: {"public": True, "roles": []}
    for name in ("createParcel", "sendParcel", "receiveParcel", "getParcel", "listParcels")
}

_BUS = {"dependencies": {"bus": {"type": "kafka"}}}
_NOTES = {
    "Note": {
        "fields": {"text": {"type": "string", "max": 80}, "parcel": {"ref": "Parcel", "optional": True}},
        "unique": [["text"]],
        "access": {"read": "role:clerk"},
        "retention": "1y",
    }
}


def _takes(dependencies: Tree | None = None, **told: Any) -> Tree:
    """A consumer of what the depot tells, changed as said."""
    usual = {
        "event": "depot.parcel.weighed.v1",
        "from": "bus",
        "data": {"parcel": {"ref": "Parcel"}, "weight_g": "int32"},
        "on": "Parcel",
        "do": "update",
    }
    found = {name: value for name, value in (usual | told).items() if value is not None}
    return {**_BUS, **(dependencies or {}), "consumes": {"weighParcel": found}}


def _echo(do: str) -> Tree:
    """A consumer that tells what it takes."""
    takes = {"event": "parcel.sent", "on": "Parcel", "do": do, "hook": "weigh", "emits": "parcel.sent"}
    return {
        "events": {"parcel.sent": {}},
        "operations": {"sendParcel": {"emits": "parcel.sent"}},
        "consumes": {"weighParcel": takes},
    }


CASES = (
    Case(
        "event-cannot-come",
        _takes({"dependencies": {"bus": {"type": "rabbitmq"}}}),
        _takes(),
    ),
    Case(
        "event-cannot-come",
        _takes(event="com.depot.weighed"),
        _takes(event="com.depot.weighed", address="depot"),
    ),
    Case("event-cannot-come", _takes(event="parcel.weighed"), _takes({"dependencies": {"bus": {"type": "nats"}}})),
    Case("event-names-no-object", _takes(data={"weight_g": "int32"}), _takes()),
    Case(
        "event-names-no-object",
        _takes(data={"weight_g": "int32", "label": "string"}, find={"label": "label"}),
        _takes(data={"weight_g": "int32", "label": "string"}, find={"label": "label"}) | _resource(unique=[["label"]]),
    ),
    Case(
        "event-names-no-object",
        _takes(data={"weight_g": "int32", "label": "string"}, find={"label": "label"})
        | {"tenancy": {"key": "depot_id"}, **_resource(unique=[["depot_id", "label"]])},
        _takes(data={"weight_g": "int32", "label": "string", "depot_id": "string"}, find={"label": "label"})
        | {"tenancy": {"key": "depot_id"}, **_resource(unique=[["depot_id", "label"]])},
    ),
    Case(
        "event-does-not-fit",
        _takes(set={"label": "weight_g"}),
        _takes(set={"weight_g": "weight_g"}),
    ),
    Case("event-does-not-fit", _takes(data={"parcel": {"ref": "Parcel"}, "mass": "int32"}), _takes()),
    Case(
        "event-does-not-fit",
        _takes(on="Note", do="create", data={"parcel": {"ref": "Parcel"}}) | {"resources": _NOTES},
        _takes(on="Note", do="create", data={"text": {"type": "string", "max": 80}}) | {"resources": _NOTES},
    ),
    Case(
        "event-does-not-fit",
        _takes(on="Parcel", do="create", data={"label": "string", "weight_g": "int32"}),
        _takes(on="Parcel", do="create", data={"label": "string", "weight_g": "int32", "owner_id": "string"}),
    ),
    Case(
        "event-does-not-fit",
        _takes(data={"note": {"ref": "Note"}, "text": "string"}, on="Note")
        | {"resources": {"Note": _NOTES["Note"] | {"append_only": True}}},
        _takes(data={"note": {"ref": "Note"}, "text": "string"}, on="Note") | {"resources": _NOTES},
    ),
    Case("event-answers-itself", _echo("custom"), _echo("-> arrived")),
    Case(
        "owner-is-nobody",
        {"auth": {"scheme": "none"}, "operations": _OPEN},
        {},
    ),
    Case(
        "token-type-unsafe",
        {"auth": {"token_types": ["at+jwt", "JWT"]}},
        {"auth": {"token_types": ["at+jwt", "JWT"], "audience": "parcels"}},
    ),
    Case("token-type-unsafe", {"auth": {"token_types": ["untyped"]}}, {"auth": {"token_types": ["at+jwt"]}}),
    Case(
        "latency-below-dependency",
        {"dependencies": {"carrier": {"type": "http", "timeout": "2s"}}, "operations": _calls("createParcel")},
        {"dependencies": {"carrier": _CARRIER}, "operations": _calls("createParcel")},
    ),
    Case(
        "latency-below-dependency",
        {
            "dependencies": {"carrier": {"type": "http", "timeout": "2s", "p95": "120ms"}},
            "operations": _calls("createParcel", calls=["carrier.quote", "carrier.book"]),
        },
        {
            "dependencies": {"carrier": {"type": "http", "timeout": "2s"}},
            "operations": _calls("createParcel", **{"async": True}),
        },
    ),
    Case(
        "latency-below-dependency",
        {"dependencies": {"carrier": {"type": "http", "timeout": "200ms"}}, "operations": _calls("createParcel")},
        {
            "dependencies": {"carrier": {"type": "http", "timeout": "2s"}},
            "operations": {**_calls("createParcel", excluded=True), **_calls("sendParcel", p95="3s")},
        },
    ),
    Case("latency-below-work", {"budgets": {"p95": "5ms"}}, {"budgets": {"p95": "20ms"}}),
    Case("latency-below-work", {**_SIGN_IN, "budgets": {"p95": "40ms"}}, {**_SIGN_IN, "budgets": {"p95": "100ms"}}),
    Case(
        "availability-above-dependencies",
        {"dependencies": {"db": {"availability": "99.5%"}}},
        {"dependencies": {"db": {"availability": "99.99%"}}},
    ),
    Case(
        "availability-above-dependencies",
        {
            "dependencies": {"db": {"availability": "99.95%"}, "carrier": {**_CARRIER, "availability": "99.9%"}},
            "operations": _calls("createParcel"),
        },
        {
            "dependencies": {
                "db": {"availability": "99.95%"},
                "carrier": {**_CARRIER, "availability": "99.9%", "fallback": "queue"},
            },
            "operations": _calls("createParcel"),
        },
    ),
    Case(
        "availability-above-one-copy",
        {"budgets": {"availability": "99.95%", "errors": "0.05%"}, "deploy": {"replicas": {"min": 1}}},
        {"budgets": {"availability": "99.95%", "errors": "0.05%"}, "deploy": {"replicas": {"min": 2}}},
    ),
    Case(
        "availability-above-one-copy",
        {"deploy": {"platform": "compose"}},
        {"deploy": {"platform": "compose"}, "budgets": {"availability": "99%"}},
        is_fatal=False,
    ),
    Case(
        "connections-above-server",
        {"dependencies": {"db": {"pool": 20, "connections": 200}}},
        {"dependencies": {"db": {"pool": 10, "connections": 200}}},
    ),
    Case(
        "pool-below-peak",
        {"load": {"peak": "3000/s"}, "dependencies": {"db": {"pool": 1}}},
        {"load": {"peak": "3000/s"}, "dependencies": {"db": {"pool": 5}}},
    ),
    Case(
        "peak-above-processes",
        {"load": {"peak": "30000/s"}},
        {"load": {"peak": "30000/s"}, "deploy": {"replicas": {"max": 12}}},
    ),
    Case("peak-above-database", {"load": {"peak": "90000/s"}}, {"load": {"peak": "15000/s"}}),
    Case("peak-above-database", {"load": {"peak": "20000/s"}}, {"load": {"peak": "16000/s"}}, is_fatal=False),
    Case(
        "peak-above-provider",
        {**_RATE, "dependencies": {"carrier": {**_CARRIER, "rate": "60/s"}}},
        {**_RATE, "dependencies": {"carrier": {**_CARRIER, "rate": "100/s"}}},
    ),
    Case(
        "peak-above-provider",
        {
            "dependencies": {"carrier": {**_CARRIER, "rate": "20/s"}},
            "operations": _calls("createParcel", share="50%", **{"async": True}),
        },
        {
            "dependencies": {"carrier": {**_CARRIER, "rate": "30/s"}},
            "operations": _calls("createParcel", share="50%", **{"async": True}),
        },
    ),
    Case(
        "bulkhead-below-peak",
        {
            "load": {"peak": "10000/s"},
            "dependencies": {"carrier": {**_CARRIER, "bulkhead": 8}},
            "operations": _calls("createParcel"),
        },
        {
            "load": {"peak": "10000/s"},
            "dependencies": {"carrier": {**_CARRIER, "bulkhead": 16}},
            "operations": _calls("createParcel"),
        },
    ),
    Case(
        "job-below-arrivals",
        {
            "load": {"steady": "5000/s", "peak": "6000/s"},
            "dependencies": {"carrier": _CARRIER},
            "jobs": {"book": {"on": "Parcel", "from": "new", "to": "sent", "calls": "carrier.book", "concurrency": 4}},
        },
        {
            "dependencies": {"carrier": _CARRIER},
            "jobs": {"book": {"on": "Parcel", "from": "new", "to": "sent", "calls": "carrier.book", "concurrency": 4}},
        },
    ),
    Case(
        "loss-with-one-copy",
        {"budgets": {"rpo": "0s"}, "dependencies": {"db": {"replication": "asynchronous"}}},
        {"budgets": {"rpo": "1m"}, "dependencies": {"db": {"replication": "asynchronous"}}},
    ),
    Case(
        "loss-with-one-copy",
        {"dependencies": {"db": {"replication": "none"}}},
        {"dependencies": {"db": {"replication": "synchronous"}}},
    ),
    Case("recovery-below-failover", {"budgets": {"recovery": "10s"}}, {"budgets": {"recovery": "1m"}}),
    Case("writes-in-several-regions", {"deploy": {"regions": 2}}, {"deploy": {"regions": 1}}),
    Case(
        "budgets-contradict",
        {"budgets": {"availability": "99.99%", "errors": "0.1%"}},
        {"budgets": {"availability": "99.9%", "errors": "0.1%"}},
    ),
    Case("load-contradicts", {"load": {"peak": "20/s"}}, {"load": {"peak": "50/s"}}),
    Case(
        "load-contradicts",
        {"operations": {"createParcel": {"share": "70%"}, "getParcel": {"share": "40%"}}},
        {"operations": {"createParcel": {"share": "50%"}, "getParcel": {"share": "40%"}}},
    ),
    Case(
        "load-contradicts",
        {"operations": {"createParcel": {"share": "60%"}, "getParcel": {"share": "40%"}}},
        {"operations": {"createParcel": {"share": "50%"}, "getParcel": {"share": "40%"}}},
        is_fatal=False,
    ),
    Case(
        "event-without-outbox",
        {
            "events": {"transport": "direct", "parcel.sent": {}},
            "operations": {"sendParcel": {"emits": "parcel.sent"}},
        },
        {
            "events": {"transport": "outbox", "parcel.sent": {}},
            "operations": {"sendParcel": {"emits": "parcel.sent"}},
        },
    ),
    Case(
        "broker-cannot-carry",
        {"events": {"broker": "db"}},
        {"events": {"broker": "bus"}, "dependencies": {"bus": {"type": "nats"}}},
    ),
    Case(
        "broker-without-client",
        {
            "events": {"broker": "bus", "parcel.sent": {}},
            "dependencies": {"bus": {"type": "rabbitmq"}},
            "operations": {"sendParcel": {"emits": "parcel.sent"}},
        },
        {
            "events": {"broker": "bus", "parcel.sent": {}},
            "dependencies": {"bus": {"type": "nats"}},
            "operations": {"sendParcel": {"emits": "parcel.sent"}},
        },
        is_fatal=False,
    ),
    Case(
        "event-never-told",
        {"events": {"parcel.sent": {}}},
        {"events": {"parcel.sent": {}}, "operations": {"sendParcel": {"emits": "parcel.sent"}}},
        is_fatal=False,
    ),
    Case(
        "personal-data-in-event",
        {**_field("addressee", {"type": "string", "pii": True}), "events": {"parcel.sent": {"fields": ["addressee"]}}},
        {**_field("addressee", {"type": "string", "pii": True}), "events": {"parcel.sent": {"fields": ["label"]}}},
    ),
    Case(
        "personal-data-without-retention",
        _field("addressee", {"type": "string", "pii": True}, retention=None),
        _field("addressee", {"type": "string", "pii": True}),
    ),
    Case(
        "personal-data-without-retention",
        {
            "types": {"Person": {"name": {"type": "string", "pii": True}}},
            **_field("addressee", "Person", retention="forever"),
        },
        {**_resource(retention="forever")},
        is_fatal=False,
    ),
    Case(
        "personal-data-never-erased",
        {"resources": {"Visit": {"fields": {"who": {"type": "string", "pii": True}}, "append_only": True}}},
        {"resources": {"Visit": {"fields": {"who": "uuid"}, "append_only": True}}},
    ),
    Case(
        "data-open-to-anybody",
        _field("addressee", {"type": "string", "pii": True}, access={"read": "public"}),
        _resource(access={"read": "public"}),
    ),
    Case("data-open-to-anybody", _resource(access={"write": "public"}), _resource(access={"write": "owner"})),
    Case(
        "data-open-to-anybody",
        {"operations": {"sendParcel": {"roles": [], "public": True}}},
        {"operations": {"getParcel": {"public": True}}},
    ),
    Case(
        "data-open-to-anybody",
        {
            "tenancy": {"key": "firm_id"},
            **_field("addressee", {"type": "string", "pii": True}, access={"list": "authenticated"}),
        },
        {
            "tenancy": {"key": "firm_id"},
            **_field("addressee", {"type": "string", "pii": True}, access={"list": "tenant"}),
        },
    ),
    Case("operation-for-nobody", {"auth": {"scheme": "none"}}, {"auth": {"scheme": "api-key"}}),
    Case("operation-for-nobody", _resource(access={"read": "nobody"}), _resource(access={"list": "nobody"})),
    Case(
        "operation-for-nobody",
        _resource(access={"list": "nobody", "read": "nobody"}),
        {
            **_resource(access={"list": "nobody", "read": "nobody", "write": "authenticated"}),
            "operations": {"listParcels": {"roles": ["clerk"]}, "getParcel": {"roles": ["clerk"]}},
        },
    ),
    Case("sign-in-is-incomplete", {"auth": {"issuer": None}}, {}),
    Case("sign-in-is-incomplete", {"auth": {"scheme": "own-jwt"}}, _SIGN_IN),
    Case(
        "sign-in-is-incomplete", {"operations": {"signIn": {"on": "Parcel", "do": "sign-in", "public": True}}}, _SIGN_IN
    ),
    Case("sign-in-is-incomplete", _field("secret", "password"), _SIGN_IN),
    Case(
        "sign-in-is-incomplete",
        {
            **_SIGN_IN,
            "tenancy": {"key": "firm_id"},
            "resources": {"Account": _ACCOUNT, "Firm": {"fields": {"name": "string"}}},
        },
        {**_SIGN_IN, "tenancy": {"key": "firm_id"}},
    ),
    Case(
        "guessing-without-limit",
        {**_SIGN_IN, "limits": None},
        {**_SIGN_IN, "limits": {"signIn": "10/m per account"}},
    ),
    Case(
        "guessing-without-limit",
        _SIGN_IN,
        {**_SIGN_IN, "limits": {"signIn": "30/m per address"}},
    ),
    Case(
        "guessing-without-limit",
        {**_SIGN_IN, "limits": {"signIn": "50/s per account"}},
        {**_SIGN_IN, "limits": {"signIn": "1/s per account"}},
    ),
    Case(
        "second-factor-cannot-be-shown",
        {"auth": {"scheme": "api-key"}, "roles": {"clerk": {"mfa": True}}},
        {"roles": {"clerk": {"mfa": True}}},
    ),
    Case(
        "secret-in-blueprint",
        {"dependencies": {"db": {"url": "postgres://app:hunter2@db/parcels"}}},
        {"dependencies": {"db": {"url": "postgres://app:${DB_PASSWORD}@db/parcels"}}},
    ),
    Case(
        "secret-in-blueprint",
        {"dependencies": {"carrier": {**_FAST, "url": "https://carrier.example/v1?api_key=8f3a"}}},
        {"dependencies": {"carrier": {**_FAST, "url": "${CARRIER_URL}"}}},
    ),
    Case(
        "url-without-encryption",
        {"dependencies": {"carrier": {**_FAST, "url": "http://carrier.example", "external": True}}},
        {"dependencies": {"carrier": {**_FAST, "url": "https://carrier.example", "external": True}}},
    ),
    Case("token-outlives-revocation", {"auth": {"token_ttl": "7d"}}, {"auth": {"token_ttl": "15m"}}, is_fatal=False),
    Case(
        "state-unreachable",
        _resource(states={"new": ["sent", "lost"]}),
        {
            **_resource(states={"new": ["sent", "lost"]}),
            "operations": {"loseParcel": {"on": "Parcel", "do": "-> lost", "roles": ["clerk"]}},
        },
    ),
    Case(
        "state-unreachable",
        _resource(states={"returned": ["new"]}),
        {
            **_resource(states={"returned": ["new"], "arrived": ["returned"]}),
            "operations": {
                "returnParcel": {"on": "Parcel", "do": "-> returned", "roles": ["clerk"]},
                "renewParcel": {"on": "Parcel", "do": "-> new", "roles": ["clerk"]},
            },
        },
    ),
    Case(
        "state-without-exit",
        {**_resource(states={"arrived": ["sent"]}), "operations": {"sendParcel": None}, "jobs": _SHIPPING},
        {
            **_resource(states={"arrived": ["sent"]}),
            "operations": {"sendParcel": None},
            "jobs": {**_SHIPPING, "again": {"on": "Parcel", "from": "arrived", "to": "sent", "every": "1d"}},
        },
    ),
    Case(
        "list-without-index",
        {**_field("content", "json"), "operations": {"listParcels": {"filter": ["content"]}}},
        {**_field("content", "json"), "operations": {"listParcels": {"filter": ["label"]}}},
    ),
    Case(
        "list-without-index",
        {
            **_field("due", {"type": "date", "optional": True}),
            "operations": {"listParcels": {"order": "due"}},
        },
        {**_field("due", "date"), "operations": {"listParcels": {"order": "due"}}},
    ),
    Case(
        "list-without-index",
        {"operations": {"listParcels": {"filter": ["status", "label", "weight_g", "created_at", "updated_at"]}}},
        {"operations": {"listParcels": {"filter": ["status", "label", "weight_g"]}}},
        is_fatal=False,
    ),
    Case(
        "effect-without-idempotency",
        {"dependencies": {"carrier": _CARRIER}, "operations": _calls("createParcel", idempotency=None)},
        {"dependencies": {"carrier": _CARRIER}, "operations": _calls("createParcel")},
    ),
    Case(
        "effect-without-idempotency",
        {"resources": _LEDGER, "operations": {"createParcel": {"idempotency": "optional", "posts": "Entry"}}},
        {"resources": _LEDGER, "operations": {"sendParcel": {"posts": "Entry"}}},
    ),
    Case(
        "idempotency-too-short",
        {"operations": {"createParcel": {"idempotency": {"required": True, "ttl": "1h"}}}},
        {"operations": {"createParcel": {"idempotency": {"required": True, "ttl": "48h"}}}},
        is_fatal=False,
    ),
    Case(
        "update-without-version",
        {"operations": {"changeParcel": {"on": "Parcel", "do": "update"}}},
        {"operations": {"changeParcel": {"on": "Parcel", "do": "update", "if_match": "required"}}},
        is_fatal=False,
    ),
    Case(
        "append-only-changed",
        {"resources": _LEDGER, "operations": {"removeEntry": {"on": "Entry", "do": "delete", "roles": ["clerk"]}}},
        {"resources": _LEDGER, "operations": {"listEntries": {"on": "Entry", "do": "list", "roles": ["clerk"]}}},
    ),
    Case("append-only-changed", _resource(append_only=True), {"resources": _LEDGER}),
    Case(
        "posts-to-no-ledger",
        {"resources": {"Note": {"fields": {"text": "string"}}}, "operations": {"sendParcel": {"posts": "Note"}}},
        {"resources": _LEDGER, "operations": {"sendParcel": {"posts": "Entry"}}},
    ),
    Case(
        "call-without-deadline",
        {"dependencies": {"carrier": {"type": "http"}}, "operations": _calls("createParcel")},
        {"dependencies": {"carrier": {"type": "http"}}},
    ),
    Case(
        "attempts-outlast-caller",
        {
            "dependencies": {"carrier": {**_CARRIER, "timeout": "10s", "retry": {"max": 3}}},
            "operations": _calls("createParcel"),
        },
        {
            "dependencies": {"carrier": {**_CARRIER, "timeout": "10s", "retry": {"max": 3}}},
            "operations": _calls("createParcel", **{"async": True}),
        },
    ),
    Case(
        "repeats-what-happens-twice",
        {
            "dependencies": {"carrier": {**_CARRIER, "retry": {"max": 2, "only": "all"}}},
            "operations": _calls("createParcel"),
        },
        {
            "dependencies": {"carrier": {**_CARRIER, "retry": {"max": 2, "only": "all"}}},
            "operations": _calls("getParcel"),
        },
    ),
    Case(
        "dependency-uncontained",
        {
            "dependencies": {"carrier": {"type": "http", "timeout": "2s", "p95": "60ms", "breaker": {}}},
            "operations": _calls("createParcel"),
        },
        {"dependencies": {"carrier": _CARRIER}, "operations": _calls("createParcel")},
        is_fatal=False,
    ),
    Case(
        "fallback-does-not-fit",
        {"dependencies": {"carrier": {**_CARRIER, "fallback": "cache"}}, "operations": _calls("createParcel")},
        {"dependencies": {"carrier": {**_CARRIER, "fallback": "cache"}}, "operations": _calls("getParcel")},
    ),
    Case(
        "fallback-does-not-fit",
        {"dependencies": {"carrier": {**_CARRIER, "fallback": "queue"}}, "operations": _calls("getParcel")},
        {"dependencies": {"carrier": {**_CARRIER, "fallback": "queue"}}, "operations": _calls("createParcel")},
    ),
    Case(
        "fallback-does-not-fit",
        {"dependencies": {"cache": {"type": "redis", "need": "soft"}}},
        {"dependencies": {"cache": {"type": "redis", "need": "soft", "fallback": "default"}}},
        is_fatal=False,
    ),
    Case(
        "attached-to-others",
        _seals(hook=None),
        _seals(hook="is_mine"),
        is_fatal=False,
    ),
    Case(
        "kept-nowhere",
        {"dependencies": {"db": None, "cache": {"type": "redis", "need": "soft", "fallback": "default"}}},
        {"operations": {"createParcel": {"share": "10%"}}},
    ),
    Case(
        "accepted-and-not-done",
        {"operations": {"createParcel": {"async": True}}},
        {
            "operations": {"createParcel": {"async": True}},
            "jobs": {"sendNew": {"on": "Parcel", "from": "new", "to": "sent", "every": "1m"}},
        },
    ),
    Case(
        "saga-without-compensation",
        {"operations": {"sendParcel": {"saga": [{"do": "createParcel"}, {"do": "receiveParcel"}]}}},
        {
            "operations": {
                "sendParcel": {"saga": [{"do": "createParcel", "undo": "sendParcel"}, {"do": "receiveParcel"}]}
            }
        },
    ),
    Case(
        "transaction-over-services",
        {**_SERVICES, "resources": _LEDGER, "operations": {"sendParcel": {"posts": "Entry"}}},
        {
            "modules": {"all": {"resources": ["Parcel", "Entry"], "separate": True}},
            "resources": _LEDGER,
            "operations": {"sendParcel": {"posts": "Entry"}},
        },
    ),
    Case(
        "transaction-over-services",
        {**_SERVICES, "resources": {"Entry": {"fields": {"parcel": {"ref": "Parcel", "on_delete": "cascade"}}}}},
        {**_SERVICES, "resources": {"Entry": {"fields": {"parcel": {"ref": "Parcel"}}}}},
        is_fatal=False,
    ),
    Case(
        "resource-of-another-service",
        _field("route", {"ref": "Itinerary"}),
        {
            "resources": {
                "Itinerary": {"fields": {"name": "string"}},
                "Parcel": {"fields": {"route": {"ref": "Itinerary"}}},
            }
        },
        is_fatal=False,
    ),
    Case(
        "job-without-dead-letter",
        {
            "dependencies": {"carrier": _CARRIER},
            "jobs": {"book": {"on": "Parcel", "from": "new", "to": "sent", "calls": "carrier.book"}},
        },
        {
            "dependencies": {"carrier": _CARRIER},
            "jobs": {"book": {"on": "Parcel", "from": "new", "to": "sent", "calls": "carrier.book", "every": "1m"}},
        },
        is_fatal=False,
    ),
    Case(
        "unique-across-tenants",
        {"tenancy": {"key": "firm_id"}, **_resource(unique=[["label"]])},
        {"tenancy": {"key": "firm_id"}, **_resource(unique=[["firm_id", "label"]])},
        is_fatal=False,
    ),
    Case("role-never-used", {"roles": {"visitor": {}}}, {}, is_fatal=False),
    Case(
        "page-too-large",
        {"load": {"payload": "64KiB"}, "operations": {"listParcels": {"page": {"max": 200}}}},
        {"load": {"payload": "4KiB"}, "operations": {"listParcels": {"page": {"max": 200}}}},
        is_fatal=False,
    ),
    Case(
        "public-without-address-limit",
        {"operations": {"getParcel": {"public": True}}},
        {"operations": {"getParcel": {"public": True}}, "limits": {"getParcel": "60/m per address"}},
        is_fatal=False,
    ),
    Case(
        "limit-below-load",
        {"limits": {"getParcel": "10/s per all"}},
        {"limits": {"getParcel": "100/s per all"}},
    ),
    Case(
        "creation-repeated",
        {"operations": {"createParcel": {"idempotency": None}}},
        {"operations": {"createParcel": {"idempotency": None}}, **_resource(unique=[["label"]])},
        is_fatal=False,
    ),
    Case("callers-unlimited", {"limits": None}, {"limits": {"default": "1000/m per subject"}}, is_fatal=False),
    Case(
        "limit-counts-nobody",
        {"limits": {"getParcel": "10/m per tenant"}},
        {"limits": {"getParcel": "10/m per tenant"}, "tenancy": {"key": "firm_id"}},
    ),
    Case(
        "limit-counts-nobody",
        {"limits": {"getParcel": "10/m per account"}},
        {**_SIGN_IN, "limits": {"signIn": "10/m per account"}},
    ),
    Case(
        "dependency-never-called",
        {"dependencies": {"carrier": _CARRIER}},
        {
            "dependencies": {"carrier": _CARRIER},
            "jobs": {"book": {"on": "Parcel", "from": "new", "to": "sent", "calls": "carrier.book", "every": "1m"}},
        },
        is_fatal=False,
    ),
    Case(
        "peak-above-provider",
        {
            "operations": {"createParcel": {"share": "50%"}},
            "dependencies": {"carrier": {**_CARRIER, "rate": "20/s"}},
            "jobs": {"book": {"on": "Parcel", "from": "new", "to": "sent", "calls": "carrier.book"}},
        },
        {
            "operations": {"createParcel": {"share": "50%"}},
            "dependencies": {"carrier": {**_CARRIER, "rate": "30/s"}},
            "jobs": {"book": {"on": "Parcel", "from": "new", "to": "sent", "calls": "carrier.book"}},
        },
    ),
    Case(
        "latency-below-dependency",
        {"dependencies": {"carrier": {**_CARRIER, "p95": "190ms"}}, "operations": _calls("createParcel")},
        {"dependencies": {"carrier": {**_CARRIER, "p95": "180ms"}}, "operations": _calls("createParcel")},
    ),
    Case(
        "rule-wider-than-it-reads",
        {"tenancy": {"key": "firm_id"}, **_resource(access={"read": "owner or tenant"})},
        {"tenancy": {"key": "firm_id"}, **_resource(access={"read": "tenant"})},
        is_fatal=False,
    ),
    Case(
        "rule-wider-than-it-reads",
        _resource(access={"list": "role:clerk or authenticated"}),
        _resource(access={"list": "owner or role:clerk"}),
        is_fatal=False,
    ),
    Case(
        "tenant-without-tenancy",
        _resource(access={"read": "tenant"}),
        {"tenancy": {"key": "firm_id"}, **_resource(access={"read": "tenant"})},
    ),
    Case(
        "operation-for-nobody",
        {"operations": {"receiveParcel": {"roles": ["clerk"]}}, **_resource(access={"read": "owner"})},
        {"operations": {"receiveParcel": {"roles": ["clerk"]}}, **_resource(access={"write": "owner or role:clerk"})},
    ),
    Case(
        "operation-for-nobody",
        {"operations": {"createParcel": {"roles": ["sender"]}}, **_resource(access={"write": "role:clerk"})},
        {"operations": {"createParcel": {"roles": ["sender"]}}, **_resource(access={"write": "role:sender"})},
    ),
    Case(
        "operation-for-nobody",
        {"operations": {"listParcels": {"roles": ["sender", "clerk"]}}, **_resource(access={"list": "owner"})},
        {"operations": {"listParcels": {"roles": ["sender"]}}, **_resource(access={"list": "owner"})},
        is_fatal=False,
    ),
    Case(
        "names-collide",
        {"resources": {"ParcelBox": {"fields": {"a": "uuid"}}, "ParcelBOX": {"fields": {"a": "uuid"}}}},
        {"resources": {"ParcelBox": {"fields": {"a": "uuid"}}, "ParcelBag": {"fields": {"a": "uuid"}}}},
    ),
    Case(
        "names-collide",
        {"resources": {"Stop": {"fields": {"parcel": {"ref": "Parcel"}, "parcel_id": "uuid"}}}},
        {"resources": {"Stop": {"fields": {"parcel": {"ref": "Parcel"}, "parcel_ref": "uuid"}}}},
    ),
    Case(
        "names-collide",
        {
            "types": {"Span": {"from": "date", "to": "date"}},
            "resources": {"Stop": {"fields": {"open": "Span", "open_from": "date"}}},
        },
        {
            "types": {"Span": {"from": "date", "to": "date"}},
            "resources": {"Stop": {"fields": {"open": "Span", "opened_on": "date"}}},
        },
    ),
    Case(
        "names-collide",
        {
            "resources": {"Parcel": {"fields": {"cursor": {"type": "string", "max": 20}}}},
            "operations": {"listParcels": {"filter": ["cursor"]}},
        },
        {
            "resources": {"Parcel": {"fields": {"cursor": {"type": "string", "max": 20}}}},
            "operations": {"listParcels": {"filter": ["status"]}},
        },
    ),
    Case(
        "effect-without-idempotency",
        {
            "dependencies": {"carrier": _FAST},
            "operations": {"createParcel": {"calls": ["carrier.book"], "idempotency": "optional"}},
        },
        {
            "dependencies": {"carrier": _FAST},
            "resources": {"Parcel": {"unique": [["label"]]}},
            "operations": {"createParcel": {"calls": ["carrier.book"], "idempotency": "optional"}},
        },
    ),
    Case(
        "saga-step-elsewhere",
        {
            "modules": {"shipping": {"resources": ["Parcel"]}, "books": {"resources": ["Entry"]}},
            "resources": _LEDGER,
            "operations": {
                "sendParcel": {
                    "saga": [
                        {"do": "createParcel", "undo": "receiveParcel", "module": "books"},
                        {"do": "receiveParcel"},
                    ]
                }
            },
        },
        {
            "modules": {"shipping": {"resources": ["Parcel"]}, "books": {"resources": ["Entry"]}},
            "resources": _LEDGER,
            "operations": {
                "sendParcel": {
                    "saga": [
                        {"do": "createParcel", "undo": "receiveParcel", "module": "shipping"},
                        {"do": "receiveParcel"},
                    ]
                }
            },
        },
    ),
    Case(
        "availability-above-dependencies",
        {"dependencies": {"cache": {"type": "redis", "need": "hard", "availability": "99.5%"}}},
        {"dependencies": {"cache": {"type": "redis", "need": "soft", "availability": "99.5%", "fallback": "default"}}},
    ),
    Case(
        "availability-above-dependencies",
        {
            "dependencies": {"bus": {"type": "nats", "availability": "99.5%"}},
            "events": {"transport": "direct", "broker": "bus", "parcel.sent": {}},
        },
        {
            "dependencies": {"bus": {"type": "nats", "availability": "99.5%"}},
            "events": {"transport": "outbox", "broker": "bus", "parcel.sent": {}},
        },
    ),
)
