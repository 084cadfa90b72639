"""Operations over gRPC, asked over real sockets by clients that protoc compiled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from nines_runtime.grpc import GrpcListener, Messages, Method

from .bookings import METHODS, PROTO, SPELLED, Running, running
from .compiled import HEALTH, compiled, details_of

pb, stubs = compiled("nines_bookings", PROTO)
ANN = (("authorization", "Bearer ann"),)
BOB = (("authorization", "Bearer bob"),)
STAFF = (("authorization", "Bearer staff"),)
Case = Callable[[Running, Any], Awaitable[None]]


@asynccontextmanager
async def asked(**options: Any) -> AsyncIterator[tuple[Running, Any]]:
    async with running(**options) as service, grpc.aio.insecure_channel(service.target) as channel:
        yield service, stubs.BookingsServiceStub(channel)


def run(case: Case, **options: Any) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30), asked(**options) as (service, stub):
            await case(service, stub)

    asyncio.run(whole())


def room(name: str = "1", amount: int = 500) -> Any:
    return pb.CreateBookingRequest(
        booking=pb.BookingCreate(room=name, price=pb.MoneyInput(amount_minor=amount, currency="EUR"))
    )


def keyed(key: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return (*ANN, ("idempotency-key", key), *more)


async def refused(call: Any) -> tuple[grpc.StatusCode, dict[str, Any]]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), details_of(caught.value)


def test_whole_life_of_a_thing() -> None:
    async def case(service: Running, stub: Any) -> None:
        call = stub.CreateBooking(room(), metadata=keyed("k", ("x-request-id", "mine"), ("traceparent", TRACE)))
        made = await call
        trailing = dict(tuple(await call.trailing_metadata()))
        assert (trailing["etag"], trailing["location"], trailing["x-request-id"]) == (
            '"1"',
            "/v1/bookings/bk_0",
            "mine",
        )
        assert made.id == "bk_0"
        assert made.status == pb.BOOKING_STATUS_HELD
        assert (made.price.amount_minor, made.price.currency) == (500, "EUR")
        assert not made.HasField("note")
        assert list(made.seats) == ["a", "b"]
        assert made.created_at.ToJsonString() == "2030-01-02T03:04:05.678Z"
        assert dict(made.extra)["floor"] == 3
        seen = service.service.calls[0]
        assert (seen.subject, seen.address, seen.idempotency_key, seen.path) == (
            "ann",
            "127.0.0.1",
            "k",
            "/v1/bookings",
        )
        assert seen.trace_parent[3:35] == TRACE[3:35]
        read = await stub.GetBooking(pb.GetBookingRequest(booking_id="bk_0"), metadata=ANN)
        assert read == made
        listed = await stub.ListBookings(pb.ListBookingsRequest(page_size=1, status=made.status), metadata=ANN)
        assert (list(listed.bookings), listed.next_page_token) == ([made], "")
        gone = await stub.CancelBooking(pb.CancelBookingRequest(booking_id="bk_0", reason="late"), metadata=STAFF)
        assert not gone.ListFields()
        assert service.service.kept["bk_0"]["note"] == "late"

    run(case)


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_what_is_set_is_changed_and_what_the_mask_names_and_is_not_set_is_taken_away() -> None:
    async def case(service: Running, stub: Any) -> None:
        await stub.CreateBooking(room(), metadata=keyed("k"))
        kept = service.service.kept["bk_0"]
        matching = (*ANN, ("if-match", '"1"'))
        await stub.UpdateBooking(
            pb.UpdateBookingRequest(booking_id="bk_0", booking=pb.BookingUpdate(note="quiet")), metadata=matching
        )
        assert (kept["note"], kept.get("room")) == ("quiet", None)
        request = pb.UpdateBookingRequest(booking_id="bk_0", booking=pb.BookingUpdate(room="2", note="ignored"))
        request.update_mask.paths.append("room")
        await stub.UpdateBooking(request, metadata=matching)
        assert (kept["note"], kept["room"]) == ("quiet", "2")
        request = pb.UpdateBookingRequest(booking_id="bk_0")
        request.update_mask.paths.append("note")
        await stub.UpdateBooking(request, metadata=matching)
        assert kept["note"] is None
        request.update_mask.paths.append("owner")
        assert (await refused(stub.UpdateBooking(request, metadata=matching)))[0] is grpc.StatusCode.INVALID_ARGUMENT

    run(case)


def test_refusals_have_their_codes_and_details() -> None:
    async def case(service: Running, stub: Any) -> None:
        await stub.CreateBooking(room(), metadata=keyed("k"))
        get = pb.GetBookingRequest(booking_id="bk_0")
        update = pb.UpdateBookingRequest(booking_id="bk_0", booking=pb.BookingUpdate(note="x"))
        code = grpc.StatusCode
        cases = (
            (stub.GetBooking(get), code.UNAUTHENTICATED, "UNAUTHORIZED"),
            (
                stub.GetBooking(get, metadata=(("authorization", "Bearer forged"),)),
                code.UNAUTHENTICATED,
                "UNAUTHORIZED",
            ),
            (stub.CreateBooking(room(), metadata=STAFF), code.PERMISSION_DENIED, "FORBIDDEN"),
            (stub.GetBooking(get, metadata=BOB), code.NOT_FOUND, "NOT_FOUND"),
            (stub.GetBooking(pb.GetBookingRequest(), metadata=ANN), code.INVALID_ARGUMENT, "INVALID_PARAMETER"),
            (stub.CreateBooking(room(), metadata=ANN), code.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_MISSING"),
            (stub.CreateBooking(room("2"), metadata=keyed("k")), code.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED"),
            (stub.UpdateBooking(update, metadata=ANN), code.FAILED_PRECONDITION, "PRECONDITION_REQUIRED"),
            (stub.UpdateBooking(update, metadata=(*ANN, ("if-match", '"7"'))), code.ABORTED, "PRECONDITION_FAILED"),
        )
        for call, wanted, reason in cases:
            found, details = await refused(call)
            assert (found, details["ErrorInfo"].reason) == (wanted, reason)
            assert details["ErrorInfo"].domain == "bookings"
            assert details["ErrorInfo"].metadata["request_id"].startswith("req_")
            assert details["code"] == wanted.value[0]

    run(case)


def test_what_is_wrong_with_a_message_is_told_by_its_fields() -> None:
    async def case(service: Running, stub: Any) -> None:
        found, details = await refused(stub.CreateBooking(room("", 0), metadata=keyed("k")))
        assert found is grpc.StatusCode.INVALID_ARGUMENT
        assert details["BadRequest"].field_violations[0].field in ("room", "price.amount_minor")
        nothing = pb.CreateBookingRequest()
        found, details = await refused(stub.CreateBooking(nothing, metadata=keyed("k")))
        assert (found, details["ErrorInfo"].reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
        # A value that only newer callers know is refused, not taken for none.
        newer = pb.ListBookingsRequest(status=99)
        assert (await refused(stub.ListBookings(newer, metadata=ANN)))[0] is grpc.StatusCode.INVALID_ARGUMENT
        assert service.service.kept == {}

    run(case)


def test_a_key_is_answered_once_and_then_again() -> None:
    async def case(service: Running, stub: Any) -> None:
        first = await stub.CreateBooking(room(), metadata=keyed("k"))
        call = stub.CreateBooking(room(), metadata=keyed("k"))
        assert await call == first
        assert dict(tuple(await call.trailing_metadata()))["idempotency-replayed"] == "true"
        assert len(service.service.kept) == 1
        assert 'idempotency_replays_total{operation="createBooking"} 1' in service.metrics

    run(case)


def test_whoever_asks_too_often_is_told_when_to_come_back() -> None:
    async def case(service: Running, stub: Any) -> None:
        for _ in range(5):
            await stub.ListBookings(pb.ListBookingsRequest(), metadata=ANN)
        code, details = await refused(stub.ListBookings(pb.ListBookingsRequest(), metadata=ANN))
        assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
        assert details["RetryInfo"].retry_delay.seconds > 10

    run(case)


def test_what_is_beyond_the_limit_is_shed_and_told_to_come_back() -> None:
    async def case(service: Running, stub: Any) -> None:
        running_call = stub.Wait(pb.WaitRequest(seconds=0.5))
        await service.service.began.wait()
        code, details = await refused(stub.Wait(pb.WaitRequest(seconds=0.0)))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details["RetryInfo"].retry_delay.seconds >= 1
        await running_call
        assert 'http_requests_shed_total{reason="full"} 1' in service.metrics

    run(case, in_flight_max=1)


def test_a_deadline_of_the_caller_ends_the_work() -> None:
    async def case(service: Running, stub: Any) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Wait(pb.WaitRequest(seconds=10.0), timeout=0.3)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await gone(service)
        assert service.service.calls[0].deadline.at_s - service.application.edge.clock() < 1.0
        assert service.service.ended == 0

    run(case)


def test_a_deadline_of_the_operation_holds_for_patient_callers() -> None:
    async def case(service: Running, stub: Any) -> None:
        code, details = await refused(stub.Hurry(pb.WaitRequest(seconds=10.0), timeout=20.0))
        assert (code, details["ErrorInfo"].metadata["http_status"]) == (grpc.StatusCode.DEADLINE_EXCEEDED, "503")
        await gone(service)

    run(case)


def test_a_caller_that_hangs_up_ends_the_work() -> None:
    async def case(service: Running, stub: Any) -> None:
        call = stub.Wait(pb.WaitRequest(seconds=10.0))
        await service.service.began.wait()
        call.cancel()
        await gone(service)
        assert service.service.ended == 0
        assert service.application.gate.in_flight == 0

    run(case)


async def gone(service: Running) -> None:
    async with asyncio.timeout(5.0):
        while service.service.waiting or service.application.gate.in_flight:  # noqa: ASYNC110 -- whoever asks is under test
            await asyncio.sleep(0.01)


def test_what_nobody_expected_stays_inside() -> None:
    async def case(service: Running, stub: Any) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Wait(pb.WaitRequest(seconds=-1.0))
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        shown = f"{caught.value.details()} {dict(tuple(caught.value.trailing_metadata()))}"
        assert "secret" not in shown
        assert "RuntimeError" not in shown

    run(case)


def test_what_is_no_message_and_what_is_too_large_is_refused() -> None:
    async def case(service: Running, stub: Any) -> None:
        async with grpc.aio.insecure_channel(service.target) as channel:
            raw = channel.unary_unary("/bookings.v1.BookingsService/GetBooking")
            code, details = await refused(raw(b"\xff\xff\xff", metadata=ANN))
            assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")
            for path, content, wanted in (
                ("/bookings.v1.BookingsService/Nothing", b"", grpc.StatusCode.UNIMPLEMENTED),
                ("/bookings.v1.BookingsService/GetBooking", b"\n" * 2_000_000, grpc.StatusCode.RESOURCE_EXHAUSTED),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await channel.unary_unary(path)(content, metadata=ANN)
                assert caught.value.code() is wanted

    run(case)


def test_health_follows_readiness_and_draining_lets_calls_end() -> None:
    health_pb, health_stubs = compiled("nines_health", HEALTH)

    async def case(service: Running, stub: Any) -> None:
        async with grpc.aio.insecure_channel(service.target) as channel:
            health = health_stubs.HealthStub(channel)
            for name in ("", "bookings.v1.BookingsService"):
                assert (await health.Check(health_pb.HealthCheckRequest(service=name))).status == 1
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await health.Check(health_pb.HealthCheckRequest(service="other"))
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND
            watched = health.Watch(health_pb.HealthCheckRequest())
            assert (await watched.read()).status == 1
            slow = stub.Wait(pb.WaitRequest(seconds=1.5))
            await service.service.began.wait()
            service.stop.set()
            await asyncio.sleep(0)
            assert (await watched.read()).status == 2
            # Health is refused, then new calls are; what is under way ends.
            async with asyncio.timeout(5.0):
                while (code := await stub.Wait(pb.WaitRequest(seconds=0.05)).code()) is grpc.StatusCode.OK:
                    pass
            assert code is grpc.StatusCode.UNAVAILABLE
            assert not slow.done()
            await slow
            await service.stopped.wait()
            assert service.service.ended >= 1

    run(case, drain_s=4.0)


def test_a_header_that_is_believed_from_some_alone_is_not_heard_from_others() -> None:
    async def case(service: Running, stub: Any) -> None:
        shown = (("x-client-cert", "forged"),)
        await stub.Wait(pb.WaitRequest(seconds=0.0), metadata=shown)
        assert "x-client-cert" not in service.service.calls[0].headers

    async def near(service: Running, stub: Any) -> None:
        await stub.Wait(pb.WaitRequest(seconds=0.0), metadata=(("x-client-cert", "told by the balancer"),))
        assert service.service.calls[0].headers["x-client-cert"] == "told by the balancer"

    run(case, believed=("X-Client-Cert", ["10.0.0.0/8"]))
    run(near, believed=("X-Client-Cert", ["127.0.0.0/8"]))


def test_a_port_that_somebody_has_is_refused_at_the_start() -> None:
    async def case(service: Running, stub: Any) -> None:
        with pytest.raises(RuntimeError, match="log tells why"):
            async with running(port=service.listener.port):
                pass

    run(case)


def test_a_method_that_does_not_fit_its_operation_is_refused_at_the_start() -> None:
    async def case(service: Running, stub: Any) -> None:
        for wrong in (
            Method(rpc="GetBooking", operation="getBooking"),
            Method(rpc="CreateBooking", operation="createBooking", body="nothing"),
        ):
            listener = GrpcListener(Messages(PROTO, spelled=SPELLED), (wrong,), port=0)
            with pytest.raises(ValueError, match="does not have what"):
                await listener.open(service.application)
        messages = Messages(PROTO, spelled=SPELLED)
        elsewhere = Method(rpc="GetBooking", operation="ofAnotherProcess", path=("booking_id",))
        with pytest.raises(KeyError):
            await GrpcListener(messages, (elsewhere,), port=0).open(service.application)
        partial = GrpcListener(messages, (elsewhere, METHODS[0]), port=0, is_partial=True)
        await partial.open(service.application)
        await partial.close()

    run(case)


def test_calls_are_counted_and_told_like_requests() -> None:
    async def case(service: Running, stub: Any) -> None:
        await stub.Wait(pb.WaitRequest(seconds=0.0))
        counted = 'http_request_duration_seconds_count{operation="wait",method="GRPC",status="204"} 1'
        assert counted in service.metrics

    run(case)
