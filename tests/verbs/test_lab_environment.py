"""Variables in the laboratory: dependencies are the laboratory's, secrets are made up, nothing remote is called."""

from __future__ import annotations

import pytest

from nines.readers.environment import Environment, Variable
from nines.verbs.lab_environment import LAB_PASSWORD, LAB_SECRET, LabEnvironment, administrator, lab_environment


def made(*variables: Variable, is_example: bool = True) -> LabEnvironment:
    return lab_environment(Environment(variables=variables, file=".env", is_example=is_example))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "postgres://u:p@db/x", "{database.url}"),
        ("DB_URL", "postgresql+psycopg2://u:p@db/x", None),
        ("PGHOST", "db.internal", "{database.host}"),
        ("POSTGRES_PASSWORD", "x", "{database.password}"),
        ("REDIS_URL", "rediss://:p@cache", "{redis.url}"),
        ("CELERY_BROKER_URL", "redis://cache/1", "{redis.url}"),
        ("REDIS_HOST", "cache", "{redis.host}"),
        ("REDIS_PORT", "6379", "{redis.port}"),
        ("API_KEY_RATE_LIMIT", "60/minute", "60/minute"),
        ("SECRET_KEY", "abc", LAB_SECRET),
        ("ADMIN_PASSWORD", "abc", LAB_PASSWORD),
        ("JWT_ALGORITHM", "HS256", "HS256"),
        ("TOKEN_EXPIRE_MINUTES", "30", "30"),
        ("PASSWORD_MIN_LENGTH", "12", "12"),
        ("SECRET_PIN", "1234", LAB_SECRET),
        ("USE_API_KEYS", "true", "true"),
        ("SENTRY_DSN", "https://k@sentry.io/1", ""),
        ("BROKER", "amqp://u:p@mq:5672/", "amqp://mq:5672/"),
        ("LOG_LEVEL", "debug", "debug"),
        ("EMPTY", "", None),
    ],
)
def test_values(name: str, value: str, expected: str | None) -> None:
    found = made(Variable(name=name, value=value)).values.get(name)
    if name == "DB_URL":
        assert found is not None
        assert found.startswith("postgresql+psycopg2://{database.user}:{database.password}@")
        assert "u:p" not in found
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("PAYMENTS_URL", "payments"),
        ("STRIPE_API_BASE_URL", "stripe_api"),
        ("GEO_ENDPOINT", "geo"),
        ("FRONTEND_URL", ""),
        ("BASE_URL", ""),
        ("OAUTH_REDIRECT_URI", ""),
        ("DATABASE_URL", ""),
        ("OTEL_ENDPOINT", ""),
    ],
)
def test_what_is_a_remote_service(name: str, called: str) -> None:
    with_address = made(Variable(name=name, value="https://x.example/v1/"))
    asked_for = made(Variable(name=name, is_declared=True))
    assert list(with_address.upstreams) == list(asked_for.upstreams) == ([called] if called else [])
    if called:
        assert with_address.upstreams[called].path == "/v1"
        assert with_address.upstreams[called].env == name


def test_defaults_of_the_code_are_left_to_the_code_but_for_dependencies() -> None:
    found = made(
        Variable(name="PAGE_SIZE", value="20", is_default=True),
        Variable(name="POSTGRES_DSN", value="postgresql://localhost/x", is_default=True),
        Variable(name="RATES_URL", value="http://localhost:9000", is_default=True),
    )
    assert found.values == {"POSTGRES_DSN": "{database.url}"}
    assert list(found.upstreams) == ["rates"]


def test_what_the_code_asks_for_and_nobody_knows_is_open() -> None:
    assert made(Variable(name="REGION", is_declared=True)).open == ("REGION",)


def test_a_real_file_lends_no_host_on_the_internet() -> None:
    variables = (Variable(name="LDAP_HOST", value="ldap.example.com"), Variable(name="BIND_HOST", value="localhost"))
    assert made(*variables, is_example=False).values == {"LDAP_HOST": "127.0.0.1", "BIND_HOST": "localhost"}
    assert made(*variables).values["LDAP_HOST"] == "ldap.example.com"


def test_words_in_braces_are_written_so_that_they_are_no_placeholders() -> None:
    found = made(Variable(name="LOG_FORMAT", value="{level} {message}"), Variable(name="JSON", value='{"a": 1}'))
    assert found.values == {"LOG_FORMAT": "{{level}} {{message}}", "JSON": '{"a": 1}'}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE__HOSTNAME", "db", "{database.host}"),
        ("DB_ADDRESS", "localhost", "{database.host}"),
        ("SHOP_DATABASE_PORT", "5433", "{database.port}"),
        ("POSTGRES_ASYNC_PREFIX", "postgresql+asyncpg://", "postgresql+asyncpg://"),
        ("MONGO_DB_NAME", "shop", "shop"),
        ("MYSQL_DB_HOST", "db", "db"),
        ("REDIS_CACHE_HOST", "cache", "{redis.host}"),
        ("SMTP_HOST", "smtp.example.com", "{mail.host}"),
        ("MAIL_SERVER", "localhost", "{mail.host}"),
        ("EMAILS__SMTP_PORT", "587", "{mail.port}"),
        ("EMAIL_HOST_PORT", "587", "{mail.port}"),
        ("MAIL_STARTTLS", "True", "False"),
        ("SMTP_TLS", "False", "False"),
        ("EMAIL_USE_SSL", "1", "0"),
        ("MAILER_URL", "smtp://localhost:1025", "{mail.url}"),
        ("EMAIL_ADDRESS", "ops@example.com", "ops@example.com"),
        ("MAIL_HOSTS_ALLOWED", "example.com", "example.com"),
        ("DEBUG", "True", "False"),
        ("APP__DEBUG", "1", "0"),
        ("FLASK_DEBUG", "off", "off"),
        ("DEBUG_LEVEL", "1", "1"),
        ("PORT", "8000", "{port}"),
        ("APP_GRPC_PORT", "50051", "{grpc.port}"),
        ("HOST", "0.0.0.0", "{host}"),
        ("HOST", "shop.example.com", "shop.example.com"),
        ("ALLOWED_HOSTS", "shop.example.com", "shop.example.com,127.0.0.1"),
        ("ALLOWED_HOSTS", '["a"]', '["127.0.0.1", "a"]'),
        ("ALLOWED_HOSTS", "[]", '["127.0.0.1"]'),
        ("ALLOWED_HOSTS", "a b", "a b 127.0.0.1"),
        ("ALLOWED_HOSTS", "*", "*"),
    ],
)
def test_names_and_values_that_mislead(name: str, value: str, expected: str) -> None:
    assert made(Variable(name=name, value=value)).values[name] == expected


@pytest.mark.parametrize(
    ("drivers", "value", "expected"),
    [
        (set(), "", None),
        ({"psycopg2"}, "", "{database.url}"),
        ({"psycopg2", "sqlalchemy", "asyncpg"}, "", "{database.url}"),
        ({"psycopg"}, "", "{database.url}"),
        ({"psycopg", "sqlalchemy"}, "", "postgresql+psycopg://"),
        ({"asyncpg", "psycopg2", "sqlalchemy"}, "sqlite+aiosqlite:///x.db", "postgresql+asyncpg://"),
        ({"psycopg2", "sqlalchemy"}, "sqlite+aiosqlite:///x.db", None),
        ({"psycopg2"}, "sqlite:///x.db", "{database.url}"),
    ],
)
def test_a_database_that_the_code_can_do_without(drivers: set[str], value: str, expected: str | None) -> None:
    variable = Variable(name="DATABASE_URL", value=value, is_default=bool(value))
    found = lab_environment(Environment(variables=(variable,)), frozenset(drivers)).values.get("DATABASE_URL")
    assert found == expected or (found is not None and expected is not None and found.startswith(expected))


def test_debugging_that_the_code_has_on_by_default_is_off_and_said() -> None:
    found = made(Variable(name="DEBUG", value="True", is_default=True))
    assert (found.values, found.debug) == ({"DEBUG": "False"}, ("DEBUG",))


def test_the_administrator_of_the_defaults_gets_a_password_of_the_laboratory() -> None:
    found = made(
        Variable(name="ADMIN_NAME", value="Boss", is_default=True),
        Variable(name="ADMIN_EMAIL", value="boss@example.com", is_default=True),
        Variable(name="ADMIN_USERNAME", value="boss", is_default=True),
        Variable(name="ADMIN_PASSWORD", value="changeme", is_default=True),
    )
    assert found.values["ADMIN_PASSWORD"] == LAB_PASSWORD
    admin = administrator(found.values)
    assert admin is not None
    assert (admin.username, admin.password, admin.values) == ("boss", LAB_PASSWORD, {"email": "boss@example.com"})
    assert (admin.is_admin, admin.register) == (True, False)


def test_no_administrator_without_a_password() -> None:
    assert administrator({"ADMIN_EMAIL": "boss@example.com", "ADMIN_URL": "/admin"}) is None
    assert administrator({"FIRST_SUPERUSER": "a@b.c", "FIRST_SUPERUSER_PASSWORD": "x"}) is not None
