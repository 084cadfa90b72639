from typing import Any

_replies: dict[str, Any] = {}


def remembered(user_id: str, key: str) -> Any | None:
    return _replies.get(f"{user_id}:{key}")


def remember(user_id: str, key: str, reply: Any) -> None:
    _replies[f"{user_id}:{key}"] = reply
