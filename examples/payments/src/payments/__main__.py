"""Starts the service: python -m payments --port 8000."""

from __future__ import annotations

import argparse
import asyncio
import signal
from types import FrameType

import uvicorn

from payments.app import create_app
from payments.edge.middleware import Drain
from payments.settings import load


class DrainingServer(uvicorn.Server):
    """Says that it is going before it goes: readiness fails first, the door closes a moment later."""

    def __init__(self, config: uvicorn.Config, drain: Drain, drain_s: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._drain_s = drain_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal does not wait."""
        if sig == signal.SIGTERM and not self._drain.is_draining:
            self._drain.is_draining = True
            asyncio.get_running_loop().call_later(self._drain_s, super().handle_exit, sig, frame)
        else:
            super().handle_exit(sig, frame)


def main() -> None:
    """One process; run several, or replicas, for more cores."""
    parser = argparse.ArgumentParser(prog="payments", description="The reference payments service.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    settings = load()
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=arguments.host,
        port=arguments.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=settings.shutdown_s,
    )
    DrainingServer(config, app.state.services.drain, settings.drain_s).run()


if __name__ == "__main__":
    main()
