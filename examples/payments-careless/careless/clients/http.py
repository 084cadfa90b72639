import functools
import logging
import time
from collections.abc import Callable
from typing import Any

import requests

logger = logging.getLogger(__name__)


def with_retries(attempts: int = 3, delay: float = 0.2) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            for attempt in range(attempts):
                try:
                    return function(*args, **kwargs)
                except Exception:
                    if attempt == attempts - 1:
                        raise
                    logger.warning("retrying %s", function.__name__)
                    time.sleep(delay)

        return wrapper

    return decorate


def post_json(url: str, payload: dict[str, Any], **options: Any) -> dict[str, Any]:
    response = requests.post(url, json=payload, **options)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer
