"""What the built login service carries: the mix of its blueprint, whole, as people send it.

    python -m benchmarks.built_login [--rate N] [--seconds N] [--workers N]

An open loop at the blueprint's peak (400/s): registrations with the codes of their letters, sign-ins, refreshes with
tokens that work once, resets, everything in the shares of the blueprint. Database, mail server and generator are on the
same machine."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec
import uvloop
import yaml

from benchmarks.built import BLUEPRINTS, Built
from benchmarks.people import (
    PASSWORD,
    Person,
    asking,
    code_for,
    make_people,
    refreshing,
    registering,
    renaming,
    sign_all_in,
    signing_in,
    surroundings,
)
from benchmarks.serving import database, machine, open_loop, percentile, run
from nines.lab.launch.post import Post
from nines.lab.load.ending import Ending
from nines.lab.load.request import Request

PEAK_HZ, SECONDS, P95_MS_MAX = 400.0, 60.0, 200.0
SIGNED_IN, SIGNED_OUT = 1_000, 2_000
WARM_S = 5.0

Settle = Callable[[Ending], None]


class Mix:
    """Chooses what comes next by the shares, of what somebody can do at the moment; else somebody refreshes."""

    def __init__(self, people: list[Person], post: Post, shares: dict[str, float], admin: str) -> None:
        self._post = post
        self._names, self._weights = list(shares), list(shares.values())
        self._rng = random.Random(7)
        self._inside = deque(people[:SIGNED_IN])
        self._outside = deque(people[SIGNED_IN:])
        self._new: deque[Person] = deque()
        self._resetting: deque[Person] = deque()
        self._coming: deque[Person] = deque()
        self._admin = admin
        self._settling: dict[int, Settle] = {}
        self.latencies: dict[str, list[float]] = {}
        self.statuses: dict[str, Counter[str]] = {}

    def make(self, _index: int) -> Request:
        name = self._rng.choices(self._names, self._weights)[0]
        found = getattr(self, f"_{name}", lambda: None)()
        if found is None:
            name, found = "refreshTokens", self._refreshTokens()
        request, settle = found
        self._settling[id(request)] = lambda ending: self._settled(name, ending, settle)
        return request

    def ended(self, ending: Ending) -> None:
        self._settling.pop(id(ending.request))(ending)

    def _settled(self, name: str, ending: Ending, settle: Settle) -> None:
        self.latencies.setdefault(name, []).append(ending.latency_s * 1e3)
        self.statuses.setdefault(name, Counter())[str(ending.status or ending.error)] += 1
        if 200 <= ending.status < 300 or name == "refreshTokens":
            settle(ending)

    def _register(self) -> tuple[Request, Settle]:
        person = Person(f"n{uuid4().hex}@example.com")

        def settle(ending: Ending) -> None:
            person.challenge = msgspec.json.decode(ending.body)["challenge_id"]
            self._new.append(person)

        return registering(person.email), settle

    def _verifyEmail(self) -> tuple[Request, Settle] | None:  # noqa: N802 -- called by the operation's name
        if not self._new or not (code := code_for(self._post, self._new[0].email)):
            return None
        person = self._new.popleft()
        body = {"challenge_id": person.challenge, "code": code}
        return asking("POST", "/v1/verifications", body), lambda _: self._outside.append(person)

    def _resendCode(self) -> tuple[Request, Settle]:  # noqa: N802
        return asking("POST", "/v1/verification-codes", {"challenge_id": f"chl_{uuid4().hex}"}), _nothing

    def _signIn(self) -> tuple[Request, Settle] | None:  # noqa: N802
        if not self._outside:
            return None
        person = self._outside.popleft()
        return signing_in(person), lambda ending: self._let_in(person, ending)

    def _requestSignInCode(self) -> tuple[Request, Settle] | None:  # noqa: N802
        return self._asked("/v1/sign-in-codes", self._coming)

    def _signInByCode(self) -> tuple[Request, Settle] | None:  # noqa: N802
        if not self._coming or not (code := code_for(self._post, self._coming[0].email)):
            return None
        person = self._coming.popleft()
        path = f"/v1/sign-in-codes/{person.challenge}/sessions"
        return asking("POST", path, {"code": code}), lambda ending: self._let_in(person, ending)

    def _refreshTokens(self) -> tuple[Request, Settle]:  # noqa: N802
        if not self._inside:
            # Everybody waits for an answer.
            return self._resendCode()
        person = self._inside.popleft()

        def settle(ending: Ending) -> None:
            if ending.status == 201:
                self._let_in(person, ending)
            elif ending.status == 503:
                # Refused before it was tried.
                self._inside.append(person)

        return refreshing(person), settle

    def _signOut(self) -> tuple[Request, Settle] | None:  # noqa: N802
        if not self._inside:
            return None
        person = self._inside.popleft()
        request = asking("DELETE", "/v1/sessions/current", token=person.access)
        return request, lambda _: self._outside.append(person)

    def _signOutEverywhere(self) -> tuple[Request, Settle] | None:  # noqa: N802
        if not self._inside:
            return None
        person = self._inside.popleft()
        return asking("DELETE", "/v1/sessions", token=person.access), lambda _: self._outside.append(person)

    def _requestPasswordReset(self) -> tuple[Request, Settle] | None:  # noqa: N802
        return self._asked("/v1/password-resets", self._resetting)

    def _resetPassword(self) -> tuple[Request, Settle] | None:  # noqa: N802
        if not self._resetting or not (code := code_for(self._post, self._resetting[0].email)):
            return None
        person = self._resetting.popleft()
        body = {"code": code, "password": PASSWORD}
        path = f"/v1/password-resets/{person.challenge}/password"
        return asking("PUT", path, body), lambda _: self._outside.append(person)

    def _getAccount(self) -> tuple[Request, Settle] | None:  # noqa: N802
        if not self._inside:
            return None
        person = self._inside[-1]
        return asking("GET", f"/v1/accounts/{person.id}", token=person.access), _nothing

    def _updateAccount(self) -> tuple[Request, Settle] | None:  # noqa: N802
        # Of those who were there from the start: whoever registered has an account whose version nobody was told.
        person = next((each for each in reversed(self._inside) if each.email.startswith("p")), None)
        if person is None:
            return None

        def settle(_: Ending) -> None:
            person.version += 1

        return renaming(person, uuid4().hex[:8]), settle

    def _listAccounts(self) -> tuple[Request, Settle]:  # noqa: N802
        return asking("GET", "/v1/accounts", token=self._admin), _nothing

    def _asked(self, path: str, waiting: deque[Person]) -> tuple[Request, Settle] | None:
        if not self._outside:
            return None
        person = self._outside.pop()

        def settle(ending: Ending) -> None:
            person.challenge = msgspec.json.decode(ending.body)["challenge_id"]
            waiting.append(person)

        return asking("POST", path, {"email": person.email}), settle

    def _let_in(self, person: Person, ending: Ending) -> None:
        person.take(ending.body)
        self._inside.append(person)


def _nothing(_: Ending) -> None:
    return None


def shares() -> dict[str, float]:
    """Of the blueprint, in percent."""
    told = yaml.safe_load((BLUEPRINTS / "login.yaml").read_text(encoding="utf-8"))["operations"]
    return {name: float(str(operation["share"]).rstrip("%")) for name, operation in told.items()}


async def measure(rate_hz: float, seconds: float, workers: int) -> bool:
    post = Post()
    await post.open()
    with tempfile.TemporaryDirectory() as folder:
        built = Built("login", Path(folder) / "login")
        async with database() as (premises, cluster):
            service = await built.serve(premises, cluster, workers, **surroundings(post))
            people = await make_people(cluster, built.name, SIGNED_IN + SIGNED_OUT)
            url = f"postgresql://{cluster.user}:{cluster.password}@127.0.0.1:{cluster.port}/{built.name}"
            env = built.environment(url, **surroundings(post), NEW_PASSWORD=PASSWORD)
            console = [sys.executable, "-m", "login.people"]
            await run(premises, "add", [*console, "add", "admin@example.com"], env, built.folder)
            await run(premises, "grant", [*console, "grant", "admin@example.com", "support"], env, built.folder)
            admin = (await run(premises, "token", [*console, "token", "admin@example.com"], env, built.folder)).strip()
            await service.start()
            try:
                await sign_all_in(service, people[:SIGNED_IN])
                mix = Mix(people, post, shares(), admin.splitlines()[-1])
                await open_loop(service.port, rate_hz / 2, WARM_S, mix.make, mix.ended)
                mix.latencies.clear()
                mix.statuses.clear()
                begun_s = service.cpu_s()
                took = await open_loop(service.port, rate_hz, seconds, mix.make, mix.ended)
                busy = (service.cpu_s() - begun_s) / took.duration_s
            finally:
                await service.stop()
                await post.close()
    for name, latencies in sorted(mix.latencies.items(), key=lambda each: -len(each[1])):
        told = ", ".join(f"{status} {count}" for status, count in sorted(mix.statuses[name].items()))
        p50, p95 = percentile(latencies, 50), percentile(latencies, 95)
        print(f"  {name}: {len(latencies)}, p50 {p50:.1f} ms, p95 {p95:.1f} ms; {told}")
    held = took.good == took.sent and took.percentile_ms(95) < P95_MS_MAX
    print(f"  the service took {busy:.2f} processors")
    print(
        f"login at {rate_hz:g}/s, on {machine()}: {took}; p95 below {P95_MS_MAX:.0f} ms: {'held' if held else 'MISSED'}"
    )
    return held


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rate", type=float, default=PEAK_HZ)
    arguments.add_argument("--seconds", type=float, default=SECONDS)
    arguments.add_argument("--workers", type=int, default=1)
    given = arguments.parse_args()
    sys.exit(0 if uvloop.run(measure(given.rate, given.seconds, given.workers)) else 1)


if __name__ == "__main__":
    main()
