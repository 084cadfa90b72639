import logging
from typing import Any

from careless.clients.http import post_json
from careless.config import settings

logger = logging.getLogger(__name__)


def publish(name: str, body: dict[str, Any]) -> None:
    try:
        post_json(f"{settings.gateway_url}/v1/events", {"name": name, "body": body})
    except Exception:
        pass
