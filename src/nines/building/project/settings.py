"""What a service is told at its start: the names that the dossier promises, each once and typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nines.building.names import package
from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, Secret, console, telling
from nines.model.record import Record

ELSEWHERE = ("oauth2-jwt", "oidc", "mtls")
"""Schemes whose tokens or certificates come from an issuer for whom a local one can stand in."""
SIGNING_IN = console.SIGNING_IN
"""Schemes whose people sign in here."""
SEED = "LOCAL_ISSUER_SEED"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NOBODY = "127.0.0.1:9"
"""An address at which nobody listens."""
_SCHEMES = {
    DependencyKind.REDIS: "redis",
    DependencyKind.GRPC: "grpc",
    DependencyKind.KAFKA: "kafka",
    DependencyKind.NATS: "nats",
    DependencyKind.RABBITMQ: "amqp",
    DependencyKind.SMTP: "smtp",
}
_KNOWN = {"SUBSCRIBER_SECRETS": "{}"}
"""Secrets that are no keys, with what stands for them on a laptop: nobody."""
_STAND_IN = "log://events"
"""On a laptop events end in the log; Redis counts requests as well, and is then nobody."""
_DRAIN_S = 10
_SAYS_MAX = 100


class Setting(Record):
    name: str
    """Of the variable."""
    type: str
    says: str
    default: str = ""
    """As Python writes it; empty: it must be told."""
    local: str = ""
    """What stands for it on a laptop."""

    @property
    def field(self) -> str:
        return self.name.lower()


def settings(design: Design) -> tuple[Setting, ...]:
    """Each name once, in the order in which a reader asks."""
    found: dict[str, Setting] = {}
    asked = (_addresses, _certificates, _provider, _secrets, _origins)
    for each in (*(setting for part in asked for setting in part(design)), *_tuning(), *_listening(design)):
        found.setdefault(each.name, each)
    return tuple(found.values())


def made_up(design: Design) -> tuple[str, ...]:
    """Secrets that a laptop makes for itself."""
    keys = (each for each in design.secrets if _is_held(each) and not each.is_assumed)
    own = tuple(each.name for each in keys if each.name not in _KNOWN)
    return (*own, SEED) if is_issued_elsewhere(design) else own


def is_issued_elsewhere(design: Design) -> bool:
    return design.auth is not None and design.auth.scheme in ELSEWHERE


def has_console(design: Design) -> bool:
    """Whether an operator makes accounts by `people`: where people sign in here, and what they need can be said."""
    return console.needed(design) is not None


def has_keys(design: Design) -> bool:
    """Whether machines show keys, which an operator makes by `keys`."""
    return design.auth is not None and design.auth.scheme == "api-key"


def variable_of_issuer(design: Design) -> str:
    """Empty: the blueprint names the issuer itself."""
    return next(iter(_VARIABLE.findall(design.auth.issuer)), "") if design.auth else ""


def database(design: Design) -> str:
    """The variable with the address of the database; "" without one."""
    found = next((each for each in design.dependencies if each.kind is DependencyKind.POSTGRES), None)
    return variables(found)[0] if found else ""


def variables(dependency: Dependency) -> tuple[str, ...]:
    """The settings that tell where it is."""
    return tuple(_VARIABLE.findall(dependency.url)) or (f"{_upper(dependency.name)}_URL",)


def nobody(dependency: Dependency) -> tuple[tuple[str, str], ...]:
    """Its settings with an address at which nobody listens."""
    scheme = _SCHEMES.get(dependency.kind, "http")
    return tuple((name, f"{scheme}://{_NOBODY}") for name in variables(dependency))


def stands_in(design: Design) -> bool:
    """Whether the log can take the place of the broker: where nothing but events needs it."""
    carrier = telling.broker(design)
    is_served = carrier is not None and carrier.kind in telling.SERVED - {DependencyKind.REDIS}
    return is_served and _has_outbox(design)


def _has_outbox(design: Design) -> bool:
    return any(query.base == "insert-outbox-event" for query in design.queries)


def text(design: Design) -> str:
    """`_generated/settings.py`."""
    every = settings(design)
    required = [each for each in every if not each.default]
    optional = [each for each in every if each.default]
    named = {name for each in every for name in re.findall(r"\b(?:Duration|Hidden|Url)\b", each.type)}
    types = [*sorted(named), "laptop"]
    lines = [
        f'"""What {design.name} is told at its start.',
        "",
        "Each is the variable of its name in capitals, or the content of the file that the same name with _FILE names.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "import os",
        "from collections.abc import Iterator, Mapping",
        "from contextlib import contextmanager",
        "from pathlib import Path",
        "",
        "import msgspec",
        f"from nines_runtime import {', '.join(types)}",
        "",
        'FOLDER = Path(".local")',
        '"""Of a laptop\'s database and keys."""',
    ]
    lines += _constants(design, every)
    lines += _surroundings(design)
    ordered = (*required, *optional)
    base = "msgspec.Struct"
    if is_issued_elsewhere(design):
        told = (each.name for part in (_certificates, _provider, _origins) for each in part(design))
        issuing = {variable_of_issuer(design), SEED, "ENVIRONMENT", *told}
        mine = [each for each in ordered if each.name in issuing]
        noun = "certificates" if design.auth and design.auth.scheme == "mtls" else "tokens"
        lines += _struct("IssuerSettings", base, f"What leads to the issuer of {noun}.", mine)
        base, ordered = "IssuerSettings", tuple(each for each in ordered if each not in mine)
    lines += _struct("GeneratedSettings", base, "The owner adds to them in settings.py.", ordered)
    return "\n".join(lines) + "\n"


def _struct(name: str, base: str, says: str, fields: Iterable[Setting]) -> Iterator[str]:
    yield from ("", f"class {name}({base}, frozen=True, kw_only=True):", f'    """{says}"""', "")
    for each in fields:
        yield f"    {each.field}: {each.type}{f' = {each.default}' if each.default else ''}"
        yield f'    """{each.says}"""'
    if name == "IssuerSettings":
        yield ""


def _constants(design: Design, every: tuple[Setting, ...]) -> Iterator[str]:
    names = made_up(design)
    yield f"MADE_UP = ({', '.join(_quoted(name) for name in names)}{',' if len(names) == 1 else ''})"
    yield '"""Secrets that a laptop makes for itself, once; nowhere else."""'
    local = [each for each in every if each.local]
    if not local:
        yield "LOCAL: dict[str, str] = {}"
    elif len(local) == 1:
        yield f"LOCAL = {{{_quoted(local[0].name)}: {_quoted(local[0].local)}}}"
    else:
        yield "LOCAL = {"
        yield from (f"    {_quoted(each.name)}: {_quoted(each.local)}," for each in local)
        yield "}"
    events = "; events end in the log" if stands_in(design) else ""
    yield f'"""What stands for the others on a laptop: nobody listens there{events}."""'
    yield ""


def _surroundings(design: Design) -> Iterator[str]:
    yield from f"""
@contextmanager
def surroundings() -> Iterator[Mapping[str, str]]:
    \"\"\"The environment; with ENVIRONMENT=local also a database of its own, and whatever was not told.\"\"\"
    with laptop(os.environ, folder=FOLDER, secrets=MADE_UP, database="{database(design)}") as environment:
        yield {{**LOCAL, **environment}} if environment.get("ENVIRONMENT") == "local" else environment
""".splitlines()
    yield ""


def _addresses(design: Design) -> Iterator[Setting]:
    carrier = telling.broker(design)
    heard = {each.receives.dependency for each in design.jobs if each.receives}
    for dependency in design.dependencies:
        for name, address in nobody(dependency):
            local = "" if dependency.kind is DependencyKind.POSTGRES else address
            is_heard = dependency.name in heard and dependency.kind in telling.SERVED - {DependencyKind.REDIS}
            if (dependency == carrier and stands_in(design)) or is_heard:
                local = _STAND_IN
            yield Setting(name=name, type="Url", says=f"Where {dependency.name} is.", local=local)
    told = {carrier.name} if carrier and carrier.kind in telling.SERVED and _has_outbox(design) else set()
    for broker in (each for each in design.dependencies if each.name in told | heard):
        says = f"A file with the authorities that the certificate of {broker.name} is checked by; empty: the system's."
        yield Setting(name=f"{_upper(broker.name)}_CA", type="str", says=says, default='""')
    for name in _VARIABLE.findall(design.auth.issuer) if design.auth else ():
        yield Setting(name=name, type="Url", says="Who issues the tokens.", local="https://issuer.invalid")


def _certificates(design: Design) -> Iterator[Setting]:
    """Told to a service behind a balancer that asks for certificates."""
    if design.auth is None or design.auth.scheme != "mtls":
        return
    says = "Who may call: names of certificates, with their roles, as JSON."
    yield Setting(name="CLIENTS", type="str", says=says, local="{}")
    says = "Networks of the balancers whose word on certificates counts, with commas between."
    yield Setting(name="BALANCERS", type="str", says=says, local="127.0.0.0/8,::1")
    says = "In which header they tell of a certificate: client-cert, ssl-client-cert, x-forwarded-client-cert."
    yield Setting(name="CERTIFICATE_HEADER", type="str", says=says, default='"client-cert"')
    says = "Who has signed the certificates (PEM), to verify it here once more; empty: the balancer does."
    yield Setting(name="CLIENT_AUTHORITY", type="str", says=says, default='""')


def _secrets(design: Design) -> Iterator[Setting]:
    for secret in design.secrets:
        if not _is_held(secret):
            continue
        says = _short(secret.says[:1].upper() + secret.says[1:])
        if secret.is_assumed:
            # Part of an address, or not asked for at all.
            yield Setting(name=secret.name, type="Hidden | None", says=says, default="None")
        else:
            yield Setting(name=secret.name, type="Hidden", says=says, local=_KNOWN.get(secret.name, ""))
    if is_issued_elsewhere(design):
        says = "Stands in for the issuer on laptops and in laboratories; refused in production."
        yield Setting(name=SEED, type="Hidden | None", says=says, default="None")


def has_sign_ins(design: Design) -> bool:
    """Whether people sign in at a provider, and have a session here."""
    return design.auth is not None and design.auth.scheme == "oidc"


def _provider(design: Design) -> Iterator[Setting]:
    """Told to a service whose people sign in at a provider with their browser."""
    if not has_sign_ins(design):
        return
    says = "What the provider calls this service; empty: no browser signs in."
    yield Setting(name="OIDC_CLIENT_ID", type="str", says=says, default='""')
    says = "What the provider knows it by; without one by PKCE alone."
    yield Setting(name="OIDC_CLIENT_SECRET", type="Hidden | None", says=says, default="None")
    says = "What is asked of the provider about people, with spaces between."
    yield Setting(name="OIDC_SCOPES", type="str", says=says, default='"openid"')
    says = "Where browsers find this service: https://tickets.example."
    yield Setting(name="PUBLIC_URL", type="str", says=says, default='""')


def _origins(design: Design) -> Iterator[Setting]:
    """Told to a service whose cookies pages of its own origin show."""
    if design.auth is not None and design.auth.scheme in ("session", "oidc"):
        says = "Pages elsewhere that may ask with a cookie, with commas between: https://app.example."
        yield Setting(name="ORIGINS", type="str", says=says, default='""')


def _tuning() -> Iterator[Setting]:
    yield Setting(
        name="ENVIRONMENT", type="str", says="local, laboratory, or any other for production.", default='"production"'
    )
    yield Setting(
        name="DRAIN_S", type="Duration", says="How long what is in flight may take at the end.",
        default=f"Duration({_DRAIN_S})",
    )  # fmt: skip
    yield Setting(
        name="LIMIT_FACTOR", type="float", default="1.0",
        says="Multiplies every rate limit: one caller of a laboratory does the work of many.",
    )  # fmt: skip
    yield Setting(name="PROXIES_TRUSTED", type="int", says="Proxies before it whose word on addresses counts.",
                  default="0")  # fmt: skip
    yield Setting(name="LOG_LEVEL", type="str", says="debug, info, warning, error.", default='"info"')
    yield Setting(name="TRACES_URL", type="Url | None", default="None",
                  says="Where spans go, by OTLP over HTTP; nowhere if unset.")  # fmt: skip
    yield Setting(name="TRACES_SHARE", type="float", says="Of all traces, where the collector does not choose.",
                  default="1.0")  # fmt: skip


def _listening(design: Design) -> Iterator[Setting]:
    if design.protocol is not None:
        says = "Where other services ask it over gRPC."
        yield Setting(name="GRPC_HOST", type="str", says=says, default='"127.0.0.1"')
        yield Setting(name="GRPC_PORT", type="int", says="0: any that is free, as the log tells.", default="50_051")


def _short(text: str) -> str:
    """Its first clause that a line holds."""
    for mark in (": ", "; ", ", ", " of "):
        if len(text) <= _SAYS_MAX:
            break
        text = text.partition(mark)[0]
    return f"{text.rstrip('.')}."


def _is_held(secret: Secret) -> bool:
    """Whether a process that answers requests has it."""
    return "never in the service" not in secret.held_in and "_MIGRATION_" not in f"_{secret.name}_"


def own(design: Design) -> str:
    """`settings.py`: the owner's."""
    name = package(design)
    return f'''"""Yours: what your own code is told at its start, beside what the blueprint asks for."""

from __future__ import annotations

from {name}._generated.settings import GeneratedSettings


class Settings(GeneratedSettings, frozen=True, kw_only=True):
    """A field that you add is read from the variable of its name in capitals."""
'''


def _quoted(text: str) -> str:
    return f'"{text}"'


def _upper(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
