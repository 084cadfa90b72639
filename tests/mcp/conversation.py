"""Talking to a server by hand, so that signals and closed pipes can be tried as well."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = [sys.executable, "-P", "-m", "nines", "mcp", "--root", str(EXAMPLES)]
GONE_LIMIT_S = 60.0


class Server:
    """`nines mcp` over pipes, initialised."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started: set[psutil.Process] = set()
        self._number = 0
        self.ask(
            "initialize",
            {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "by hand", "version": "1"}},
        )
        self.answer()
        self.send({"method": "notifications/initialized"})

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode())
        self.process.stdin.flush()

    def ask(self, method: str, params: dict[str, Any]) -> int:
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params})
        return self._number

    def prove(self) -> int:
        """The shortest experiment, with progress."""
        arguments = {"path": "payments-careless", "only": ["contract/no-5xx"], "seed": 1}
        params = {"name": "prove", "arguments": arguments, "_meta": {"progressToken": "p"}}
        return self.ask("tools/call", params)

    def read(self) -> dict[str, Any]:
        """The next message; whatever is no message of the protocol fails here."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server ended"
        found: dict[str, Any] = json.loads(line)
        assert found["jsonrpc"] == "2.0"
        self.look()
        return found

    def answer(self) -> dict[str, Any]:
        """The next message that is no notification."""
        while True:
            found = self.read()
            if "id" in found:
                return found

    def until_ready(self) -> None:
        """The laboratory is up: there is much that could be left behind."""
        while "ready after" not in self.read().get("params", {}).get("message", ""):
            pass

    def look(self) -> None:
        """Remembers every process that the server started, and those that these started."""
        try:
            self.started |= set(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return

    def left(self) -> list[psutil.Process]:
        """What is still alive of them when everything has had its time."""
        until_s = time.monotonic() + GONE_LIMIT_S
        while True:
            alive = [each for each in self.started if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
            if not alive or time.monotonic() > until_s:
                return alive
            time.sleep(0.1)

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None and not stream.closed:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
