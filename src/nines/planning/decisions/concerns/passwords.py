"""How passwords are kept."""

from __future__ import annotations

from nines.model.blueprint import Action
from nines.model.design import Decision, Design
from nines.model.words import amount, rate, share
from nines.planning.capacity.asking import HASHING
from nines.planning.capacity.figures import PASSWORD_CPU_S
from nines.planning.decisions.deciding import option, resource

NUMBER = 18
_SMALL, _USUAL, _BCRYPT = (
    "argon2id, 19 MiB, 2 passes, 1 lane",
    "argon2id as the library sets it (64 MiB, 3 passes, 4 lanes)",
    "bcrypt, cost 12",
)
_USUAL_CPU_S = 0.182
"""Measured by us."""
_BCRYPT_CPU_S = 0.25
_GENEROUS_SHARE = 0.2
"""Of the processors that the deployment allows: below this the stronger setting is affordable."""


def decide(design: Design) -> Decision | None:
    hashing = [each for each in design.endpoints if each.action in HASHING]
    checked = any(each.action in (Action.SIGN_IN, Action.REGISTER) for each in hashing)
    if not checked or design.demand is None:
        return None
    hashed_hz = sum(each.peak_hz or 0.0 for each in hashing)
    cores, usual = hashed_hz * PASSWORD_CPU_S, hashed_hz * _USUAL_CPU_S
    allowed = design.deploy.replicas_max * design.deploy.cpu
    chosen = _USUAL if usual <= _GENEROUS_SHARE * design.deploy.replicas_min * design.deploy.cpu else _SMALL
    use = resource(design, "application processors")
    of_all = (
        f", {share(round(cores / use.at_peak, 2))} of all that the processors do" if use and chosen == _SMALL else ""
    )
    return Decision(
        id="passwords",
        number=NUMBER,
        concern="Keeping passwords",
        context=f"{rate(hashed_hz)} passwords are hashed or compared at the peak; the deployment allows "
        f"{amount(allowed)} cores.",
        options=(
            option(
                _SMALL,
                f"OWASP's smallest setting; 24 ms (measured): {rate(hashed_hz)} × 24 ms = {amount(cores)} cores at "
                "the peak",
                "guessing a stolen hash costs eight times less than with the library's setting",
                "many sign in, and hashes are not the only fence",
            ),
            option(
                _USUAL,
                "the more memory and time, the dearer the guessing",
                f"182 ms (measured): {rate(hashed_hz)} × 182 ms = {amount(usual)} cores at the peak, and 64 MiB for "
                "each "
                "that is under way",
                "few sign in",
            ),
            option(
                _BCRYPT,
                "everywhere, for twenty-five years",
                f"about {_BCRYPT_CPU_S * 1e3:.0f} ms; needs little memory, so that a graphics card guesses quickly; "
                "cuts "
                "off after 72 bytes",
                "hashes of an older system are still in use",
            ),
        ),
        chosen=chosen,
        because=f"{amount(usual)} cores would be needed for the library's setting, and {amount(cores)} are for this one"
        f"{of_all}"
        if chosen == _SMALL
        else f"{amount(usual)} cores at the peak are a small part of what stands there anyway",
        consequences=(
            "The setting stands in each hash, so that it can be raised: a hash of an older setting is made anew when "
            "its "
            "owner signs in.",
            "Hashing runs in a pool of threads with a limit, so that a rush of sign-ins cannot hold up everything "
            "else.",
        ),
        changes_when="Sign-ins move to an identity provider, or processors become so cheap that the stronger setting "
        "costs nothing.",
    )
