from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.egress import ANYWHERE, Egress, EgressRefused, GuardedResolver, is_public

PRIVATE = ["10.0.0.1", "172.16.9.9", "192.168.1.1", "fd12::1", "100.64.0.1"]
NEVER = [
    "169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "fd00:ec2::254",
    "100.100.100.200", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "240.0.0.1",
]  # fmt: skip
LOOPBACK = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "2002:7f00:1::"]
PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_leads_to_private_addresses_only_where_that_is_allowed(address: str) -> None:
    assert not Egress(["pay.example"]).admits("pay.example", address)
    assert Egress(["pay.example"], allows_private=True).admits("pay.example", address)


@pytest.mark.parametrize("address", [*NEVER, *LOOPBACK])
def test_a_name_never_leads_to_these(address: str) -> None:
    assert not Egress(["pay.example"]).admits("pay.example", address)


@pytest.mark.parametrize("address", NEVER)
def test_not_even_where_private_addresses_are_allowed(address: str) -> None:
    assert not Egress(["pay.example"], allows_private=True).admits("pay.example", address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert Egress(["pay.example"]).admits("PAY.example", address)


def test_what_is_configured_as_an_address_is_meant() -> None:
    assert Egress(["127.0.0.1"]).admits("127.0.0.1", "127.0.0.1")
    assert Egress(["localhost"]).admits("localhost", "127.0.0.1")
    assert Egress(["10.1.2.3"]).admits("10.1.2.3", "10.1.2.3")
    assert not Egress(["10.1.2.3"]).admits("10.1.2.3", "10.1.2.4")


def test_other_hosts_are_not_called() -> None:
    egress = Egress(["pay.example"], allows_private=True)
    for host in ("pay.example.evil.test", "evil.test", "", "10.0.0.1"):
        assert not egress.admits(host, "93.184.216.34")


@pytest.mark.parametrize("allows_private", [False, True])
def test_what_callers_gave_is_public_or_nothing(allows_private: bool) -> None:
    egress = Egress(["inside.example", ANYWHERE], allows_private=allows_private)
    assert egress.admits("hook.example", PUBLIC[0])
    assert egress.admits(PUBLIC[0], PUBLIC[0])
    for address in (*PRIVATE, *NEVER, *LOOPBACK):
        assert not egress.allows(address)
        for host in ("hook.example", "localhost", address):
            assert not egress.admits(host, address)
    for host in ("127.1", "2130706433", "0x7f.1", "0x7f000001", "0", "1.2.3", "", ".", "[::1", "::1%lo", "1.2.3.4.5"):
        assert not egress.allows(host)
    assert egress.admits("inside.example", PRIVATE[0]) == allows_private


@given(st.ip_addresses(v=4))
def test_an_address_is_the_same_however_it_is_wrapped(address: object) -> None:
    plain = ip_address(str(address))
    assert is_public(ip_address(f"::ffff:{plain}")) == is_public(plain)
    assert is_public(ip_address((0x64FF9B << 96) | int(plain))) == is_public(plain)


class _Fixed(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


def test_only_what_may_be_called_is_left_of_a_name() -> None:
    resolver = GuardedResolver(Egress(["pay.example"]), _Fixed("169.254.169.254", "93.184.216.34"))
    assert [each["host"] for each in asyncio.run(resolver.resolve("pay.example", 443))] == ["93.184.216.34"]
    with pytest.raises(EgressRefused):
        asyncio.run(GuardedResolver(Egress(["pay.example"]), _Fixed("10.0.0.1")).resolve("pay.example", 443))
    with pytest.raises(EgressRefused):
        asyncio.run(resolver.resolve("other.example", 443))
