"""What is installed for a coding agent: whole files, sections of files, entries of configurations."""

from __future__ import annotations

from enum import StrEnum

from nines.model.record import Record


class Kind(StrEnum):
    FILE = "file"
    """A file of our own."""
    SECTION = "section"
    """A part of somebody's file, between markers."""
    SERVER = "server"
    """An entry under `mcpServers` of somebody's JSON."""


class Server(Record):
    """How a client starts the MCP server."""

    command: str
    args: tuple[str, ...] = ()


class Piece(Record):
    """One thing to install; `path` is relative to the project, or to the home directory."""

    path: str
    kind: Kind
    text: str = ""
    server: Server | None = None


class Scope(StrEnum):
    PROJECT = "project"
    USER = "user"
