"""What an error answer must not show: stack traces, statements, paths, drivers, secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote

from nines.model.history import Exchange

_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a Python stack trace", re.compile(r"Traceback \(most recent call last\)|File \\?\"[^\"]+\.py\\?\", line \d+")),
    ("a Java stack trace", re.compile(r"\bat [\w$.]+\([\w$]+\.(?:java|kt|scala):\d+\)")),
    ("a JavaScript stack trace", re.compile(r"\bat (?:[\w$.<>\[\] ]+ \()?(?:file://)?/[^\s():]+\.[cm]?[jt]s:\d+:\d+")),
    ("a Go stack trace", re.compile(r"goroutine \d+ \[")),
    ("a PHP or Ruby stack trace", re.compile(r"\.(?:php|rb)(?::\d+:in `|\(\d+\): )")),
    (
        "an SQL statement",
        re.compile(
            r"\bSELECT\s.{1,400}?\sFROM\s|\bINSERT\s+INTO\s+\"?\w+\"?\s*\(|\bUPDATE\s+\"?\w+\"?\s+SET\s"
            r"|\bDELETE\s+FROM\s+\"?\w+|\[SQL:",
            re.DOTALL,
        ),
    ),
    (
        "a database error",
        re.compile(
            r"duplicate key value violates unique constraint|violates (?:foreign key|check|not-null) constraint"
            r"|syntax error at or near|relation \\?\"[^\"]+\" does not exist|DETAIL:  ?Key \("
            r"|invalid byte sequence for encoding|ORA-\d{5}|SQLSTATE\[?\w{5}|You have an error in your SQL syntax"
        ),
    ),
    (
        "the name of a driver",
        re.compile(
            r"\b(?:psycopg2?\.(?:errors|Error|OperationalError)|asyncpg\.exceptions|sqlalchemy\.(?:exc|dialects)"
            r"|sqlite3\.\w*Error|pymysql\.err|pymongo\.errors|django\.db\.utils|org\.postgresql|com\.mysql"
            r"|PG::\w+Error|PrismaClient\w+|SequelizeDatabaseError)"
        ),
    ),
    (
        "a path on the server",
        re.compile(
            r"(?<![\w/.:])/(?:usr|home|root|app|srv|opt|var|code|workspace)/[\w./+-]*"
            r"(?:site-packages|node_modules|\.(?:py|js|ts|rb|go|java|php)\b)"
        ),
    ),
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
    ("a connection string with its password", re.compile(r"\b(?:postgres(?:ql)?|mysql|redis|mongodb|amqp)\S*://[^\s:/@]*:[^\s@]+@")),
    ("a cloud access key", re.compile(r"\bAKIA[0-9A-Z]{16}\b")),
)  # fmt: skip


def leak_in(exchange: Exchange) -> str:
    """What the answer's body gives away, in words; "" for nothing. What the caller sent itself is no leak."""
    sent = exchange.request_body + "\n" + unquote(exchange.path)
    for words, sign in _SIGNS:
        found = sign.search(exchange.body)
        if found is not None and found[0] not in sent:
            return words
    return ""
