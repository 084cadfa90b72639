"""The headers that an API sends for safety, each with its reason; and those of web pages that it does without."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.markdown import code, table
from nines.model.design import Design

_LEFT_OUT = (
    "Not sent: X-XSS-Protection (no browser uses it any more), Permissions-Policy and Referrer-Policy (they speak to "
    "pages, and this serves none), Server and X-Powered-By (they tell an attacker a version and nobody else anything)."
)


def text(design: Design) -> str:
    return table(("header", "value", "why"), [(code(name), code(value), why) for name, value, why in _rows(design)])


def left_out() -> str:
    return _LEFT_OUT


def _rows(design: Design) -> Iterator[tuple[str, str, str]]:
    yield (
        "Strict-Transport-Security",
        "max-age=31536000; includeSubDomains",
        "A browser that came once comes over TLS for a year (RFC 6797); set by the balancer, and only where all hosts "
        "below the name have TLS.",
    )
    for value, ids in _caching(design).items():
        whose = ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
        yield "Cache-Control", value, f"On {whose}: {_CACHING.get(value, 'as the contract says (RFC 9111).')}"
    yield (
        "X-Content-Type-Options",
        "nosniff",
        "JSON that holds what callers wrote is never taken for a page (Fetch, X-Content-Type-Options).",
    )
    yield (
        "Content-Security-Policy",
        "default-src 'none'; frame-ancestors 'none'",
        "Should a browser show an answer all the same, nothing in it runs and nothing frames it.",
    )
    cookies = design.auth is not None and design.auth.scheme == "session"
    yield (
        "Access-Control-Allow-Origin",
        "(not sent)",
        "No page of another origin may read answers"
        + (
            "; the session's cookie is SameSite=Lax besides."
            if cookies
            else ". A product with a page names its origin here, one by one, never * beside credentials."
        ),
    )


_CACHING = {
    "no-store": "nothing on the way or in the client keeps what was answered (RFC 9111, 5.2.2.5).",
    "private, no-cache": "no shared cache keeps it, and the client asks again with the ETag.",
}


def _caching(design: Design) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in design.endpoints:
        if each.cache_control:
            found.setdefault(each.cache_control, []).append(each.id)
    return found
