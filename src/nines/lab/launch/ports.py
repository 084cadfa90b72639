"""Loopback ports that stay free for what nines starts, also while it is down between a kill and a restart."""

from __future__ import annotations

import os
import socket
from itertools import count
from pathlib import Path

import psutil

from nines.model.errors import LaunchError

LOOPBACK = "127.0.0.1"
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 15_000
_TRIES_MAX = 2_000
_turn = count()


def free_port() -> int:
    """A loopback port outside the system's own range for outgoing connections.

    A port of that range could be taken by any client, nines' own load included, while the service is down; a client
    that connects to it again and again can even end up connected to itself."""
    highest = _first_ephemeral() - 1
    width = max(1, highest - _LOWEST)
    start = (os.getpid() * 37 + next(_turn) * 101) % width
    for step in range(min(width, _TRIES_MAX)):
        port = _LOWEST + (start + step) % width
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether nothing listens on the port, on this address or on all addresses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _first_ephemeral() -> int:
    try:
        first = int(_RANGE_FILE.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        first = 32_768
    return first if first > _LOWEST + 1_000 else 65_000


def listening_ports(processes: list[psutil.Process]) -> set[int] | None:
    """The TCP ports that these processes listen on; None when the system does not let nines see them."""
    found: set[int] = set()
    is_seen = False
    for process in processes:
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.NoSuchProcess:
            continue
        except (psutil.AccessDenied, OSError):
            return None
        is_seen = True
        found.update(c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN and c.laddr)
    return found if is_seen else set()


def refuse_stranger(port: int, processes: list[psutil.Process], name: str) -> None:
    """Raises LaunchError when somebody else listens on the port: nines attacks only what it started."""
    ports = listening_ports(processes)
    if ports is not None and port not in ports:
        raise LaunchError(
            f"port {port} is answered by a program that nines did not start",
            where=name,
            hint="Stop that program, or let the service take its port from {port} or $PORT.",
        )
