"""What a broker is told, what its errors mean, and how an address is read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nines_runtime import Away, Event, GiveUp, Hidden, Url, broker_at, read_settings
from nines_runtime.data.brokers import Address, address_of
from nines_runtime.data.kafka import KafkaBroker, security
from nines_runtime.data.nats import NatsBroker
from nines_runtime.data.nats import options as nats_options
from nines_runtime.data.redis_streams import RedisBroker

from . import brokers_running
from .requests import soon

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVENT = Event(
    id=UUID("01b8e094-9b2e-7a2b-a072-519a6d1b2b1b"),
    type="shop.order.placed.v1",
    source="/shop",
    subject="ord_1",
    time=datetime(2030, 1, 31, 12, tzinfo=UTC),
    data={"id": "ord_1"},
    destination="",
    trace_parent=TRACE,
)
NOWHERE = Address(scheme="nats", hosts=(("127.0.0.1", 9),))


class RetriableError(Exception):
    """As aiokafka tells of a leader that is not there."""

    retriable = True


class MessageSizeTooLargeError(Exception):
    """As aiokafka refuses it."""


class Stream:
    """As JetStream, as a producer of Kafka, and as Redis."""

    def __init__(self, *fails: Exception) -> None:
        self.said: list[tuple[str, bytes, dict[str, str]]] = []
        self.fails = list(fails)
        self.hangs: asyncio.Future[Any] | None = None

    async def publish(self, subject: str, payload: bytes, timeout: float, headers: dict[str, str]) -> object:  # noqa: ASYNC109
        assert timeout > 0
        self._say(subject, payload, headers)
        return None

    async def send(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Any]:
        self._say(topic, value, {"key": key.decode()} | {name: each.decode() for name, each in headers})
        if self.hangs is not None:
            return self.hangs
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def xadd(self, name: str, fields: dict[str, Any], *, maxlen: int, approximate: bool) -> object:
        assert approximate
        self._say(name, fields["event"], {"id": fields["id"], "maxlen": str(maxlen)})
        return None

    def _say(self, where: str, what: bytes, headers: dict[str, str]) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.said.append((where, what, headers))


def test_nats_is_told_the_event_and_its_id() -> None:
    stream = Stream()
    asyncio.run(NatsBroker(NOWHERE, stream=stream).deliver(EVENT, soon()))
    subject, payload, headers = stream.said[0]
    assert subject == "shop.order.placed.v1"
    assert headers == {
        "Nats-Msg-Id": str(EVENT.id),
        "Content-Type": "application/cloudevents+json",
        "traceparent": TRACE,
    }
    assert msgspec.json.decode(payload)["time"] == "2030-01-31T12:00:00.000Z"
    assert msgspec.json.decode(payload)["traceparent"] == TRACE


def test_kafka_is_told_the_event_under_its_subject() -> None:
    stream = Stream()
    event = msgspec.structs.replace(EVENT, destination="shop.order", trace_parent="")
    asyncio.run(KafkaBroker(NOWHERE, producer=stream).deliver(event, soon()))
    assert stream.said[0][0] == "shop.order"
    assert stream.said[0][2] == {"key": "ord_1", "content-type": "application/cloudevents+json"}


def test_redis_is_told_the_event_and_keeps_no_endless_stream() -> None:
    stream = Stream()
    asyncio.run(RedisBroker(NOWHERE, streams=stream, length_max=50).deliver(EVENT, soon()))
    assert stream.said == [("shop.order.placed.v1", EVENT.document(), {"id": str(EVENT.id), "maxlen": "50"})]


def test_an_acknowledgement_that_is_late_is_waited_for_and_nothing_is_sent_twice() -> None:
    async def scenario() -> None:
        stream = Stream()
        stream.hangs = asyncio.get_running_loop().create_future()
        broker = KafkaBroker(NOWHERE, producer=stream)
        for _ in range(2):
            with pytest.raises(Away):
                await broker.deliver(EVENT, soon(0.05))
        stream.hangs.set_result(None)
        await broker.deliver(EVENT, soon())
        assert len(stream.said) == 1
        stream.hangs = None
        await broker.deliver(EVENT, soon())
        assert len(stream.said) == 2
        await broker.close()

    asyncio.run(scenario())


def test_a_broker_that_is_away_is_told_from_an_event_that_is_refused() -> None:
    async def scenario() -> None:
        kafka = KafkaBroker(NOWHERE, producer=Stream(RetriableError(), MessageSizeTooLargeError(), KeyError("x")))
        for expected in (Away, GiveUp, KeyError):
            with pytest.raises(expected):
                await kafka.deliver(EVENT, soon())
        nats = NatsBroker(NOWHERE, stream=Stream(ConnectionResetError(), KeyError("x")))
        redis = RedisBroker(NOWHERE, streams=Stream(ConnectionResetError(), KeyError("x")))
        for broker in (nats, redis):
            for wanted in (Away, KeyError):
                with pytest.raises(wanted):
                    await broker.deliver(EVENT, soon())

    asyncio.run(scenario())


@pytest.mark.parametrize("scheme", ["nats", "kafka", "redis"])
def test_a_broker_that_is_not_there_is_away_and_leaves_nothing_open(scheme: str) -> None:
    async def scenario() -> None:
        async with broker_at(f"{scheme}://127.0.0.1:9", service="shop") as broker:
            for _ in range(2):
                with pytest.raises(Away):
                    await broker.deliver(EVENT, soon(1.0))

    pytest.importorskip({"nats": "nats", "kafka": "aiokafka", "redis": "redis"}[scheme])
    asyncio.run(scenario())


def test_events_end_in_the_log_only_where_nobody_relies_on_them(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(environment: str) -> None:
        async with broker_at("log://events", environment=environment) as broker:
            await broker.deliver(EVENT, soon())

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario("local"))
    assert vars(caplog.records[0])["event_type"] == "shop.order.placed.v1"
    for refused in ("production", "staging"):
        with pytest.raises(ValueError, match="ENVIRONMENT"):
            asyncio.run(scenario(refused))


def test_an_address_is_read_and_tells_no_secret() -> None:
    found = address_of(
        "kafka+tls://b1:9093,b2/?sasl=SCRAM-SHA-256", 9092, credential=Hidden("shop:s:cret"), ca="/ca.pem"
    )
    assert found.hosts == (("b1", 9093), ("b2", 9092))
    assert (found.user, found.password, found.ca) == ("shop", "s:cret", "/ca.pem")
    assert "cret" not in repr(found)
    assert address_of("nats://us%3Aer:p%40ss@[::1]:4222", 1).hosts == (("::1", 4222),)
    for wrong in ("nats://", "kafka://b1:99999999", "kafka://b1:port"):
        with pytest.raises(ValueError, match=r"address of a broker") as caught:
            address_of(wrong, 1)
        assert "99999999" not in str(caught.value)


def test_settings_take_several_hosts() -> None:
    class Settings(msgspec.Struct):
        bus_url: Url

    assert read_settings(Settings, {"BUS_URL": "kafka+tls://b1:9093,b2:9093"}).bus_url == "kafka+tls://b1:9093,b2:9093"


def test_what_opens_a_broker_is_told_by_its_kind() -> None:
    plain = security(address_of("kafka://b1", 9092))
    assert plain == {"security_protocol": "PLAINTEXT"}
    login = security(address_of("kafka+tls://b1", 9093, credential="shop:secret"))
    assert login["security_protocol"] == "SASL_SSL"
    assert login["sasl_mechanism"] == "SCRAM-SHA-512"
    assert login["ssl_context"].check_hostname
    with pytest.raises(ValueError, match="plain text"):
        KafkaBroker(address_of("kafka://b1?sasl=PLAIN", 9092, credential="shop:secret"))
    KafkaBroker(address_of("kafka://127.0.0.1?sasl=PLAIN", 9092, credential="shop:secret"))
    assert nats_options(address_of("tls://b1,b2:4333", 4222, credential="token"), "shop")["token"] == "token"
    assert nats_options(address_of("tls://b1,b2:4333", 4222), "shop")["servers"] == ["tls://b1:4222", "tls://b2:4333"]


@pytest.mark.parametrize("kind", ["nats", "redis"])
def test_a_broker_is_reached_over_tls_with_a_password_and_no_other_way(kind: str, tmp_path: Path) -> None:
    """As it runs; its certificate is signed by an authority of its own."""
    ca, certificate, key = certified(tmp_path)
    port = brokers_running.free_port()
    if kind == "nats":
        given = [f"--tlscert={certificate}", f"--tlskey={key}", "--tls", "--user", "shop", "--pass", "s3cret"]
        where = ["-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path)]
        command, scheme, plain = [brokers_running.program("nats-server"), *where, *given], "tls", "nats"
        pytest.importorskip("nats")
    else:
        files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(ca)]
        given = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no", "--requirepass", "s3cret"]
        where = ["--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
        command, scheme, plain = [brokers_running.program("redis-server"), *where, *given, *files], "rediss", "redis"
        pytest.importorskip("redis")
    login = "shop:s3cret" if kind == "nats" else "default:s3cret"

    async def told(scheme: str, credential: str | None, ca: str) -> None:
        url = f"{scheme}://localhost:{port}"
        async with broker_at(url, credential=credential, ca=ca) as broker:
            await broker.deliver(EVENT, soon(3.0))

    async def scenario() -> None:
        for address, credential, authority in (
            (scheme, login, ""),
            (scheme, "shop:wrong", str(ca)),
            (plain, login, ""),
        ):
            with pytest.raises(Away):
                await told(address, credential, authority)
        if kind == "nats":
            with pytest.raises(Away, match="no stream"):
                await told(scheme, login, str(ca))
        else:
            await told(scheme, login, str(ca))

    running = brokers_running.Running(command, port)
    try:
        asyncio.run(scenario())
    finally:
        running.kill()


def certified(folder: Path) -> tuple[Path, Path, Path]:
    """An authority's certificate, one for localhost that it signed, and the key of that."""
    now = datetime.now(UTC)

    def signed(name: str, subject_key: Any, issuer: str, issuer_key: Any, *, is_ca: bool) -> Path:
        built = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(subject_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        path = folder / f"{name}.pem"
        path.write_bytes(built.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return path

    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    key = folder / "key.pem"
    key.write_bytes(
        own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    ca = signed("authority", authority, "authority", authority, is_ca=True)
    return ca, signed("localhost", own, "authority", authority, is_ca=False), key
