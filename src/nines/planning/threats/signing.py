"""Threats to signing up, in and out, where this service keeps the accounts itself."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action
from nines.model.design import Design, Element, PlannedEndpoint, Stride, Threat
from nines.model.words import duration
from nines.planning.data import accounts
from nines.planning.flows import credentials
from nines.planning.threats import elements
from nines.planning.threats.drafting import AUTHENTICATION, STEADY, choice, contract, ids, threat

_CODES = (Action.VERIFY_CODE, Action.RESET_PASSWORD, Action.SIGN_IN_BY_CODE)
_TELLING = (Action.REGISTER, Action.SEND_CODE, Action.REQUEST_RESET, Action.REQUEST_SIGN_IN)
_HASHING = (Action.REGISTER, Action.SIGN_IN, Action.RESET_PASSWORD)
_HASH_MS = 24
"""Of one argon2id with m = 19 MiB, t = 2, p = 1 on one core, as measured; the strength that OWASP recommends."""


def of_part(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    by_action: dict[Action, PlannedEndpoint] = {}
    for each in part.endpoints:
        by_action.setdefault(each.action, each)
    if Action.SIGN_IN in by_action:
        yield _guessing(element, by_action[Action.SIGN_IN])
    if Action.REFRESH in by_action:
        yield _reuse(element, by_action[Action.REFRESH])
    codes = [by_action[each] for each in _CODES if each in by_action]
    if codes:
        yield _codes(element, codes)
    telling = [by_action[each] for each in _TELLING if each in by_action]
    if telling:
        yield _enumeration(element, telling)
        yield from _mail_bombs(design, element, telling)
    hashing = [by_action[each] for each in _HASHING if each in by_action]
    if hashing:
        yield _hashing(design, element, hashing)


def _guessing(element: Element, sign_in: PlannedEndpoint) -> Threat:
    limit = sign_in.limit
    quota = f"{limit.count} calls in {duration(limit.period_s)} per {limit.per}; " if limit else ""
    longest = credentials.FIRST_WAIT_S * 2**credentials.WAIT_DOUBLINGS_MAX
    tries = credentials.FREE_FAILURES + credentials.WAIT_DOUBLINGS_MAX + 86_400 / longest
    return threat(
        element,
        Stride.SPOOFING,
        f"{sign_in.id} is tried with many passwords for one account, or with one leaked pair each for many.",
        f"{quota}{credentials.FREE_FAILURES} failures are free, each further one doubles the wait up to "
        f"{duration(longest)}, counted for account and address apart ({credentials.FREE_FAILURES_OF_ADDRESS} are free "
        f"for an address) in all processes together: about {tries:.0f} guesses a day at one account. Passwords that "
        "are tried first are not taken; one known from leaks is not looked up.",
        where="table of failures, limits, argon2id (RFC 9106)",
        tried=(AUTHENTICATION, contract(sign_in, "credentials-rejected"), contract(sign_in, "rate-limited")),
        owasp=2,
    )


def _reuse(element: Element, refresh: PlannedEndpoint) -> Threat:
    return threat(
        element,
        Stride.SPOOFING,
        f"A refresh token that was copied is used at {refresh.id} beside its owner.",
        "Each is used up by one UPDATE and replaced; one that comes twice revokes its session, whoever sent it (RFC "
        "9700, 4.14.2). Only its SHA-256 is kept.",
        where="table of refresh tokens",
        tried=(contract(refresh, "token-rejected"),),
        owasp=2,
    )


def _codes(element: Element, codes: list[PlannedEndpoint]) -> Threat:
    return threat(
        element,
        Stride.SPOOFING,
        f"The code of somebody else is guessed at {ids(codes)}.",
        f"{accounts.CODE_ATTEMPTS_MAX} attempts within {duration(accounts.CODE_TTL_S)}, counted before they are "
        "compared, in constant time; a code works once and goes with an identifier that cannot be guessed.",
        where="table of codes",
        tried=tuple(contract(each, "code-rejected") for each in codes),
        owasp=2,
    )


def _enumeration(element: Element, telling: list[PlannedEndpoint]) -> Threat:
    return threat(
        element,
        Stride.DISCLOSURE,
        f"{ids(telling)} tells whether an address has an account.",
        "Status, body and statements are the same either way, answers come at whole multiples of 50 ms, and the "
        "message leaves through a queue after the answer.",
        where="the flows of these operations",
        owasp=2,
    )


def _mail_bombs(design: Design, element: Element, telling: list[PlannedEndpoint]) -> Iterator[Threat]:
    bare = [each for each in telling if each.limit is None]
    quotas = "; ".join(
        f"{each.id} {each.limit.count} in {duration(each.limit.period_s)} per {each.limit.per}"
        for each in telling
        if each.limit
    )
    yield threat(
        element,
        Stride.DENIAL,
        f"{ids(telling)} fills the mailbox of somebody, or spends what the sender of {design.name} may send.",
        f"{quotas}." if quotas else "None.",
        where="limits of the blueprint" if quotas else "nowhere",
        tried=tuple(contract(each, "rate-limited") for each in telling),
        owasp=6,
        is_open=bool(bare),
        options=(
            choice(
                f"limits: {{{bare[0].id}: 5/h per account}}", "a mailbox gets five", "who mistypes five times waits"
            ),
        )
        if bare
        else (),
    )


def _hashing(design: Design, element: Element, hashing: list[PlannedEndpoint]) -> Threat:
    peak_hz = sum(each.peak_hz or 0.0 for each in hashing)
    cores = design.deploy.cpu * design.deploy.replicas_max
    needed = peak_hz * _HASH_MS / 1_000
    return threat(
        element,
        Stride.DENIAL,
        f"Each call of {ids(hashing)} costs an argon2id of about {_HASH_MS} ms and 19 MiB, which a stranger may "
        "ask for.",
        f"At the peak {peak_hz:.3g}/s x {_HASH_MS} ms = {needed:.3g} of {cores:g} cores. They run in a pool of threads "
        "of their own, outside of any transaction; what does not fit is refused with 503 before the hash.",
        where="limits, the pool of hashing threads",
        tried=(STEADY, *(contract(each, "rate-limited") for each in hashing[:1])),
        owasp=4,
        is_open=needed > cores / 2,
        options=(
            choice("more cores (deploy.replicas.max)", "the hashes fit", "they cost"),
            choice("a service of its own for hashing", "nothing else suffers", "one more thing to run"),
        )
        if needed > cores / 2
        else (),
    )
