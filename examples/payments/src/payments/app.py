"""The application: routes, middleware, and what starts and stops with it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from payments import sweep
from payments.api import contract, strict
from payments.api.routes import accounts, health, payments, refunds, support, users
from payments.edge.middleware import Guard, Observe, Secure
from payments.edge.telemetry import configure_logging
from payments.services import Services, assemble
from payments.settings import Settings, load

_DESCRIPTION = """Accounts, a double-entry ledger and idempotent payments. Money is in minor units with its currency,
times are RFC 3339 in UTC. Errors are problem details (RFC 9457)."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Reads the settings from the environment, unless they are given."""
    settings = settings or load()
    configure_logging(settings.log_level)
    services = assemble(settings)
    app = FastAPI(
        title="Payments",
        version="1.0.0",
        summary="The reference payments service.",
        description=_DESCRIPTION,
        lifespan=_lifespan(services),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    for module in (users, accounts, payments, refunds, support, health):
        app.include_router(module.router)
    strict.install(app)
    contract.install(app)
    # The last one added is the outermost.
    app.add_middleware(
        Guard,
        requests_max=settings.requests_max,
        body_bytes_max=settings.body_bytes_max,
        drain=services.drain,
    )
    app.add_middleware(Secure)
    app.add_middleware(Observe)
    return app


def _lifespan(services: Services) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await services.database.open()
        await services.database.warm()
        stop = asyncio.Event()
        sweeping = asyncio.create_task(
            sweep.run(services.paying, interval_s=services.settings.sweep_interval_s, stop=stop), name="sweep"
        )
        # What was made until now lives as long as the process; the collector need not look at it again.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait([sweeping], timeout=services.settings.database_deadline_s * 2)
            sweeping.cancel()
            await services.gateway.close()
            await services.database.close()
            services.passwords.close()

    return lifespan
