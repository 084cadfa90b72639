"""Blueprints as records, for tests of what is derived from them."""

from __future__ import annotations

from pathlib import Path

from nines.model.blueprint import (
    Access,
    Action,
    Authentication,
    Blueprint,
    Card,
    Demand,
    Dependency,
    DependencyKind,
    Event,
    Events,
    Fallback,
    Field,
    FieldKind,
    Grant,
    GrantKind,
    Idempotency,
    Identifier,
    IndexPart,
    Job,
    OnDelete,
    Operation,
    Page,
    Resource,
    ResourceKind,
    Role,
    SagaStep,
    State,
    Tenancy,
    ValueType,
    WantedIndex,
)
from nines.readers.blueprint import read

OWNER = Grant(kind=GrantKind.OWNER)
TENANT = Grant(kind=GrantKind.TENANT)
SUPPORT = Grant(kind=GrantKind.ROLE, role="support")
MONEY = ValueType(
    name="Money",
    fields=(
        Field(name="amount_minor", kind=FieldKind.INT64, minimum=0, is_minimum_exclusive=True),
        Field(name="currency", kind=FieldKind.CURRENCY),
    ),
)
PAYMENT = Resource(
    name="Payment",
    identifier=Identifier(prefix="pay"),
    fields=(
        Field(name="amount", kind=FieldKind.VALUE, of="Money"),
        Field(name="account", kind=FieldKind.REFERENCE, of="Customer"),
        Field(name="external_ref", length_max=64),
        Field(name="note", length_max=200, is_optional=True, is_personal=True),
        Field(name="refunded_minor", kind=FieldKind.INT64, default=0, is_read_only=True),
    ),
    states=(
        State(name="pending", to=("authorized", "failed")),
        State(name="authorized", to=("captured", "failed")),
        State(name="captured", to=("refunded",)),
        State(name="failed"),
        State(name="refunded"),
    ),
    unique=(("merchant_id", "external_ref"),),
    indexes=(
        WantedIndex(
            parts=(
                IndexPart(column="merchant_id"),
                IndexPart(column="created_at", is_descending=True),
                IndexPart(column="id"),
            )
        ),
    ),
    invariants=("refunded_minor <= amount.amount_minor",),
    access=Access(read=(OWNER, SUPPORT), list=(OWNER,), write=(OWNER,)),
    audit="all",
    retention_s=7 * 365 * 86_400.0,
)
REQUIRED = Idempotency(is_required=True)
PAYMENTS = Blueprint(
    service=Card(name="payments"),
    auth=Authentication(issuer="https://id.example.com"),
    roles=(Role(name="customer"), Role(name="merchant"), Role(name="support")),
    tenancy=Tenancy(key="merchant_id"),
    types=(MONEY,),
    resources=(
        Resource(name="Customer", fields=(Field(name="name", length_max=100, is_personal=True),), retention_s=1e9),
        PAYMENT,
        Resource(name="Entry", kind=ResourceKind.LEDGER, is_append_only=True, is_double_entry=True),
    ),
    operations=(
        Operation(
            name="createPayment",
            on="Payment",
            roles=("customer",),
            idempotency=REQUIRED,
            calls=("gateway.authorize",),
            emits=("payment.authorized",),
        ),
        Operation(name="getPayment", on="Payment", do=Action.READ, roles=("customer", "support")),
        Operation(
            name="capturePayment",
            on="Payment",
            do=Action.TRANSITION,
            to_state="captured",
            roles=("merchant",),
            idempotency=REQUIRED,
            needs_if_match=True,
            calls=("gateway.capture",),
            posts="Entry",
        ),
        Operation(
            name="refundPayment",
            on="Payment",
            do=Action.TRANSITION,
            to_state="refunded",
            roles=("merchant",),
            idempotency=REQUIRED,
            hook="refund",
        ),
        Operation(name="updatePayment", on="Payment", do=Action.UPDATE, roles=("customer",), needs_if_match=True),
        Operation(
            name="listPayments",
            on="Payment",
            do=Action.LIST,
            roles=("customer",),
            filters=("status", "created_at"),
            page=Page(default=50, max=200),
        ),
    ),
    dependencies=(
        Dependency(name="db", kind=DependencyKind.POSTGRES),
        Dependency(name="gateway", kind=DependencyKind.HTTP, timeout_s=2.0),
    ),
    events=Events(types=(Event(name="payment.authorized", resource="Payment"),)),
)
LOGIN = Blueprint(
    service=Card(name="login"),
    auth=Authentication(scheme="own-jwt"),
    resources=(
        Resource(
            name="Account",
            kind=ResourceKind.ACCOUNT,
            fields=(
                Field(name="email", kind=FieldKind.EMAIL, is_personal=True),
                Field(name="password", kind=FieldKind.PASSWORD),
                Field(name="phone", kind=FieldKind.PHONE, is_optional=True, is_encrypted=True, is_personal=True),
            ),
            states=(State(name="active", to=("closed",)), State(name="closed")),
            unique=(("email",), ("phone",)),
            access=Access(read=(OWNER,), write=(OWNER,)),
        ),
    ),
    operations=tuple(
        Operation(name=name, on="Account", do=action, is_public=True)
        for name, action in (
            ("register", Action.REGISTER),
            ("signIn", Action.SIGN_IN),
            ("refresh", Action.REFRESH),
            ("signOut", Action.SIGN_OUT),
            ("signOutEverywhere", Action.SIGN_OUT_EVERYWHERE),
            ("sendCode", Action.SEND_CODE),
            ("verifyCode", Action.VERIFY_CODE),
            ("requestReset", Action.REQUEST_RESET),
            ("resetPassword", Action.RESET_PASSWORD),
        )
    ),
)
LINE = ValueType(
    name="Line",
    fields=(Field(name="sku", length_max=40), Field(name="quantity", kind=FieldKind.INT32, minimum=1, maximum=99)),
)
SHOP = Blueprint(
    service=Card(name="shop"),
    types=(LINE, MONEY),
    resources=(
        Resource(name="Tag", fields=(Field(name="label", length_max=20),), unique=(("label",),)),
        Resource(
            name="Order",
            fields=(
                Field(name="lines", kind=FieldKind.VALUE, of="Line", is_list=True),
                Field(name="tags", kind=FieldKind.REFERENCE, of="Tag", is_list=True),
                Field(name="total", kind=FieldKind.VALUE, of="Money"),
                Field(name="user", length_max=30),
                Field(name="colours", kind=FieldKind.ENUM, values=("red", "blue's"), is_list=True),
                Field(name="parent", kind=FieldKind.REFERENCE, of="Order", is_optional=True),
                Field(
                    name="basket", kind=FieldKind.REFERENCE, of="Basket", is_optional=True, on_delete=OnDelete.SET_NULL
                ),
            ),
            states=(State(name="new", to=("paid",)), State(name="paid", to=("sent", "failed"))),
            access=Access(read=(OWNER,), list=(OWNER,), write=(OWNER,)),
        ),
        Resource(name="Basket", fields=(Field(name="order", kind=FieldKind.REFERENCE, of="Order", is_optional=True),)),
    ),
    operations=(
        Operation(name="createOrder", on="Order", is_public=False),
        Operation(name="getOrder", on="Order", do=Action.READ),
        Operation(name="listOrders", on="Order", do=Action.LIST, filters=("status", "user")),
        Operation(name="updateOrder", on="Order", do=Action.UPDATE),
        Operation(name="deleteOrder", on="Order", do=Action.DELETE),
    ),
    jobs=(
        Job(name="sendOrders", on="Order", from_state="paid", to_state="sent", failed_state="failed", hook="send"),
        Job(name="tidyBaskets", on="Basket", every_s=3600.0, hook="tidy"),
    ),
)
PUSHES = Blueprint(
    service=Card(name="pushes"),
    load=Demand(steady_hz=2_500, peak_hz=12_500),
    tenancy=Tenancy(key="product_id"),
    resources=(
        Resource(
            name="Push",
            fields=(Field(name="device_token", length_max=200, is_encrypted=True), Field(name="title", length_max=120)),
            states=(State(name="accepted", to=("sent", "dead")), State(name="sent"), State(name="dead")),
            access=Access(read=(TENANT,), list=(TENANT,), write=(TENANT,)),
            retention_s=7 * 86_400.0,
        ),
    ),
    operations=(
        Operation(name="sendPush", on="Push", is_asynchronous=True, share=0.5, idempotency=REQUIRED),
        Operation(name="getPush", on="Push", do=Action.READ),
        Operation(name="listPushes", on="Push", do=Action.LIST, filters=("status",)),
    ),
    jobs=(
        Job(
            name="deliverPushes",
            on="Push",
            from_state="accepted",
            to_state="sent",
            failed_state="dead",
            calls=("push.send",),
        ),
    ),
    dependencies=(Dependency(name="push", kind=DependencyKind.HTTP, timeout_s=2.0, fallback=Fallback.QUEUE),),
)
"""More rows than one table should hold, and no key that stands in the way of cutting it."""
TRIPS = Blueprint(
    service=Card(name="trips"),
    resources=(
        Resource(
            name="Trip",
            fields=(Field(name="destination", length_max=50),),
            states=(
                State(name="asked", to=("booked", "cancelled")),
                State(name="booked", to=("cancelled",)),
                State(name="cancelled"),
            ),
            access=Access(read=(OWNER,), list=(OWNER,), write=(OWNER,)),
            audit="writes",
        ),
    ),
    operations=(
        Operation(
            name="createTrip",
            on="Trip",
            idempotency=REQUIRED,
            emits=("trip.booked",),
            saga=(
                SagaStep(do="hotel.reserve", undo="hotel.cancel"),
                SagaStep(do="bookTrip", undo="cancelTrip"),
            ),
        ),
        Operation(name="bookTrip", on="Trip", do=Action.TRANSITION, to_state="booked"),
        Operation(name="cancelTrip", on="Trip", do=Action.TRANSITION, to_state="cancelled"),
        Operation(name="summariseTrips", on="Trip", do=Action.CUSTOM, hook="summarise"),
        Operation(name="quoteTrip", do=Action.CUSTOM, hook="quote", calls=("hotel.price",)),
    ),
    dependencies=(
        Dependency(name="db", kind=DependencyKind.POSTGRES, timeout_s=0.5),
        Dependency(name="hotel", kind=DependencyKind.HTTP, timeout_s=3.0),
        Dependency(name="bus", kind=DependencyKind.NATS),
    ),
    events=Events(transport="direct", broker="bus", types=(Event(name="trip.booked", resource="Trip"),)),
)
"""A saga that makes something, functions that only read, events without an outbox."""
EXAMPLES = tuple(read(path) for path in sorted((Path(__file__).parents[3] / "examples" / "blueprints").glob("*.yaml")))
ALL = (PAYMENTS, LOGIN, SHOP, PUSHES, TRIPS, *EXAMPLES)


def named(blueprint: Blueprint) -> str:
    return f"{blueprint.service.name}-{'example' if blueprint.source else 'record'}"
