"""What it costs to know who asks: a token that is verified, one that is known, and a password.

    python -m benchmarks.runtime_tokens [--rounds N]

PyJWT verifies the same EdDSA token in the same run, with the same claims asked for. The known token is found by its
digest, after the first time that it was verified. Processor time of one call, the median over the rounds. A password is
hashed and compared as OWASP recommends it (19 MiB, 2 passes, 1 lane), beside the library's own setting.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable

import jwt
from argon2 import PasswordHasher
from jwt.types import Options

from nines_runtime import Passwords, SigningKey, SigningKeys, TokenIssuer, TokenRules
from nines_runtime.security.tokens import Verifier

ROUNDS = 7
VERIFICATIONS, KNOWN, HASHES = 300, 20_000, 5
KNOWN_LIMIT_US = 10.0
"""The most that a known token may cost."""


def spent_us(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1e6


def tokens(rounds: int) -> dict[str, float]:
    rules = TokenRules(issuer="https://issuer.example", audience="payments")
    keys = SigningKeys([SigningKey.generate()])
    issuer = TokenIssuer(keys, rules)
    token = issuer.issue("0198a3c2-7b1e-7c11-9f00-6d1b2c3d4e5f", tenant="m1", roles=["customer"], session="s1")
    published = jwt.PyJWK.from_dict(keys.first.public.jwk())
    authenticator = issuer.authenticator()
    headers = {"authorization": f"Bearer {token}"}

    def verify() -> None:
        Verifier(rules, keys.published).verify(token)

    def by_pyjwt() -> None:
        needed: Options = {"require": ["exp", "iat", "sub"]}
        jwt.decode(token, published, ["EdDSA"], audience="payments", issuer=rules.issuer, options=needed)

    def ask() -> None:
        # Driven by hand: a loop would cost more than what is measured.
        waiting = authenticator.authenticate(headers, address="")
        try:
            waiting.send(None)
        except StopIteration:
            return
        raise AssertionError

    ask()
    works = {
        "verified": (verify, VERIFICATIONS),
        "verified by PyJWT": (by_pyjwt, VERIFICATIONS),
        "known": (ask, KNOWN),
        "signed": (lambda: issuer.issue("ada"), VERIFICATIONS),
    }
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, (work, times) in works.items():
            found[name].append(spent_us(work, times))
    return {name: statistics.median(each) for name, each in found.items()}


async def passwords(rounds: int) -> dict[str, float]:
    ours, library = Passwords(), PasswordHasher()
    stored, heavy = await ours.hash("correct horse battery"), library.hash("correct horse battery")
    found: dict[str, list[float]] = {"compared": [], "compared as the library sets it": []}
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(HASHES):
            assert await ours.matches("correct horse battery", stored)
        found["compared"].append((time.process_time() - began) / HASHES * 1e3)
        found["compared as the library sets it"].append(
            spent_us(lambda: library.verify(heavy, "correct horse battery"), 1) / 1e3
        )
    ours.close()
    return {name: statistics.median(each) for name, each in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    found = tokens(arguments.rounds)
    print("A token, EdDSA")
    for name, cost in found.items():
        print(f"  {name:34}{cost:10.1f} µs")
    print("A password, argon2id")
    for name, cost in asyncio.run(passwords(arguments.rounds)).items():
        print(f"  {name:34}{cost:10.1f} ms")
    is_kept = found["known"] <= KNOWN_LIMIT_US
    print(f"{'holds' if is_kept else 'broken'}: a known token {found['known']:.1f} µs, limit {KNOWN_LIMIT_US:.0f} µs")
    raise SystemExit(not is_kept)


if __name__ == "__main__":
    main()
