"""`nines mcp`."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click

from nines.cli.main import EXIT_OK
from nines.model.errors import UsageError

TOKEN = "NINES_MCP_TOKEN"  # noqa: S105 -- the variable's name
_TOKEN_BYTES = 32
_TOKEN_CHARACTERS_MIN = 16
_PORT_MAX = 65_535


@click.command()
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder that may be read, and written to where a tool is asked to; may be repeated [.].",
)
@click.option("--http", "port", type=int, help="Serve HTTP on this port of 127.0.0.1 instead; 0 takes a free one.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help=f"With --http: the token's file. Without it {TOKEN}, else a new one, which is printed.",
)
def command(*, roots: tuple[Path, ...], port: int | None, token_file: Path | None) -> int:
    """Serve the verbs to a coding agent over the Model Context Protocol.

    Without --http the client starts this command and talks to it over standard input and output."""
    from nines.mcp import serving  # noqa: PLC0415 -- the protocol's library takes a while, and --help needs none of it
    from nines.mcp.roots import Roots  # noqa: PLC0415

    allowed = Roots.of(roots) if roots else Roots.of_here()
    if port is None:
        if token_file is not None:
            raise UsageError("--token-file belongs to --http", hint="Over standard streams no token is needed.")
        if sys.stdin.isatty():
            click.echo(
                "waiting for a client on standard input; for one that connects by HTTP: nines mcp --http 0", err=True
            )
        serving.over_streams(allowed)
        return EXIT_OK
    if not 0 <= port <= _PORT_MAX:
        raise UsageError(f"{port} is no port", hint=f"A port is 0 to {_PORT_MAX}; 0 takes a free one.")
    token, is_new = _token(token_file)

    def announce(address: str) -> None:
        click.echo(f"nines mcp: {address}", err=True)
        told = f"token: {token}" if is_new else "the token is the one that was given"
        click.echo(f"{told}\nSend it as: Authorization: Bearer TOKEN", err=True)

    serving.over_http(allowed, port=port, token=token, announce=announce)
    return EXIT_OK


def _token(file: Path | None) -> tuple[str, bool]:
    """The token, and whether it was made up just now; raises UsageError for one that can be guessed."""
    given = os.environ.get(TOKEN, "")
    if file is not None:
        try:
            given = file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise UsageError(f"the token cannot be read: {error}", where=str(file)) from None
    elif not given:
        return secrets.token_urlsafe(_TOKEN_BYTES), True
    if len(given) < _TOKEN_CHARACTERS_MIN or not given.isascii() or not given.isprintable() or " " in given:
        hint = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        raise UsageError(f"a token has at least {_TOKEN_CHARACTERS_MIN} plain characters", hint=hint)
    return given, False
