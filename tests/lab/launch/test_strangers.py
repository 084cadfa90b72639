"""A store of data that nines did not start is never written to by an experiment."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from nines.lab.launch import strangers
from nines.lab.launch.strangers import Peer, database_files, peers, strange_stores
from nines.model.errors import LaunchError

OWN = [psutil.Process()]


@contextlib.contextmanager
def connected() -> Iterator[int]:
    """A connection of this process to a listener that another socket of this process holds."""
    with socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            port = int(listener.getsockname()[1])
            listener.close()
            yield port


def store(monkeypatch: pytest.MonkeyPatch, port: int, kind: str) -> None:
    monkeypatch.setattr(strangers, "STORES", {port: kind})


def test_a_store_that_nines_could_have_given_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with connected() as port:
        store(monkeypatch, port, "PostgreSQL")
        assert Peer(host="127.0.0.1", port=port) in peers(OWN, ())
        with pytest.raises(LaunchError, match=rf"PostgreSQL at 127\.0\.0\.1:{port}"):
            strange_stores(OWN, (), ())
        assert strange_stores(OWN, (port,), ()) == [], "a port of the laboratory is no stranger"


def test_another_store_on_this_machine_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with connected() as port:
        store(monkeypatch, port, "RabbitMQ")
        assert [str(peer) for peer in strange_stores(OWN, (), ())] == [f"RabbitMQ at 127.0.0.1:{port}"]


def test_a_store_elsewhere_must_be_named_by_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "peers", lambda _processes, _ours: [Peer(host="192.0.2.9", port=27017)])
    with pytest.raises(LaunchError, match="MongoDB at 192"):
        strange_stores(OWN, (), ("mongodb://localhost",))
    assert len(strange_stores(OWN, (), ("mongodb://192.0.2.9/test",))) == 1


def test_who_came_to_the_service_is_no_peer() -> None:
    with socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            assert client.getsockname()[1] not in [peer.port for peer in peers(OWN, ())]


def test_a_database_in_a_file_of_the_project_is_found(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "app.db")
    connection.execute("CREATE TABLE t (a)")
    (tmp_path / "other.txt").touch()
    with (tmp_path / "other.txt").open():
        assert database_files(OWN, tmp_path) == ["app.db"]
        assert database_files(OWN, tmp_path / "elsewhere") == []
    connection.close()
