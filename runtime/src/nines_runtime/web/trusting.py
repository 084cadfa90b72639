"""A header that only the balancer may write: whoever else sends it is heard as if it were not there."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from nines_runtime.web.asgi import App, Receive, Scope, Send


class OnlyFrom:
    """Takes `header` out of every request that comes from elsewhere than `networks`.

    Whoever connected counts, and not whom X-Forwarded-For tells: that, too, anybody may write."""

    def __init__(self, app: App, header: str, networks: Iterable[str]) -> None:
        """Raises ValueError for what is no network: "10.0.0.0/8", "::1"."""
        self._app = app
        self._header = header.lower().encode("ascii")
        self._networks = tuple(ip_network(each.strip()) for each in networks if each.strip())

    def heard(self, headers: MutableMapping[str, str], address: str) -> None:
        """The same for headers that came over something else than HTTP."""
        if not _is_within(address, self._networks):
            headers.pop(self._header.decode("ascii"), None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            client = scope.get("client")
            if not _is_within(str(client[0]) if client else "", self._networks):
                scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() != self._header]
        await self._app(scope, receive, send)


@lru_cache(maxsize=4_096)
def _is_within(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)
