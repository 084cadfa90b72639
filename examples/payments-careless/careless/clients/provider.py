import uuid
from typing import Any

from careless.clients.http import post_json, with_retries
from careless.config import settings


class ProviderClient:
    def __init__(self, base_url: str | None = None) -> None:
        self.base_url = base_url or settings.gateway_url

    @with_retries(attempts=3)
    def authorize(self, reference: str, amount_minor: int, currency: str) -> dict[str, Any]:
        return self._send("/v1/authorizations", reference, amount_minor, currency)

    def capture(self, reference: str, amount_minor: int, currency: str) -> dict[str, Any]:
        return self._send("/v1/captures", reference, amount_minor, currency)

    def refund(self, reference: str, amount_minor: int, currency: str) -> dict[str, Any]:
        return self._send("/v1/refunds", reference, amount_minor, currency)

    def _send(self, path: str, reference: str, amount_minor: int, currency: str) -> dict[str, Any]:
        payload = {"reference": reference, "amount_minor": amount_minor, "currency": currency}
        # A fresh key for every attempt, so the provider never rejects us as a duplicate.
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return post_json(f"{self.base_url}{path}", payload, headers=headers)


provider = ProviderClient()
