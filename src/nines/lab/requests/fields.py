"""What the name of a field says about its value: money, countries, dates, and what must be unique."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from nines.lab.requests.shapes import words

PASSWORD = "N9-Correct-Horse-7!"  # noqa: S105 - a value for throw-away accounts.

_UNIQUE = frozenset(
    ("name", "names", "email", "mail", "username", "login", "handle", "slug", "title", "code", "reference",
     "ref", "sku", "isbn", "label", "tag", "identifier", "nickname", "alias", "subject", "summary", "serial",
     "barcode", "hostname", "domain")
)  # fmt: skip
_CARRIES = _UNIQUE | frozenset(
    ("description", "note", "notes", "comment", "comments", "content", "text", "message", "body", "remark",
     "memo", "bio", "details", "reason")
)  # fmt: skip
_PLAIN: dict[str, Any] = {
    "currency": "EUR",
    "country": "DE",
    "nationality": "DE",
    "language": "en",
    "lang": "en",
    "locale": "en",
    "timezone": "UTC",
    "tz": "UTC",
    "city": "Berlin",
    "state": "Berlin",
    "street": "Main Street 1",
    "address": "Main Street 1",
    "zip": "10115",
    "zipcode": "10115",
    "postcode": "10115",
    "postal": "10115",
    "phone": "+4930901820",
    "mobile": "+4930901820",
    "telephone": "+4930901820",
    "iban": "DE89370400440532013000",
    "bic": "COBADEFFXXX",
    "color": "#336699",
    "colour": "#336699",
    "gender": "other",
    "url": "https://example.com/",
    "uri": "https://example.com/",
    "website": "https://example.com/",
    "link": "https://example.com/",
    "image": "https://example.com/image.png",
    "avatar": "https://example.com/image.png",
    "photo": "https://example.com/image.png",
    "password": PASSWORD,
    "passwd": PASSWORD,
    "ip": "192.0.2.7",
    "cron": "0 3 * * *",
}
_NUMBERS: dict[str, float] = {
    "amount": 10,
    "price": 10,
    "cost": 10,
    "total": 10,
    "balance": 1000,
    "limit": 10,
    "size": 10,
    "page": 1,
    "offset": 0,
    "skip": 0,
    "cursor": 0,
    "quantity": 1,
    "qty": 1,
    "count": 1,
    "age": 30,
    "year": 2024,
    "month": 6,
    "day": 15,
    "hour": 12,
    "minute": 30,
    "rating": 3,
    "score": 3,
    "stars": 3,
    "percent": 10,
    "percentage": 10,
    "discount": 5,
    "latitude": 52.5,
    "lat": 52.5,
    "longitude": 13.4,
    "lng": 13.4,
    "lon": 13.4,
    "port": 8080,
    "version": 1,
    "priority": 1,
    "stock": 100,
    "capacity": 100,
    "duration": 60,
    "minutes": 60,
}
_PAST = frozenset(
    ("birth", "born", "birthday", "dob", "birthdate", "hired", "issued", "founded", "since")
)  # fmt: skip
_LATER = frozenset(
    ("end", "ends", "until", "to", "expires", "expiry", "expiration", "expire", "finish", "close", "checkout",
     "return", "valid")
)  # fmt: skip


def looks_unique(name: str) -> bool:
    """Whether values of this field are often required to be unique; plain kinds such as country_code are not."""
    parts = words(name)
    return bool(parts) and parts[-1] in _UNIQUE and not any(part in _PLAIN for part in parts)


def can_carry(name: str) -> bool:
    """Whether free text belongs here, so that a marker may travel in it."""
    parts = words(name)
    return bool(parts) and parts[-1] in _CARRIES and not any(part in _PLAIN for part in parts)


def plain_text(name: str) -> str | None:
    """A sensible fixed text for the kind of thing that the name speaks of."""
    for part in reversed(words(name)):
        if part in _PLAIN:
            return str(_PLAIN[part])
    return None


def plain_number(name: str) -> float | None:
    for part in reversed(words(name)):
        if part in _NUMBERS:
            return _NUMBERS[part]
    return None


def day_for(name: str, today: date) -> date:
    """A birth date lies in the past, a start in the future, an end after the start."""
    parts = set(words(name))
    if parts & _PAST:
        return date(1990, 6, 15)
    return today + timedelta(days=37 if parts & _LATER else 30)
