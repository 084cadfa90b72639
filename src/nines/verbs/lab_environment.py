"""The environment that a service gets in the laboratory: dependencies are the laboratory's, secrets are made up.

What stands in a file of the project may be real. No credential leaves it, and no remote service is called from it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from nines.model.record import Record
from nines.model.settings import UpstreamSettings
from nines.readers.environment import Environment, Variable

LAB_PASSWORD = "Nines-lab-7391"  # noqa: S105 - for databases that are thrown away.
"""For identities that nines registers itself, in databases that it throws away."""
LAB_SECRET = "nines-lab-secret-not-for-production-0123456789abcdef"  # noqa: S105 - idem.
_DATABASE_SCHEMES = {"postgresql", "postgres", "postgis"}
_LOCATION = "{database.user}:{database.password}@{database.host}:{database.port}/{database.name}"
_DATABASE_PARTS = (
    ("host", re.compile(r"^(POSTGRES|PG|DB|DATABASE|SQL)_?(SERVER|HOST|HOSTNAME)$")),
    ("port", re.compile(r"^(POSTGRES|PG|DB|DATABASE|SQL)_?PORT$")),
    ("user", re.compile(r"^(POSTGRES|PG|DB|DATABASE|SQL)_?(USER|USERNAME)$")),
    ("password", re.compile(r"^(POSTGRES|PG|DB|DATABASE|SQL)_?(PASSWORD|PASS|PASSWD)$")),
    ("name", re.compile(r"^(POSTGRES|PG|DB|DATABASE|SQL)_?(DB|NAME|DATABASE)$")),
)
_REDIS_PART = re.compile(r"^REDIS_?(?P<part>HOST|HOSTNAME|SERVER|PORT)$")
_SECRET_NAME = re.compile(
    r"SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|CREDENTIAL|PRIVATE|DSN|WEBHOOK"
    r"|(^|_)(API)?(KEY|KEYS|PWD|PASS|PW|SALT|PEPPER|AUTH|CERT|PAT|PIN)(_|$)"
)
_PASSWORD_NAME = re.compile(r"PASSWORD|PASSWD|(^|_)(PWD|PASS|PW)(_|$)")
_MEASURE_NAME = re.compile(
    r"(^|_)(EXPIRES?|EXPIRY|EXPIRATION|TTL|SECONDS|MINUTES|HOURS|DAYS|LENGTH|LIFETIME|ALGORITHM|TYPE|PREFIX|HEADER"
    r"|ROUNDS|COUNT|MAX|MIN|RATE|LIMIT|INTERVAL|TIMEOUT|SIZE)(_|$)"
)
"""A name such as ACCESS_TOKEN_EXPIRE_MINUTES speaks of a secret and holds none."""
_MEASURE = re.compile(r"\d{1,7}|\d{1,7}/[a-z]{1,7}|[A-Za-z]{1,12}|[A-Z]{2}\d{3}")
_SWITCH = re.compile(r"true|false|yes|no|on|off|[01]", re.IGNORECASE)
_REPORTING = re.compile(r"SENTRY|ROLLBAR|BUGSNAG|HONEYBADGER|DATADOG|NEW_?RELIC|DSN")
_LOOKS_SECRET = re.compile(r"(?=\S*[A-Za-z])(?=\S*\d)[A-Za-z0-9_+/=-]{20,}|.*-----BEGIN .*", re.DOTALL)
_HOST_NAME = re.compile(r"(HOST|SERVER|HOSTNAME)$")
_REMOTE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\.?")
"""A name on the internet: a mail server named in a real file must get no mail from a laboratory."""
_UPSTREAM = re.compile(r"^(?P<name>[A-Z0-9_]+?)_?(URL|URI|ENDPOINT)$")
_OWN = re.compile(
    r"^(API|APP|BASE|SERVER|SERVICE|WEB|SITE|PUBLIC|EXTERNAL|ROOT|HOST|BACKEND|DOMAIN|OWN|SELF)$"
    r"|FRONT|ORIGIN|CORS|REDIRECT|CALLBACK|ISSUER|AUDIENCE|STATIC|MEDIA|CDN|DOCS|LOGO|SUPPORT|TERMS|SWAGGER|LOGIN|LOGOUT"
)
"""Addresses at which others find the service, or that it merely prints."""

_BRACES = re.compile(r"\{[A-Za-z][\w.-]*\}")
_NOT_HTTP = re.compile(
    r"DATABASE|POSTGRES|SQL|REDIS|CACHE|BROKER|CELERY|RABBIT|AMQP|MONGO|KAFKA|NATS|SMTP|MAIL|LDAP|OTEL|OTLP|JAEGER"
    r"|ZIPKIN|(^|_)(DB|PG|S3)(_|$)"
)


class LabEnvironment(Record):
    """Variables with their values, remote services that are stood in for, and names without any value."""

    values: dict[str, str] = {}
    upstreams: dict[str, UpstreamSettings] = {}
    open: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Whose values hold {words} in braces, which would be read as placeholders."""


def lab_environment(known: Environment) -> LabEnvironment:
    """Everything that an example file or the code names, made harmless."""
    values: dict[str, str] = {}
    upstreams: dict[str, UpstreamSettings] = {}
    unknown: list[str] = []
    left_out: list[str] = []
    for variable in known.variables:
        name = _upstream_name(variable)
        if name and name in upstreams:
            continue
        if name:
            path = urlsplit(variable.value).path.rstrip("/")
            upstreams[name] = UpstreamSettings(env=variable.name, path=path)
            continue
        if _BRACES.search(variable.value):
            left_out.append(variable.name)
            continue
        value = _value(variable, is_example=known.is_example)
        if value is not None:
            values[variable.name] = value
        elif variable.is_declared:
            unknown.append(variable.name)
    return LabEnvironment(values=values, upstreams=upstreams, open=tuple(unknown), left_out=tuple(left_out))


def _value(variable: Variable, *, is_example: bool) -> str | None:
    """None where nothing is known, or where the owner left it empty."""
    name, value = variable.name.upper(), variable.value
    if not value and not variable.is_declared:
        return None
    template = _template(name, value)
    if template or variable.is_default:
        # Whatever else has a default in the code, the code is best left alone with.
        return template or None
    if _REPORTING.search(name) and (_is_url(value) or not value):
        return ""
    if _is_secret(name, value):
        return LAB_PASSWORD if _PASSWORD_NAME.search(name) else LAB_SECRET
    if not is_example and _LOOKS_SECRET.fullmatch(value):
        return LAB_SECRET
    if not is_example and _HOST_NAME.search(name) and _REMOTE.fullmatch(value):
        return "127.0.0.1"
    return _without_credentials(value) or None


def _template(name: str, value: str) -> str:
    """The placeholder for a variable that names a dependency, "" for any other."""
    scheme, separator, _ = value.partition("://")
    scheme = scheme.lower()
    if separator and scheme.partition("+")[0] in _DATABASE_SCHEMES:
        return "{database.url}" if scheme in ("postgresql", "postgres") else f"{scheme}://{_LOCATION}"
    if not value and re.search(r"(DATABASE|POSTGRES|DB)_?(URL|URI|DSN)$", name):
        return "{database.url}"
    is_redis = not separator and re.search(r"REDIS_?(URL|URI|DSN)$", name)
    if (scheme in ("redis", "rediss") and separator) or is_redis:
        return "{redis.url}"
    redis_part = _REDIS_PART.match(name)
    if redis_part:
        return "{redis.port}" if redis_part["part"] == "PORT" else "{redis.host}"
    return next((f"{{database.{part}}}" for part, pattern in _DATABASE_PARTS if pattern.match(name)), "")


def _is_secret(name: str, value: str) -> bool:
    if not _SECRET_NAME.search(name) or _SWITCH.fullmatch(value):
        return False
    return not (_MEASURE_NAME.search(name) and _MEASURE.fullmatch(value))


def _is_url(value: str) -> bool:
    return value.startswith(("http://", "https://"))


def _upstream_name(variable: Variable) -> str:
    """What to call the remote service that a variable gives the address of, "" where it is none."""
    matched = _UPSTREAM.match(variable.name.upper())
    is_address = _is_url(variable.value) or (variable.is_declared and not variable.value)
    if not matched or not is_address or "," in variable.value:
        return ""
    name = matched["name"]
    if _OWN.search(name) or _REPORTING.search(name) or _NOT_HTTP.search(name):
        return ""
    return name.removesuffix("_BASE").lower()


def _without_credentials(value: str) -> str:
    """The value, its user and password taken out where it is an address that carries them."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return value
    if not parts.scheme or "@" not in parts.netloc:
        return value
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
