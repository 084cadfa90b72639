"""Filling templates with what is known of an identity."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from nines.model.settings import Identity


def values_of(identity: Identity) -> dict[str, str]:
    """What templates may name: the identity's own values, an address and a plain name made from its user name, and
    each of the three with the password as HTTP's basic credentials."""
    username = identity.username
    local = "".join(c for c in username.partition("@")[0] if c.isalnum() or c == "_")
    made = {
        "name": identity.name,
        "email": username if "@" in username else f"{username}@example.com",
        "handle": local if "@" in username else username,
    }
    given = {**made, **identity.values, "username": username, "password": identity.password}
    names = {"basic": username, "basic_email": given["email"], "basic_handle": given["handle"]}
    return {key: _basic(name, identity.password) for key, name in names.items()} | given


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """The template with {name} replaced wherever a text stands."""
    if isinstance(template, str):
        for name, value in values.items():
            template = template.replace("{" + name + "}", value)
        return template
    if isinstance(template, dict):
        return {key: filled(item, values) for key, item in template.items()}
    if isinstance(template, list):
        return [filled(item, values) for item in template]
    return template


def _basic(name: str, password: str) -> str:
    """The credentials of RFC 7617."""
    return base64.b64encode(f"{name}:{password}".encode()).decode("ascii")
