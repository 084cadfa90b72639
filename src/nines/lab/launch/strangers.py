"""What the service talks to beside the laboratory: a database that is not ours must never be part of an experiment."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from pathlib import Path

import psutil

from nines.model.errors import LaunchError
from nines.model.record import Record

STORES = {
    1433: "SQL Server",
    1521: "Oracle",
    3306: "MySQL",
    5432: "PostgreSQL",
    5433: "PostgreSQL",
    5672: "RabbitMQ",
    6379: "Redis",
    6380: "Redis",
    6432: "PgBouncer",
    9092: "Kafka",
    9200: "Elasticsearch",
    11211: "memcached",
    26257: "CockroachDB",
    27017: "MongoDB",
}
"""Well-known ports of things that keep data."""
PROVIDED = frozenset({"PostgreSQL", "PgBouncer", "Redis"})
"""Stores that the laboratory can give; there is no reason to use another."""
_FILES = (".db", ".sqlite", ".sqlite3")


class Peer(Record, order=True):
    """The far end of a connection that the service opened."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        address = ipaddress.ip_address(self.host)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback

    def __str__(self) -> str:
        return f"{STORES.get(self.port, 'a server')} at {self.host}:{self.port}"


def peers(processes: list[psutil.Process], ours: Collection[int]) -> list[Peer]:
    """Who the service is connected to, except the laboratory's own ports and those who came to the service."""
    own_listeners: set[int] = set()
    found: set[Peer] = set()
    for process in processes:
        try:
            connections = process.net_connections(kind="tcp")
        except (psutil.Error, OSError):
            continue
        own_listeners |= {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN and c.laddr}
        for connection in connections:
            if connection.status == psutil.CONN_ESTABLISHED and connection.raddr:
                is_caller = connection.laddr.port in own_listeners
                if not is_caller and connection.raddr.port not in (*ours, *own_listeners):
                    found.add(Peer(host=connection.raddr.ip, port=connection.raddr.port))
    return sorted(found)


def strange_stores(processes: list[psutil.Process], ours: Collection[int], named: Collection[str]) -> list[Peer]:
    """Stores of data that the laboratory did not start and that the service uses all the same.

    Raises LaunchError for one that it could have given, and for one on another machine whose host stands in none of
    the texts of the configuration (`named`): nobody has said that it may be written to."""
    stores = [peer for peer in peers(processes, ours) if peer.port in STORES]
    for peer in stores:
        is_allowed = peer.is_loopback or any(peer.host in text for text in named)
        if STORES[peer.port] in PROVIDED or not is_allowed:
            raise LaunchError(
                f"the service is connected to {peer}, which nines did not start",
                where="service",
                hint="It was stopped before any experiment. Point it at the laboratory: name the variable that it "
                "reads in service.env, such as {database.url} or {redis.url}, or set database.url or redis.url.",
            )
    return stores


def database_files(processes: list[psutil.Process], root: Path) -> list[str]:
    """Files of the project that look like an embedded database and that the service holds open."""
    found: set[str] = set()
    for process in processes:
        try:
            opened = process.open_files()
        except (psutil.Error, OSError):
            continue
        for file in opened:
            path = Path(file.path)
            if path.suffix in _FILES and path.is_relative_to(root):
                found.add(str(path.relative_to(root)))
    return sorted(found)
