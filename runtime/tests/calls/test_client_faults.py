"""A client against somebody who stalls, resets, redirects and never ends."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import textwrap
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nines_runtime.calls.bulkhead import Bulkhead
from nines_runtime.calls.client import Client
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.egress import ANYWHERE
from nines_runtime.calls.outcome import Unanswered, Why
from nines_runtime.calls.retry import Retry


async def stall(_: Any, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def stall_within(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nhalf")
    await asyncio.sleep(60)


async def drip(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def reset(_: Any, writer: asyncio.StreamWriter) -> None:
    # Closed with what is unsent thrown away: the other side sees a reset.
    wire = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hang_up(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def cut(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nhalf")
    await writer.drain()
    writer.close()


async def endless(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()


async def endless_head(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Fine\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 1024 + b"\r\n")
        await writer.drain()


async def enormous(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 99999999999\r\n\r\nx")


async def noise(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(os.urandom(64) + b"\r\n\r\n")


async def packed(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Fine\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\0")


async def away(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Away\r\nLocation: http://127.0.0.1:1/metadata\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (stall, Why.TIMEOUT),
        (stall_within, Why.TIMEOUT),
        (drip, Why.TIMEOUT),
        (reset, Why.CONNECTION),
        (hang_up, Why.CONNECTION),
        (cut, Why.CONNECTION),
        (endless, Why.NOT_UNDERSTOOD),
        (enormous, Why.NOT_UNDERSTOOD),
        (noise, Why.CONNECTION),
        (packed, Why.NOT_UNDERSTOOD),
        (away, Why.NOT_UNDERSTOOD),
    ],
)
def test_every_misbehaviour_ends_in_time_with_the_truth(peer: Any, behaviour: Any, why: Why) -> None:
    async def whole() -> None:
        bulkhead = Bulkhead(4)
        async with (
            peer(behaviour) as other,
            Client("g", other.url, timeout_s=0.3, bulkhead=bulkhead, answer_bytes_max=65_536) as client,
        ):
            with pytest.raises(Unanswered) as caught:
                await asyncio.wait_for(client.post(Deadline.after(20), "/x", {}, key="k"), 10)
            assert (caught.value.why, caught.value.may_have_happened) == (why, True)
            assert (bulkhead.in_flight, len(other.asked)) == (0, 1)

    asyncio.run(whole())


def test_a_head_without_an_end_is_not_read_for_ever(peer: Any) -> None:
    """How much of it is read is the library's to say; how long is ours."""

    async def whole() -> None:
        async with peer(endless_head) as other, Client("g", other.url, timeout_s=0.5) as client:
            with pytest.raises(Unanswered) as caught:
                await asyncio.wait_for(client.post(Deadline.after(20), "/x", {}, key="k"), 10)
            assert caught.value.why in (Why.CONNECTION, Why.TIMEOUT)

    asyncio.run(whole())


def test_nobody_there_means_nothing_was_done() -> None:
    async def whole() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # Bound and not listening: whoever connects is refused.
            async with Client("g", f"http://127.0.0.1:{taken.getsockname()[1]}", retry=Retry(base_s=0.0)) as client:
                with pytest.raises(Unanswered) as caught:
                    await client.post(Deadline.after(5), "/x", {})
                assert (caught.value.why, caught.value.may_have_happened) == (Why.CONNECTION, False)

    asyncio.run(whole())


def test_what_was_never_sent_may_be_repeated_whatever_it_is(peer: Any, http: Any) -> None:
    """A POST without a key: the connection was refused, so nothing can happen twice."""

    async def whole() -> None:
        async with peer(http.says(http.answer(200, b"1"))) as other:
            port = int(other.url.rpartition(":")[2])
        server = None

        async def arrive() -> None:
            nonlocal server
            await asyncio.sleep(0.05)
            server = await asyncio.start_server(other.serve, "127.0.0.1", port)

        arriving = asyncio.create_task(arrive())
        async with Client(
            "g", other.url, retry=Retry(max=50, base_s=0.02, ceiling_s=0.02, chance=lambda: 1.0)
        ) as client:
            client._asking._retry.budget._saved = 100.0
            assert (await client.post(Deadline.after(20), "/x", {})).json() == 1
        await arriving
        assert server is not None
        server.close()

    asyncio.run(whole())


def test_the_callers_deadline_cuts_everything_off(peer: Any) -> None:
    async def whole() -> None:
        async with peer(stall) as other, Client("g", other.url, timeout_s=60, retry=Retry()) as client:
            began = asyncio.get_running_loop().time()
            with pytest.raises(Unanswered) as caught:
                await client.get(Deadline.after(0.2), "/x")
            assert caught.value.why is Why.TIMEOUT
            assert asyncio.get_running_loop().time() - began < 10
            assert int(other.asked[0].headers["x-deadline-ms"]) <= 200
            with pytest.raises(Unanswered) as caught:
                await client.post(Deadline.after(-1), "/x")
            assert (caught.value.may_have_happened, len(other.asked)) == (False, 1)

    asyncio.run(whole())


def test_time_is_left_to_write_down_what_came_of_it(peer: Any) -> None:
    async def whole() -> None:
        async with peer(stall) as other, Client("g", other.url, timeout_s=60, leaves_s=0.5) as client:
            deadline = Deadline.after(2.5)
            with pytest.raises(Unanswered):
                await client.get(deadline, "/x")
            assert deadline.left_s > 0.2

    asyncio.run(whole())


def test_a_name_that_leads_inside_is_not_called(peer: Any, http: Any) -> None:
    """The address of the metadata of a cloud behind a harmless name; and a host that is not on the list."""

    async def whole() -> None:
        async with peer(http.says(http.answer(200, b"1"))) as other, Client("g", "http://pay.invalid") as client:
            for url in (f"{other.url}/x", "http://169.254.169.254/latest", "http://[::ffff:127.0.0.1]/x"):
                with pytest.raises(Unanswered) as caught:
                    await client.get(Deadline.after(5), url)
                assert (caught.value.why, caught.value.may_have_happened) == (Why.EGRESS, False)
            assert other.asked == []

    asyncio.run(whole())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "[::1]", "0"])
def test_an_address_that_a_caller_gave_does_not_lead_inside(peer: Any, http: Any, host: str) -> None:
    async def whole() -> None:
        hosts = (ANYWHERE,)
        async with (
            peer(http.says(http.answer(200, b"1"))) as other,
            Client("hooks", "https://unused.invalid", hosts=hosts, allows_private=True) as client,
        ):
            with pytest.raises(Unanswered) as caught:
                await client.post(Deadline.after(5), f"http://{host}:{other.url.rpartition(':')[2]}/x", {})
            assert (caught.value.may_have_happened, other.asked) == (False, [])

    asyncio.run(whole())


def test_a_certificate_that_nobody_vouches_for_ends_it(tmp_path: Path) -> None:
    certificate, serving = self_signed(tmp_path)

    async def whole() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 Fine\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Client("g", url) as client:
            with pytest.raises(Unanswered) as caught:
                await client.post(Deadline.after(10), "/x", {})
            assert (caught.value.why, caught.value.may_have_happened) == (Why.CONNECTION, False)
        trusting = ssl.create_default_context(cafile=str(certificate))
        async with Client("g", url, tls=trusting) as client:
            assert (await client.get(Deadline.after(10), "/x")).status == 204
        server.close()

    asyncio.run(whole())


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / "public.pem", folder / "both.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    both.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()) + public.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return public, context


def test_cancellation_leaves_no_task_and_no_connection(peer: Any) -> None:
    async def whole() -> None:
        async with peer(stall) as other:
            bulkhead = Bulkhead(2)
            client = Client("g", other.url, timeout_s=60, bulkhead=bulkhead)
            before = asyncio.all_tasks()
            calls = [asyncio.create_task(client.get(Deadline.after(60), "/x")) for _ in range(4)]
            await other.asked_times(2)
            for call in calls:
                call.cancel()
            ends = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError | Unanswered) for end in ends)
            assert (bulkhead.in_flight, bulkhead.waiting) == (0, 0)
            await client.close()
            assert asyncio.all_tasks() - before - other.serving == set()

    asyncio.run(whole())


def test_no_more_connections_than_allowed(peer: Any) -> None:
    async def whole() -> None:
        async def slowly(_: Any, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.01)
            writer.write(b"HTTP/1.1 204 Done\r\n\r\n")

        async with peer(slowly) as other, Client("g", other.url, timeout_s=20, connections_max=3) as client:
            await asyncio.gather(*(client.get(Deadline.after(20), "/x") for _ in range(20)))
            assert (other.connections, len(other.asked)) == (3, 20)

    asyncio.run(whole())


def test_a_kept_connection_that_the_other_side_gave_up_costs_no_answer(peer: Any) -> None:
    async def whole() -> None:
        async def once(_: Any, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 Done\r\nContent-Length: 1\r\n\r\n1")
            await writer.drain()
            writer.close()

        async with peer(once) as other, Client("g", other.url, timeout_s=20, retry=Retry(base_s=0.0)) as client:
            for _ in range(8):
                assert (await client.post(Deadline.after(20), "/x", {}, key="k")).json() == 1

    asyncio.run(whole())


def test_cancelled_while_it_waits_to_come_back(peer: Any, http: Any) -> None:
    async def whole() -> None:
        bulkhead, retry = Bulkhead(1), Retry(base_s=30.0, ceiling_s=30.0, chance=lambda: 1.0)
        async with peer(http.says(http.answer(503))) as other:
            client = Client("g", other.url, retry=retry, bulkhead=bulkhead)
            call = asyncio.create_task(client.get(Deadline.after(60), "/x"))
            await other.asked_times(1)
            await asyncio.sleep(0.05)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert (bulkhead.in_flight, len(other.asked)) == (0, 1)
            await client.close()

    asyncio.run(whole())


def test_close_twice_and_open_again(peer: Any, http: Any) -> None:
    async def whole() -> None:
        async with peer(http.says(http.answer(200, b"1"))) as other:
            client = Client("g", other.url)
            await client.close()
            assert (await client.get(Deadline.after(5), "/x")).status == 200
            await client.close()
            await client.close()

    asyncio.run(whole())


def test_an_interrupt_ends_a_process_that_waits_for_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        script = textwrap.dedent(f"""
            import asyncio
            from nines_runtime.calls.client import Client
            from nines_runtime.calls.deadline import Deadline

            async def main():
                async with Client("g", "http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=60) as client:
                    await client.get(Deadline.after(60), "/x")

            asyncio.run(main(), debug=True)
        """)
        command = [sys.executable, "-X", "dev", "-c", script]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                silent.settimeout(60)
                connection, _ = silent.accept()
                with contextlib.closing(connection):
                    connection.recv(65_536)
                    process.send_signal(signal.SIGINT)
                    _, said = process.communicate(timeout=60)
            finally:
                process.kill()
        assert "KeyboardInterrupt" in said
        assert "Unclosed" not in said
        assert "was never" not in said
        assert "Task was destroyed" not in said
