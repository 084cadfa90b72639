"""Where this service may call: hosts from a list, and none of the addresses that only look like them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

Address = IPv4Address | IPv6Address


ANYWHERE = "*"


PROXY = "EGRESS_PROXY"
"""The variable that names the proxy by which others are asked, `http://host:port`, where a network lets nothing else
out. What may be at private addresses is asked without it; where a name leads is then the proxy's to judge."""


class EgressRefused(OSError):  # noqa: N818 -- a decision
    """The host is not on the list, or its name leads to an address that may not be called."""


def address_of(host: str) -> Address | None:
    """The address that a host is written as; None for a name."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to: mapped, by 6to4, Teredo or NAT64; else itself."""
    if not isinstance(address, IPv6Address):
        return address
    if int(address) >> 32 == _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could reach it: not private, shared, loopback, link-local or set apart."""
    plain = unwrapped(address)
    return plain.is_global and not plain.is_multicast and plain not in _METADATA


def _is_inside(address: Address) -> bool:
    """Whether a service of the same network could have it."""
    if address in _METADATA or address.is_link_local or address.is_unspecified or address.is_multicast:
        return False
    if isinstance(address, IPv4Address) and address.is_reserved:
        return False
    return address.is_private or (isinstance(address, IPv4Address) and address in _SHARED)


_NAT64 = int(IPv6Address("64:ff9b::")) >> 32
_SHARED = ip_network("100.64.0.0/10")
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")))
"""Where clouds tell a machine its own credentials, beside the link-local 169.254.169.254."""


def _ends_in_a_number(host: str) -> bool:
    """127.1, 2130706433, 0x7f.1: no name, but what some take for an address without asking a name server."""
    last = host.rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x") or not last


class Egress:
    """The hosts that may be called. One that is configured as an address is meant; a name must lead to public
    addresses, unless private ones are allowed. Link-local ones (metadata of clouds) are never allowed behind a name.

    ANYWHERE among the hosts lets every other host pass that is public: for addresses that callers gave."""

    def __init__(self, hosts: Iterable[str], *, allows_private: bool = False) -> None:
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)
        self._allows_private = allows_private
        proxy = "" if allows_private else os.environ.get(PROXY, "")
        self.proxy = URL(proxy) if proxy else None

    def allows(self, host: str) -> bool:
        if host in self._hosts or (plain := host.lower().rstrip(".")) in self._hosts:
            return True
        if ANYWHERE not in self._hosts:
            return False
        address = address_of(plain)
        return is_public(address) if address is not None else not _ends_in_a_number(plain)

    def admits(self, host: str, address: str) -> bool:
        """Whether a connection to this address may be made for this host."""
        if not self.allows(host):
            return False
        found = address_of(address)
        if found is None:
            return False
        if address_of(host) == found:
            return True
        found = unwrapped(found)
        if is_public(found):
            return True
        # What callers gave is public or nothing.
        if host.lower().rstrip(".") not in self._hosts:
            return False
        if found.is_loopback and host.lower() == "localhost":
            return True
        return self._allows_private and _is_inside(found)


class GuardedResolver(AbstractResolver):
    """Leaves out every address that may not be called, at the moment of connecting: a name that changes its address
    after it was looked at gains nothing."""

    def __init__(self, egress: Egress, inner: AbstractResolver | None = None) -> None:
        self._egress = egress
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self._egress.proxy is not None and host == self._egress.proxy.host:
            return await self._inner.resolve(host, port, family)
        if not self._egress.allows(host):
            raise EgressRefused(f"{host} is not on the list of hosts to call")
        found = await self._inner.resolve(host, port, family)
        left = [each for each in found if self._egress.admits(host, each["host"])]
        if found and not left:
            raise EgressRefused(f"{host} leads to an address that may not be called")
        return left

    async def close(self) -> None:
        await self._inner.close()
