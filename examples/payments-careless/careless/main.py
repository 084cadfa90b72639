import logging

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

from careless.routers import accounts, internal, payments, users

logging.basicConfig(level=logging.INFO)

app = FastAPI(title="Payments", version="0.4.0")
app.add_middleware(
    CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["*"], allow_headers=["*"]
)
app.include_router(users.router)
app.include_router(accounts.router)
app.include_router(payments.router)
app.include_router(internal.router)


@app.exception_handler(Exception)
async def unexpected(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse(status_code=500, content={"detail": str(exc), "type": type(exc).__name__})
