"""A secret stands in the blueprint, and so in every copy of the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option

_CREDENTIALS = re.compile(
    r"://[^/?#@\s]*:(?!\$\{)[^/?#@\s]+@|[?&](?:password|token|api_?key|secret)=(?!\$\{)[^&\s]+", re.IGNORECASE
)


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    urls = [(f"dependencies.{each.name}.url", each.url) for each in blueprint.dependencies]
    if blueprint.auth is not None:
        urls.append(("auth.issuer", blueprint.auth.issuer))
    for path, url in urls:
        if not _CREDENTIALS.search(url):
            continue
        yield objection(
            __name__,
            blueprint,
            path,
            f"{path} holds a password or a key; change it now, for it was seen",
            (
                option('url: "${NAME_URL}"', "the environment, or a secret store, holds it", "is set where it runs"),
                option(
                    "the host here, the credentials from a secret store",
                    "they can be rotated without a deployment",
                    "one more system to ask at the start",
                ),
            ),
        )
