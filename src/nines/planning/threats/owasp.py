"""The ten risks of the OWASP API Security Top 10 of 2023, each answered for this design."""

from __future__ import annotations

from collections.abc import Callable

from nines.model.blueprint import DependencyKind, FieldKind, GrantKind
from nines.model.design import Answer, Design, Threat
from nines.planning.threats import business, elements
from nines.planning.threats.drafting import OWASP, counted, ids, named, verb

Said = tuple[bool, str]
"""Whether the risk applies, and how it is met or why not."""


def answers(design: Design, threats: tuple[Threat, ...]) -> tuple[Answer, ...]:
    """All ten, in their order; the sentence tells what is peculiar to this design, the threats tell the rest."""
    found = []
    for (code, title), answer in zip(OWASP, _ANSWERS, strict=True):
        applies, says = answer(design)
        mine = [each for each in threats if each.owasp == code]
        still = [each.id for each in mine if each.is_open]
        left = f" Open: {', '.join(still)}." if still else ""
        found.append(
            Answer(code=code, title=title, applies=applies, says=says + left, threats=tuple(each.id for each in mine))
        )
    return tuple(found)


def _objects(design: Design) -> Said:
    bound = [e for e in design.endpoints if any(g.kind in (GrantKind.OWNER, GrantKind.TENANT) for g in e.grants)]
    by_id = [e for e in design.endpoints if "{" in e.path and not e.is_public]
    if design.is_recovered:
        return (
            bool(by_id),
            f"{counted(len(by_id), 'operation')} that ask for a credential take an identifier; whether each asks "
            "whose object it is must be tried.",
        )
    if not bound:
        return False, "No object belongs to one caller alone: what an operation may touch is decided by its role."
    tenant = f", with {design.tenancy.key} in every statement" if design.tenancy else ""
    return (
        True,
        f"{counted(len(bound), 'operation')} ask whose object it is in the statement itself{tenant}; what is not "
        "yours is answered with 404.",
    )


def _authentication(design: Design) -> Said:
    auth = design.auth
    unknown = [each for each in design.endpoints if not each.guards_known]
    public = [each for each in design.endpoints if each.is_public]
    if design.is_recovered:
        return (
            True,
            f"{counted(len(design.endpoints) - len(unknown) - len(public), 'operation')} ask for a credential, "
            f"{len(public):,} do not, and of {len(unknown):,} it was not understood.",
        )
    if auth is None or auth.scheme == "none":
        return True, "Nobody shows who they are: every operation is open to whoever reaches it."
    opened = f"; without a credential: {ids(public)}" if public else "; no operation is public"
    return True, f"{auth.scheme} ({', '.join(auth.algorithms)}) is asked for first{opened}."


def _properties(design: Design) -> Said:
    blueprint = design.blueprint
    if blueprint is None:
        return True, "Which members of a body are written to which column was not judged here."
    read_only = [f"{r.name}.{f.name}" for r in blueprint.resources for f in r.fields if f.is_read_only]
    write_only = [f"{r.name}.{f.name}" for r in blueprint.resources for f in r.fields if f.kind is FieldKind.PASSWORD]
    said = ["Requests have shapes of their own, and unknown members are refused with 422"]
    if read_only:
        said.append(f"{named(read_only)} cannot be written")
    if write_only:
        said.append(f"{named(write_only)} cannot be read")
    return (
        True,
        f"{'; '.join(said)}. Whoever may read an object reads all of its readable fields.",
    )


def _resources(design: Design) -> Said:
    bare = [each for each in design.endpoints if each.limit is None]
    most = max((each.page.max for each in design.endpoints if each.page), default=0)
    if design.is_recovered:
        return True, "Limits on rate, size and time were not all read; statements without a limit are in the review."
    said = [
        f"{counted(len(design.endpoints) - len(bare), 'operation')} of {len(design.endpoints):,} have a limit on "
        "their rate"
    ]
    if bare:
        said.append(f"{ids(bare)} have none")
    said.append("bodies are bounded")
    if most:
        said.append(f"a page holds at most {most:,}")
    return True, f"{'; '.join(said)}."


def _functions(design: Design) -> Said:
    restricted = [each for each in design.endpoints if each.roles]
    if design.is_recovered:
        return True, "Which role each operation asks for was not understood."
    if not restricted:
        return False, "There are no operations for some roles only."
    roles = dict.fromkeys(role for each in restricted for role in each.roles)
    return (
        True,
        f"{counted(len(restricted), 'operation')} name the roles that may call them ({named(roles)}); a role "
        "comes from the credential alone.",
    )


def _business(design: Design) -> Said:
    if design.is_recovered:
        return True, "Which flows would hurt when a script ran them was not understood."
    sensitive = [each for each in design.endpoints if business.is_sensitive(design, each)]
    if not sensitive:
        return False, "No operation moves money, sends messages, asks others or holds something scarce."
    said = business.quotas(sensitive) or "No limit holds them"
    return True, (
        f"{ids(sensitive)} {verb(sensitive, 'costs', 'cost')} money, messages or what is scarce when a script calls "
        f"{verb(sensitive, 'it', 'them')}. {said}. A script that keeps within that is not told from a person."
    )


def _forged_requests(design: Design) -> Said:
    blueprint = design.blueprint
    asked = [each.name for each in design.dependencies if not elements.is_store(each)]
    asked += ["the issuer"] if elements.has_issuer(design) else []
    asked += ["subscribers"] if elements.has_subscribers(design) else []
    if blueprint is None:
        return bool(asked), "Whether a caller can name an address that is then asked was not judged."
    urls = [f"{r.name}.{f.name}" for r in blueprint.resources for f in r.fields if f.kind is FieldKind.URL]
    hosts = f"It asks {named(asked)}, at addresses of its settings" if asked else "It asks nobody"
    if urls:
        kept = f"{named(urls)} hold addresses of callers. They are kept and never fetched by generated code."
        return True, f"{kept} {hosts}; the policy for outgoing traffic allows no other host."
    alone = "; the policy for outgoing traffic allows these hosts alone" if asked else ""
    return bool(asked), f"{hosts}, and no request can name an address{alone}."


def _configuration(design: Design) -> Said:
    if design.is_recovered:
        return True, "How it is deployed was not read."
    return True, (
        "Errors are problem details without the inside, answers say how they may be cached, CORS allows nobody, "
        "and what is set "
        "differs from the default in secrets and addresses alone."
    )


def _inventory(design: Design) -> Said:
    ending = [each for each in design.endpoints if each.deprecation]
    if design.is_recovered:
        return (
            True,
            f"{counted(len(design.endpoints), 'operation')} were found in the code; whether each is meant to be "
            "reached is for its owner to say.",
        )
    old = f"; {ids(ending)} say when they end (RFC 8594)" if ending else ""
    return (
        True,
        "openapi.yaml is made from the same design as the code, holds all "
        f"{counted(len(design.endpoints), 'operation')}, and is compared with the released one{old}. One version: "
        f"/{design.card.api}.",
    )


def _consumption(design: Design) -> Said:
    remote = [each for each in design.dependencies if each.kind in (DependencyKind.HTTP, DependencyKind.GRPC)]
    if not remote:
        return False, "No other API is asked whose answer would be used."
    bare = [each.name for each in remote if each.timeout_s is None]
    late = f" Without a deadline that is known: {named(bare)}." if bare else ""
    how = (
        "its answer must have the expected shape and size, its certificate is verified, redirects are not followed"
        if not design.is_recovered
        else "how their answers are checked was not understood"
    )
    return True, f"{named(each.name for each in remote)}: {how}.{late}"


_ANSWERS: tuple[Callable[[Design], Said], ...] = (
    _objects,
    _authentication,
    _properties,
    _resources,
    _functions,
    _business,
    _forged_requests,
    _configuration,
    _inventory,
    _consumption,
)
