"""The environment that a service gets in the laboratory: dependencies are the laboratory's, secrets are made up.

What stands in a file of the project may be real. No credential leaves it, and no remote service is called from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from nines.lab.launch.templates import literal
from nines.model.record import Record
from nines.model.settings import Identity, UpstreamSettings
from nines.readers.environment import Environment, Variable
from nines.verbs.surroundings import scheme_for

LAB_PASSWORD = "Nines-lab-7391"  # noqa: S105 - for databases that are thrown away.
"""For identities that nines registers itself, in databases that it throws away."""
LAB_SECRET = "nines-lab-secret-not-for-production-0123456789abcdef"  # noqa: S105 - idem.
_DATABASE_SCHEMES = {"postgresql", "postgres", "postgis"}
_LOCATION = "{database.user}:{database.password}@{database.host}:{database.port}/{database.name}"
_DATABASE = r"(^|_)(POSTGRES|POSTGRESQL|PGSQL|PG|DB|DATABASE|SQL)_?"
_DATABASE_PARTS = (
    ("host", re.compile(_DATABASE + r"(SERVER|HOST|HOSTNAME|ADDRESS|ADDR)$")),
    ("port", re.compile(_DATABASE + r"PORT$")),
    ("user", re.compile(_DATABASE + r"(USER|USERNAME)$")),
    ("password", re.compile(_DATABASE + r"(PASSWORD|PASS|PASSWD)$")),
    ("name", re.compile(_DATABASE + r"(DB|NAME|DATABASE)$")),
)
_DATABASE_ADDRESS = re.compile(r"(DATABASE|POSTGRES|POSTGRESQL|DB)_?(URL|URI|DSN)$")
_OTHER_DATABASE = re.compile(
    r"MONGO|MYSQL|MARIA|MSSQL|ORACLE|CLICKHOUSE|NEO4J|ELASTIC|INFLUX|CASSANDRA|DYNAMO|REDIS|DUCK|RABBIT|TIMESERIES"
)
_REDIS_PART = re.compile(r"(^|_)REDIS_?((CACHE|QUEUE|BROKER|RATE_?LIMIT\w*?)_)?(?P<part>HOST|HOSTNAME|SERVER|PORT)$")
_MAIL = r"(^|_)(SMTP|E?MAILS?)_"
_MAIL_PARTS = (
    ("host", re.compile(_MAIL + r"(SERVER_)?(HOST|HOSTNAME|SERVER)$")),
    ("port", re.compile(_MAIL + r"(SERVER_|HOST_)?PORT$")),
)
_MAIL_CIPHER = re.compile(_MAIL + r"(USE_|SSL_|START_?|ENABLE_|VALIDATE_)*(TLS|SSL|STARTTLS|CERTS?)(_ENABLED)?$")
"""The laboratory's post is on loopback and speaks no TLS."""
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
    r"|FRONT|BASE_BACKEND|ORIGIN|CORS|REDIRECT|CALLBACK|ISSUER|AUDIENCE|STATIC|MEDIA|CDN|DOCS|LOGO|SUPPORT|TERMS|SWAGGER|LOGIN|LOGOUT"
)
"""Addresses at which others find the service, or that it merely prints."""

_DEBUG = re.compile(r"(^|_)DEBUG(_MODE)?$")
_OFF = {"true": "false", "yes": "no", "on": "off", "1": "0", "t": "f", "y": "n"}
_ALLOWED_HOSTS = re.compile(r"(^|_)(ALLOWED|TRUSTED)_HOSTS$")
_LOOPBACK = "127.0.0.1"
_GRPC_PORT = re.compile(r"(^|_)GRPC_(SERVER_|LISTEN_)?PORT$")
_ANY_ADDRESS = ("0.0.0.0", "127.0.0.1", "localhost", "::")  # noqa: S104 - it is looked for, not bound.
_ADMIN = re.compile(r"^(?P<who>.*(SUPERUSER|SUPER_USER|ADMIN)\w*?)(_(?P<what>EMAIL|MAIL|USERNAME|USER|LOGIN|NAME))?$")
_LOGIN_PARTS = ("USERNAME", "LOGIN", "USER", None, "EMAIL", "MAIL", "NAME")
"""By what somebody signs in, the likeliest first; None is the bare name, such as FIRST_SUPERUSER."""
_NOT_HTTP = re.compile(
    r"DATABASE|POSTGRES|SQL|REDIS|CACHE|BROKER|CELERY|RABBIT|AMQP|MONGO|KAFKA|NATS|SMTP|MAIL|LDAP|OTEL|OTLP|JAEGER"
    r"|ZIPKIN|(^|_)(DB|PG|S3)(_|$)"
)


class LabEnvironment(Record):
    """Variables with their values, remote services that are stood in for, and names without any value."""

    values: dict[str, str] = {}
    upstreams: dict[str, UpstreamSettings] = {}
    open: tuple[str, ...] = ()
    debug: tuple[str, ...] = ()
    """Switches for debugging that were turned off, as in production."""


def lab_environment(known: Environment, drivers: frozenset[str] = frozenset()) -> LabEnvironment:
    """Everything that an example file or the code names, made harmless. `drivers` are those of PostgreSQL."""
    values: dict[str, str] = {}
    upstreams: dict[str, UpstreamSettings] = {}
    unknown: list[str] = []
    debug: list[str] = []
    for variable in known.variables:
        name = _upstream_name(variable)
        if name:
            if name not in upstreams:
                path = urlsplit(variable.value).path.rstrip("/")
                upstreams[name] = UpstreamSettings(env=variable.name, path=path)
            continue
        if _MAIL_CIPHER.search(_plain_name(variable.name)) and variable.value.lower() in (*_OFF, *_OFF.values()):
            values[variable.name] = _switched_off(variable.value)
            continue
        if _DEBUG.search(variable.name.upper()) and variable.value.lower() in _OFF:
            values[variable.name] = _switched_off(variable.value)
            debug.append(variable.name)
            continue
        value = _value(variable, drivers, is_example=known.is_example)
        if value is not None:
            values[variable.name] = value
        elif variable.is_declared:
            unknown.append(variable.name)
    values = {**_default_administrator(known), **values}
    return LabEnvironment(values=values, upstreams=upstreams, open=tuple(unknown), debug=tuple(debug))


def administrator(env: Mapping[str, str]) -> Identity | None:
    """Whom the service itself creates at its start, where variables such as ADMIN_EMAIL and ADMIN_PASSWORD say so."""
    upper = {name.upper(): value for name, value in env.items()}
    found: dict[str, dict[str | None, str]] = {}
    for name, value in upper.items():
        matched = _ADMIN.match(name)
        if matched and value and f"{matched['who']}_PASSWORD" in upper and not name.endswith("_PASSWORD"):
            found.setdefault(matched["who"], {})[matched["what"]] = value
    for who, parts in found.items():
        username = next(parts[part] for part in _LOGIN_PARTS if part in parts)
        mail = parts.get("EMAIL") or parts.get("MAIL")
        values = {"email": mail} if mail else {}
        password = upper[f"{who}_PASSWORD"]
        return Identity(
            name="admin", username=username, password=password, values=values, register=False, is_admin=True
        )
    return None


def _default_administrator(known: Environment) -> dict[str, str]:
    """The one whom the code's own defaults create, with a password of the laboratory instead of the code's."""
    defaults = {variable.name: variable.value for variable in known.variables if variable.is_default}
    if administrator(defaults) is None:
        return {}
    told = {name: literal(value) for name, value in defaults.items() if _ADMIN.match(name.upper())}
    return {name: LAB_PASSWORD if name.upper().endswith("_PASSWORD") else value for name, value in told.items()}


def _value(variable: Variable, drivers: frozenset[str], *, is_example: bool) -> str | None:
    """None where nothing is known, or where the owner left it empty."""
    name, value = _plain_name(variable.name), variable.value
    template = _template(name, value, drivers, is_declared=variable.is_declared)
    if template or variable.is_default or (not value and not variable.is_declared):
        # Whatever else has a default in the code, the code is best left alone with.
        return template or None
    if _REPORTING.search(name) and (_is_url(value) or not value):
        return ""
    if _is_secret(name, value):
        return LAB_PASSWORD if _PASSWORD_NAME.search(name) else LAB_SECRET
    if not is_example and _LOOKS_SECRET.fullmatch(value):
        return LAB_SECRET
    if not is_example and _HOST_NAME.search(name) and _REMOTE.fullmatch(value):
        return _LOOPBACK
    if value and _ALLOWED_HOSTS.search(name):
        value = _with_loopback(value)
    return literal(_without_credentials(value)) or None


def _plain_name(name: str) -> str:
    """In upper case, the delimiter of nested settings as a plain underscore."""
    return re.sub(r"_{2,}", "_", name.upper())


def _template(name: str, value: str, drivers: frozenset[str], *, is_declared: bool) -> str:
    """The placeholder for a variable that names a dependency or the service's own address, "" for any other."""
    if name == "PORT" and value.isdecimal():
        return "{port}"
    if _GRPC_PORT.search(name) and value.isdecimal():
        return "{grpc.port}"
    if name == "HOST" and value in _ANY_ADDRESS:
        return "{host}"
    scheme, separator, rest = value.partition("://")
    if separator and not rest:
        # Only the beginning of an address, to which the code adds the rest.
        return ""
    if scheme.lower() in ("smtp", "smtps", "smtp+tls", "smtp+ssl") and separator:
        return "{mail.url}"
    if value:
        # Where the address is empty, letters are switched off.
        post = next((f"{{mail.{part}}}" for part, pattern in _MAIL_PARTS if pattern.search(name)), "")
        if post:
            return post
    if not (value or is_declared or drivers):
        return ""
    found = _database(name, value, drivers, is_declared=is_declared)
    return found or (_redis(name, scheme.lower() if separator else "") if value or is_declared else "")


def _database(name: str, value: str, drivers: frozenset[str], *, is_declared: bool) -> str:
    scheme, separator, _ = value.partition("://")
    scheme = scheme.lower() if separator else ""
    if scheme.partition("+")[0] in _DATABASE_SCHEMES:
        return _address(scheme)
    if _OTHER_DATABASE.search(name):
        return ""
    if _DATABASE_ADDRESS.search(name) and (not value or scheme.partition("+")[0] == "sqlite"):
        # What the code can do without, or replaces by a file, is PostgreSQL's where a driver is at hand.
        return _address(scheme_for(drivers, scheme) or ("postgresql" if is_declared and not value else ""))
    return next((f"{{database.{part}}}" for part, pattern in _DATABASE_PARTS if pattern.search(name)), "")


def _address(scheme: str) -> str:
    if scheme in ("postgresql", "postgres"):
        return "{database.url}"
    return f"{scheme}://{_LOCATION}" if scheme else ""


def _redis(name: str, scheme: str) -> str:
    is_named = not scheme and re.search(r"REDIS_?(URL|URI|DSN)$", name)
    if scheme in ("redis", "rediss") or is_named:
        return "{redis.url}"
    part = _REDIS_PART.search(name)
    return "" if part is None else "{redis.port}" if part["part"] == "PORT" else "{redis.host}"


def _switched_off(value: str) -> str:
    off = _OFF.get(value.lower(), value)
    return off.upper() if value.isupper() else off.capitalize() if value[:1].isupper() else off


def _with_loopback(hosts: str) -> str:
    """A list of the hosts under which a service answers, with that of the laboratory."""
    if "*" in hosts or _LOOPBACK in hosts:
        return hosts
    if hosts.startswith("["):
        return hosts.replace("[", f'["{_LOOPBACK}", ' if hosts.strip("[] ") else f'["{_LOOPBACK}"', 1)
    return f"{hosts},{_LOOPBACK}" if "," in hosts or " " not in hosts else f"{hosts} {_LOOPBACK}"


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
