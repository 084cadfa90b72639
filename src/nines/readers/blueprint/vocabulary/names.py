"""How things are called in a blueprint."""

from __future__ import annotations

from nines.readers.blueprint.shapes import Refers, Word

_LONG = 40
"""A name becomes a table, a column and an index; PostgreSQL cuts those at 63 bytes."""

PASCAL = rf"[A-Z][A-Za-z0-9]{{0,{_LONG - 1}}}"
PASCAL_STYLE = "write it in Pascal case, singular, such as Payment"
CAMEL = rf"[a-z][A-Za-z0-9]{{0,{_LONG - 1}}}"
CAMEL_STYLE = "write it in camel case, such as createPayment"
SNAKE = rf"[a-z][a-z0-9_]{{0,{_LONG - 1}}}"
SNAKE_STYLE = "write it in lower case with underscores, such as created_at"
KEBAB = rf"[a-z][a-z0-9_-]{{0,{_LONG - 1}}}"
KEBAB_STYLE = "write it in lower case with hyphens, such as payment-gateway"
EVENT = rf"[a-z][a-z0-9_]{{0,{_LONG - 1}}}(?:\.[a-z][a-z0-9_]{{0,{_LONG - 1}}}){{1,3}}"
EVENT_STYLE = "write it as resource.happened, such as payment.authorized"
CALL = rf"{KEBAB}\.{CAMEL}"
COLUMN = rf"{SNAKE}(?:\.{SNAKE})?"

RESOURCE = Refers("resource", pattern=PASCAL, expected="the name of a resource such as Payment", examples=("Payment",))
OPERATION = Refers(
    "operation", pattern=CAMEL, expected="the name of an operation such as createPayment", examples=("createPayment",)
)
ROLE = Refers("role", pattern=KEBAB, expected="the name of a role such as customer", examples=("customer",))
EVENT_NAME = Refers(
    "event", pattern=EVENT, expected="the name of an event such as payment.authorized", examples=("payment.authorized",)
)
DEPENDENCY = Refers(
    "dependency", pattern=KEBAB, expected="the name of a dependency such as gateway", examples=("gateway",)
)
REMOTE_CALL = Refers(
    "call", pattern=CALL, expected="dependency.verb, such as gateway.authorize", examples=("gateway.authorize",)
)
FIELD = Refers(
    "column",
    pattern=COLUMN,
    expected="the name of a field such as created_at or amount.currency",
    examples=("created_at", "amount.currency"),
)
OWN_FIELD = Refers("field", pattern=SNAKE, expected="the name of a field such as amount", examples=("amount",))
STATE = Refers("state", pattern=SNAKE, expected="the name of a state such as captured", examples=("captured",))
SAGA_ACTION = Refers(
    "saga",
    pattern=rf"{CALL}|{CAMEL}",
    expected="an operation or dependency.verb, such as reserveStock or payments.authorize",
    examples=("reserveStock", "payments.authorize"),
)
MODULE = Refers("module", pattern=KEBAB, expected="the name of a module such as orders", examples=("orders",))

SERVICE_NAME = Word(
    "a name in lower case with hyphens, such as payments",
    pattern=rf"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){{0,{_LONG - 1}}}",
    examples=("payments",),
)
VERSION = Word("a major version such as v1", pattern=r"v[1-9][0-9]{0,2}", examples=("v1", "v2"))
HOOK = Word(
    "the name of a Python function, such as refund", pattern=rf"[a-z_][a-z0-9_]{{0,{_LONG - 1}}}", examples=("refund",)
)
LINE = Word("a text on one line")
URL = Word(
    'a URL, or a variable of the environment such as "${GATEWAY_URL}"',
    examples=("${GATEWAY_URL}", "https://id.example"),
)
COLUMN_NAME = Word("the name of a column such as merchant_id", pattern=SNAKE, examples=("merchant_id", "tenant_id"))
ID_PREFIX = Word("a short prefix such as pay", pattern=r"[a-z][a-z0-9]{0,9}", examples=("pay",))
PATH = Word("a path in this blueprint such as load.peak", pattern=r"[A-Za-z][\w.-]{0,119}", examples=("load.peak",))
