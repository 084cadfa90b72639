"""What changes for those who call by what a contract says of them: who may, on which objects, and how often.

`x-callers` of an operation tells the roles and the objects that each reaches, `x-second-factor` the roles that need
one, `x-limit` how often it may be asked; of the document `x-tenant` tells what every credential has to name, and
`x-tokens` whose tokens are believed. A contract without them says nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.checkers.contracts.document import Document, Json, mapping, sequence
from nines.model.change import ContractChange, Impact

CALLERS, LIMIT, SECOND_FACTOR, TENANT, TOKENS = "x-callers", "x-limit", "x-second-factor", "x-tenant", "x-tokens"
ISSUER, AUDIENCE, ALGORITHMS, TYPES, ROLES_CLAIM = "issuer", "audience", "algorithms", "types", "roles_claim"
"""The members of what is told of tokens: texts, and lists of what any one of is believed."""
EVERYBODY = "anybody signed in"
"""The name of everybody who shows a credential, whatever the roles."""
_TWIN = "already-exists"
"""The problem of a unique key."""
ANY = "any"
"""A reach beyond which there is none."""


def of_all(old: Document, new: Document) -> Iterator[ContractChange]:
    """Of the document as a whole."""
    had, has = old.root.get(TENANT), new.root.get(TENANT)
    # A contract that tells nothing of its callers may have asked for a tenant all along.
    is_told = any(CALLERS in each for each in old.operations.values())
    if isinstance(has, str) and has != had and is_told:
        says = f"credentials have to name a {has}"
        whom = "callers whose credentials name none"
        yield ContractChange(rule="tenant-required", impact=Impact.BREAKING, operation="", says=says, whom=whom)
    yield from _of_tokens(mapping(old.root.get(TOKENS)), mapping(new.root.get(TOKENS)))


def _of_tokens(before: Json, after: Json) -> Iterator[ContractChange]:
    """Tokens that were believed and no longer are, which whoever holds one meets with every operation."""
    for member, told in ((ISSUER, "issued by"), (AUDIENCE, "meant for"), (ROLES_CLAIM, "tell of roles in")):
        was, now = before.get(member), after.get(member)
        if was and now and was != now:
            verb = f"have to {told}" if member == ROLES_CLAIM else f"have to be {told}"
            yield _of_every(f"tokens {verb} {now}, and no longer {was}")
    for member, told in ((ALGORITHMS, "signed with"), (TYPES, "called")):
        held = sequence(after.get(member))
        lost = [str(each) for each in sequence(before.get(member)) if each not in held] if held else []
        if lost:
            yield _of_every(f"tokens {told} {' or '.join(lost)} are no longer believed")


def _of_every(says: str) -> ContractChange:
    whom = "whoever holds such a token"
    return ContractChange(rule="token-refused", impact=Impact.BREAKING, operation="", says=says, whom=whom)


def of_operation(before: Json, after: Json, name: str) -> Iterator[ContractChange]:
    """`before` and `after` are the operation in both documents."""
    had, has = _reached(before), _reached(after)
    if had and CALLERS in after:
        for role, objects in had.items():
            now = has.get(role, frozenset()) | has.get(EVERYBODY, frozenset())
            if not now:
                yield _breaking("caller-refused", name, f"is no longer for {role}", role)
            elif ANY not in now and (lost := objects - now):
                says = f"is for {role} on {_listed(now)} objects only, and no longer on {_listed(lost)}"
                yield _breaking("reach-narrowed", name, says, role)
    for role in sequence(after.get(SECOND_FACTOR)):
        if role in had and role not in sequence(before.get(SECOND_FACTOR)):
            yield _breaking("second-factor-required", name, f"asks {role} for a second factor", str(role))
    if CALLERS in before and _TWIN in _problems(after) - _problems(before):
        says = f"may be refused as {_TWIN}"
        whom = "callers that send what is there already"
        yield ContractChange(rule="unique-key-added", impact=Impact.RISKY, operation=name, says=says, whom=whom)
    then, now_hz = _rate_hz(before), _rate_hz(after)
    if now_hz is not None and (then is None or now_hz < then) and CALLERS in before:
        limit = mapping(after.get(LIMIT))
        says = f"may be asked {limit.get('requests')} times in {limit.get('seconds'):g} s for each {limit.get('per')}"
        whom = "callers that ask more often"
        yield ContractChange(rule="limit-lowered", impact=Impact.RISKY, operation=name, says=says, whom=whom)


def _reached(operation: Json) -> dict[str, frozenset[str]]:
    callers = mapping(operation.get(CALLERS))
    return {str(role): frozenset(map(str, sequence(objects))) for role, objects in callers.items()}


def _problems(operation: Json) -> set[str]:
    """The examples by which conflicts are told."""
    conflict = mapping(mapping(operation.get("responses")).get("409"))
    content = mapping(conflict.get("content")).values()
    return {str(name) for body in content for name in mapping(mapping(body).get("examples"))}


def _rate_hz(operation: Json) -> float | None:
    limit = mapping(operation.get(LIMIT))
    requests, seconds = limit.get("requests"), limit.get("seconds")
    if not isinstance(requests, int | float) or not isinstance(seconds, int | float) or seconds <= 0:
        return None
    return requests / seconds


def _listed(objects: frozenset[str]) -> str:
    return " or ".join(sorted(objects))


def _breaking(rule: str, name: str, says: str, role: str) -> ContractChange:
    return ContractChange(rule=rule, impact=Impact.BREAKING, operation=name, says=says, whom=f"callers as {role}")
