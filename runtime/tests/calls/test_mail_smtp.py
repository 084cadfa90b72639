"""Mail against a server on loopback that encrypts, refuses, stalls and hangs up."""

from __future__ import annotations

import asyncio
import datetime
import email
import email.policy
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.breaker import Breaker
from nines_runtime.calls.bulkhead import Bulkhead
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.mail import Mail, Mailer, is_address, objection, written
from nines_runtime.calls.mailbox import FolderMailer
from nines_runtime.calls.outcome import Declined, Unanswered, Why

SENDER = "login@example.com"
MAIL = Mail(to="ada@example.com", subject="Dein Code für Käse", text="482913\n.\nend", id="m-1")


class Server:
    """`replies` by command; "stall", "drip" and "hang up" instead of one do just that."""

    def __init__(self, tls: ssl.SSLContext | None = None, **replies: str) -> None:
        self.tls = tls
        self.replies = replies
        self.said: list[str] = []
        self.messages: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._reply(writer, "hello", "220 here")
        while line := (await reader.readline()).decode().strip():
            self.said.append(line)
            command = line.split(" ")[0].split(":")[0].lower()
            if command == "ehlo":
                offers = ["250-here", *(["250-STARTTLS"] if self.tls else []), "250 AUTH PLAIN"]
                await self._reply(writer, command, "\r\n".join(offers))
            elif command == "starttls":
                await self._reply(writer, command, "220 go")
                assert self.tls is not None
                await writer.start_tls(self.tls)
            elif command == "data":
                await self._reply(writer, command, "354 go on")
                message = await reader.readuntil(b"\r\n.\r\n")
                self.messages.append(message[:-5].replace(b"\r\n..", b"\r\n."))
                await self._reply(writer, "message", "250 taken")
            else:
                await self._reply(writer, command, "235 in" if command == "auth" else "250 fine")
                if command == "quit":
                    return

    async def _reply(self, writer: asyncio.StreamWriter, command: str, usual: str) -> None:
        said = self.replies.get(command, usual)
        if said == "stall":
            await asyncio.sleep(60)
        if said == "hang up":
            raise ConnectionError
        while said == "drip":
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.write(said.encode() + b"\r\n")
        await writer.drain()


@asynccontextmanager
async def running(server: Server, *, wrapped: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=wrapped)
    server.port = listening.sockets[0].getsockname()[1]
    before = asyncio.all_tasks()
    try:
        yield f"smtp{'s' if wrapped else ''}://127.0.0.1:{server.port}"
    finally:
        listening.close()
        left = asyncio.all_tasks() - before
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's with a certificate for 127.0.0.1, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    asking = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())
    return serving, asking


def send(server: Server, *, wrapped: ssl.SSLContext | None = None, limit_s: float = 20.0, **more: Any) -> None:
    async def whole() -> None:
        async with running(server, wrapped=wrapped) as url:
            mailer = Mailer("mail", url.replace("//", "//ada@") if "credential" in more else url, sender=SENDER, **more)
            try:
                await mailer.send(Deadline.after(limit_s), MAIL)
            finally:
                await mailer.close()

    threads = threading.active_count()
    asyncio.run(whole())
    assert threading.active_count() <= threads


def test_arrives_whole_over_starttls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    serving, asking = contexts
    server = Server(serving)
    send(server, tls=asking, credential="s3cret")
    assert [line.split(" ")[0].lower() for line in server.said] == [
        "ehlo",
        "starttls",
        "ehlo",
        "auth",
        "mail",
        "rcpt",
        "data",
        "quit",
    ]
    assert server.said[4:6] == [f"mail FROM:<{SENDER}>", "rcpt TO:<ada@example.com>"]
    message = email.message_from_bytes(server.messages[0], policy=email.policy.default)
    assert (message["To"], message["Subject"], message["From"]) == ("ada@example.com", MAIL.subject, SENDER)
    assert message["Message-ID"] == "<m-1@example.com>"
    assert message.get_content().replace("\r\n", "\n").strip() == MAIL.text


def test_arrives_over_tls_from_the_first_byte(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server = Server()
    send(server, wrapped=contexts[0], tls=contexts[1])
    assert len(server.messages) == 1


def test_a_server_without_starttls_gets_nothing(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server = Server()
    with pytest.raises(Unanswered) as caught:
        send(server, tls=contexts[1], credential="s3cret")
    assert (caught.value.why, caught.value.may_have_happened) == (Why.NOT_UNDERSTOOD, False)
    assert not any("s3cret" in line or "AUTH" in line or "mail" in line for line in server.said)


def test_a_certificate_of_somebody_else_ends_it(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server = Server(contexts[0])
    with pytest.raises(Unanswered) as caught:
        send(server, tls=ssl.create_default_context(), credential="s3cret")
    assert (caught.value.why, server.messages) == (Why.CONNECTION, [])


def test_in_clear_on_loopback() -> None:
    server = Server()
    send(server)
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        ({"rcpt": "550 no such box of ada@example.com"}, 550),
        ({"mail": "553 not you"}, 553),
        ({"message": "554 looks like spam"}, 554),
    ],
)
def test_refused_for_good(replies: dict[str, str], status: int) -> None:
    with pytest.raises(Declined) as caught:
        send(Server(None, **replies))
    assert caught.value.status == status
    assert "ada@" not in caught.value.reason


@pytest.mark.parametrize(
    ("replies", "why", "may_have_happened"),
    [
        ({"hello": "421 later"}, Why.THROTTLED, False),
        ({"rcpt": "450 greylisted"}, Why.THROTTLED, False),
        ({"message": "451 later"}, Why.THROTTLED, False),
        ({"hello": "hang up"}, Why.CONNECTION, False),
        ({"rcpt": "hang up"}, Why.CONNECTION, False),
        ({"message": "hang up"}, Why.CONNECTION, True),
        ({"hello": "stall"}, Why.TIMEOUT, False),
        ({"ehlo": "drip"}, Why.TIMEOUT, False),
        ({"rcpt": "drip"}, Why.TIMEOUT, False),
        ({"message": "stall"}, Why.TIMEOUT, True),
        ({"hello": "noise"}, Why.NOT_UNDERSTOOD, False),
    ],
)
def test_no_answer_and_what_may_have_happened(replies: dict[str, str], why: Why, may_have_happened: bool) -> None:
    # A busy machine must come as far as the message within the time.
    timeout_s = 2.0 if "message" in replies else 0.5
    with pytest.raises(Unanswered) as caught:
        send(Server(None, **replies), timeout_s=timeout_s)
    assert (caught.value.why, caught.value.may_have_happened) == (why, may_have_happened)


def test_a_goodbye_that_never_comes_changes_nothing() -> None:
    server = Server(quit="hang up")
    send(server)
    assert len(server.messages) == 1


def test_a_password_that_is_not_accepted(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with pytest.raises(Unanswered) as caught:
        send(Server(contexts[0], auth="535 no"), tls=contexts[1], credential="s3cret")
    assert caught.value.why is Why.CREDENTIAL
    assert "s3cret" not in str(caught.value)


def test_breaker_and_bulkhead() -> None:
    async def whole() -> None:
        breaker = Breaker(error_share=1.0, of=1, open_s=60)
        async with running(Server(hello="stall")) as url:
            bulkhead = Bulkhead(1, waiting_max=0)
            mailer = Mailer("mail", url, sender=SENDER, timeout_s=0.3, breaker=breaker, bulkhead=bulkhead)
            first = asyncio.create_task(mailer.send(Deadline.after(20), MAIL))
            await asyncio.sleep(0.05)
            with pytest.raises(Unanswered) as caught:
                await mailer.send(Deadline.after(20), MAIL)
            assert caught.value.why is Why.BULKHEAD_FULL
            with pytest.raises(Unanswered):
                await first
            async with asyncio.timeout(20):
                while bulkhead.in_flight:  # noqa: ASYNC110 -- its thread ends by itself
                    await asyncio.sleep(0.01)
            with pytest.raises(Unanswered) as caught:
                await mailer.send(Deadline.after(20), MAIL)
            assert (caught.value.why, bulkhead.in_flight) == (Why.BREAKER_OPEN, 0)
            await mailer.close()

    asyncio.run(whole())


def test_cancellation_frees_the_thread() -> None:
    async def whole() -> None:
        async with running(Server(rcpt="stall")) as url:
            bulkhead = Bulkhead(1)
            mailer = Mailer("mail", url, sender=SENDER, timeout_s=60, bulkhead=bulkhead)
            task = asyncio.create_task(mailer.send(Deadline.after(60), MAIL))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(20):
                while bulkhead.in_flight:  # noqa: ASYNC110 -- its thread ends by itself
                    await asyncio.sleep(0.01)
            await mailer.close()

    asyncio.run(whole())


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_nothing_begins_another_header(to: str, subject: str, id: str) -> None:
    mail = Mail(to=f"{to}@example.com", subject=subject, text="x", id=id)
    if objection(mail):
        return
    headers = written(mail, SENDER).partition(b"\r\n\r\n")[0]
    found = email.message_from_bytes(headers, policy=email.policy.default)
    assert set(found.keys()) <= {
        "From", "To", "Subject", "Date", "Auto-Submitted", "Message-ID", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    assert found["To"] == mail.to


@pytest.mark.parametrize(
    "mail",
    [
        Mail(to="a@b.c\r\nBcc: all@b.c", subject="x", text=""),
        Mail(to="a@b.c, d@e.f", subject="x", text=""),
        Mail(to="<a@b.c>", subject="x", text=""),
        Mail(to="ab.c", subject="x", text=""),
        Mail(to="a@b.c", subject="x\nBcc: all@b.c", text=""),
        Mail(to="a@b.c", subject="x" * 300, text=""),
        Mail(to="a@b.c", subject="x", text="", id="a>\r\nBcc: x"),
        Mail(to="a@b.c", subject="x", text="y" * 300_000),
    ],
)
def test_what_cannot_be_sent_is_declined_at_once(mail: Mail) -> None:
    async def whole() -> None:
        mailer = Mailer("mail", "smtp://127.0.0.1:9", sender=SENDER)
        with pytest.raises(Declined):
            await mailer.send(Deadline.after(5), mail)
        await mailer.close()

    asyncio.run(whole())
    assert "b.c" not in repr(mail)


@pytest.mark.parametrize("address", ["a@b", "a.b+c@d-e.example", "x@y"])
def test_plain_addresses(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://u:p@h", "mail"])
def test_an_address_of_a_server_that_means_nothing(url: str) -> None:
    with pytest.raises(ValueError, match="mail"):
        Mailer("mail", url, sender=SENDER)


def test_into_a_folder_and_never_in_production(tmp_path: Path) -> None:
    mailer = FolderMailer("mail", tmp_path / "mail", sender=SENDER, environment="local")
    for _ in range(2):
        asyncio.run(mailer.send(Deadline.after(5), MAIL))
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["m-1.eml"]
    with pytest.raises(ValueError, match="production"):
        FolderMailer("mail", tmp_path, sender=SENDER, environment="production")
