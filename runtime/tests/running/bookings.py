"""A small service that is asked over gRPC: in this process, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from nines_runtime import (
    ANONYMOUS,
    Answer,
    Application,
    Call,
    Caller,
    Key,
    Limit,
    Operations,
    Problem,
    Started,
)
from nines_runtime.grpc import GrpcListener, Messages, Method

PROTO = """
syntax = "proto3";

package bookings.v1;

import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";

service BookingsService {
  rpc GetBooking(GetBookingRequest) returns (Booking);
  rpc CreateBooking(CreateBookingRequest) returns (Booking);
  rpc UpdateBooking(UpdateBookingRequest) returns (Booking);
  rpc CancelBooking(CancelBookingRequest) returns (google.protobuf.Empty);
  rpc ListBookings(ListBookingsRequest) returns (ListBookingsResponse);
  rpc Wait(WaitRequest) returns (google.protobuf.Empty);
  rpc Hurry(WaitRequest) returns (google.protobuf.Empty);
}

enum BookingStatus {
  BOOKING_STATUS_UNSPECIFIED = 0;
  BOOKING_STATUS_HELD = 1;
  BOOKING_STATUS_NO_SHOW = 2;
}

message Money {
  int64 amount_minor = 1;
  string currency = 2;
}

message MoneyInput {
  optional int64 amount_minor = 1;
  optional string currency = 2;
}

message Booking {
  string id = 1;
  BookingStatus status = 2;
  Money price = 3;
  optional string note = 4;
  repeated string seats = 5;
  google.protobuf.Timestamp created_at = 6;
  google.protobuf.Struct extra = 7;
  bool is_paid = 8;
}

message GetBookingRequest {
  string booking_id = 1;
}

message BookingCreate {
  optional string room = 1;
  MoneyInput price = 2;
  optional string note = 3;
}

message CreateBookingRequest {
  BookingCreate booking = 1;
}

message BookingUpdate {
  optional string room = 1;
  optional string note = 2;
}

message UpdateBookingRequest {
  string booking_id = 1;
  BookingUpdate booking = 2;
  google.protobuf.FieldMask update_mask = 3;
}

message CancelBookingRequest {
  string booking_id = 1;
  optional string reason = 2;
}

message ListBookingsRequest {
  int32 page_size = 1;
  string page_token = 2;
  BookingStatus status = 3;
  optional bool is_paid = 4;
}

message ListBookingsResponse {
  repeated Booking bookings = 1;
  string next_page_token = 2;
}

message WaitRequest {
  optional double seconds = 1;
}
"""
METHODS = (
    Method(rpc="GetBooking", operation="getBooking", path=("booking_id",)),
    Method(rpc="CreateBooking", operation="createBooking", body="booking"),
    Method(rpc="UpdateBooking", operation="updateBooking", path=("booking_id",), body="booking", mask="update_mask"),
    Method(rpc="CancelBooking", operation="cancelBooking", path=("booking_id",), body="*"),
    Method(rpc="ListBookings", operation="listBookings", items="bookings"),
    Method(rpc="Wait", operation="wait", body="*"),
    Method(rpc="Hurry", operation="hurry", body="*"),
)
SPELLED = {"BOOKING_STATUS_NO_SHOW": "no-show"}


class Money(msgspec.Struct, forbid_unknown_fields=True):
    amount_minor: Annotated[int, Meta(gt=0)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]


class BookingCreate(msgspec.Struct, forbid_unknown_fields=True):
    room: Annotated[str, Meta(min_length=1, max_length=20)]
    price: Money
    note: str | None = None


class BookingUpdate(msgspec.Struct, forbid_unknown_fields=True):
    room: str | msgspec.UnsetType = msgspec.UNSET
    note: str | msgspec.UnsetType | None = msgspec.UNSET


class Cancellation(msgspec.Struct, forbid_unknown_fields=True):
    reason: str | None = None


class ListBookings(msgspec.Struct, forbid_unknown_fields=True):
    status: Literal["held", "no-show"] | None = None
    is_paid: bool | None = None
    page_size: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class WaitFor(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


class Bookings:
    """What it keeps, and what it was told of its callers."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.answers: dict[tuple[str, str], tuple[bytes, Answer]] = {}
        self.calls: list[Call] = []
        self.waiting = 0
        self.ended = 0
        self.began = asyncio.Event()


class Tokens:
    """Whoever shows "Bearer NAME" is NAME, and a guest unless told otherwise."""

    async def authenticate(self, headers: Any, *, address: str) -> Caller:
        given = headers.get("authorization", "")
        if not given:
            return ANONYMOUS
        name = given.removeprefix("Bearer ")
        if name == "forged":
            raise Problem("unauthorized")
        return Caller(subject=name, roles=frozenset({"staff" if name == "staff" else "guest"}))


operations: Operations[Bookings] = Operations()


def shown(kept: dict[str, Any], **more: Any) -> Answer:
    return Answer.of({key: value for key, value in kept.items() if key not in ("owner", "version")}, version=1, **more)


@operations.post("/v1/bookings", id="createBooking", roles=("guest",), key=Key(ttl_s=60))
async def create_booking(service: Bookings, call: Call, body: BookingCreate) -> Answer:
    service.calls.append(call)
    known = service.answers.get((call.subject, call.idempotency_key))
    if known is not None:
        if known[0] != call.body:
            raise Problem("idempotency-key-reused")
        return msgspec.structs.replace(known[1], headers=(*known[1].headers, (b"idempotency-replayed", b"true")))
    made = {
        "id": f"bk_{len(service.kept)}",
        "status": "held",
        "price": msgspec.to_builtins(body.price),
        "note": body.note,
        "seats": ["a", "b"],
        "created_at": datetime(2030, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
        "extra": {"floor": 3, "tags": ["x", None, {"deep": True}]},
        "is_paid": False,
        "owner": call.subject,
    }
    service.kept[made["id"]] = made
    answer = shown(made, status=201, location=f"/v1/bookings/{made['id']}")
    service.answers[call.subject, call.idempotency_key] = (call.body, answer)
    return answer


def own(service: Bookings, call: Call) -> dict[str, Any]:
    found = service.kept.get(call.parameters["booking_id"])
    if found is None or (found["owner"] != call.subject and not call.has("staff")):
        raise Problem("not-found", "There is no such booking, or it is not yours.")
    return found


@operations.get("/v1/bookings/{booking_id}", id="getBooking", roles=("guest", "staff"))
async def get_booking(service: Bookings, call: Call) -> Answer:
    service.calls.append(call)
    return shown(own(service, call))


@operations.patch("/v1/bookings/{booking_id}", id="updateBooking", roles=("guest",), needs_if_match=True)
async def update_booking(service: Bookings, call: Call, body: BookingUpdate) -> Answer:
    found = own(service, call)
    if call.version not in (None, 1):
        raise Problem("precondition-failed")
    for name in ("room", "note"):
        value = getattr(body, name)
        if value is not msgspec.UNSET:
            found[name] = value
    return shown(found)


@operations.post("/v1/bookings/{booking_id}/cancellations", id="cancelBooking", roles=("staff",))
async def cancel_booking(service: Bookings, call: Call, body: Cancellation) -> Answer:
    own(service, call)["note"] = body.reason
    return Answer.nothing()


@operations.get("/v1/bookings", id="listBookings", roles=("guest",), limit=Limit(5, 60.0))
async def list_bookings(service: Bookings, call: Call, query: ListBookings) -> Answer:
    service.calls.append(call)
    found = [shown(each).body for each in service.kept.values() if query.status in (None, each["status"])]
    items = [msgspec.json.decode(each) for each in found[: query.page_size]]
    return Answer.of({"items": items, "next_cursor": "more" if len(found) > query.page_size else None})


@operations.post("/v1/waits", id="wait", is_public=True, deadline_s=20.0)
async def wait(service: Bookings, call: Call, body: WaitFor) -> Answer:
    service.calls.append(call)
    if body.seconds < 0:
        raise RuntimeError("secret of the inside")
    service.waiting += 1
    service.began.set()
    try:
        await asyncio.sleep(body.seconds)
        service.ended += 1
    finally:
        service.waiting -= 1
    return Answer.nothing()


@operations.post("/v1/hurries", id="hurry", is_public=True, deadline_s=0.2)
async def hurry(service: Bookings, call: Call, body: WaitFor) -> Answer:
    return await wait(service, call, body)


class Running:
    def __init__(self, application: Application[Bookings], service: Bookings, listener: GrpcListener) -> None:
        self.application, self.service, self.listener = application, service, listener
        self.stop = asyncio.Event()
        self.stopped = asyncio.Event()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.listener.port}"

    @property
    def metrics(self) -> str:
        return self.application.metrics.text(is_open=False).decode()


@asynccontextmanager
async def running(*, port: int = 0, **options: Any) -> AsyncIterator[Running]:
    """As a server would start and stop it."""
    service = Bookings()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[Started[Bookings]]:
        yield Started(service, authenticator=Tokens())

    listener = GrpcListener(Messages(PROTO, spelled=SPELLED), METHODS, port=port)
    application = Application("bookings", operations, lifespan, listeners=(listener,), **options)
    found = Running(application, service, listener)
    started: asyncio.Queue[Any] = asyncio.Queue()
    asked = iter(("lifespan.startup", "lifespan.shutdown"))

    async def receive() -> dict[str, Any]:
        kind = next(asked)
        if kind == "lifespan.shutdown":
            await found.stop.wait()
        return {"type": kind}

    async def whole() -> None:
        try:
            await application({"type": "lifespan"}, receive, started.put)
        finally:
            found.stopped.set()

    task = asyncio.create_task(whole())
    said = await started.get()
    if said["type"] != "lifespan.startup.complete":
        await task
        raise RuntimeError(said["message"])
    try:
        yield found
    finally:
        found.stop.set()
        await task
