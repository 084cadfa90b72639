"""Kills the built login service and its database while people use it: is anything lost that was acknowledged?

    python -m benchmarks.kills_login [--kills N]

Registrations, refreshes, changes of a name and resets of a password are answered all the time. After each kill they
all look: the newest refresh token works, the name is the last one, the last password signs in. At the end every address
that was told to be registered has one account. What was open when a process died may have happened or not."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import msgspec
import uvloop

from benchmarks.built import Built
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
from benchmarks.serving import Served, database, exchange, machine, send
from nines.lab.launch.post import Post
from nines.lab.launch.postgres import Cluster

KILLS, RECOVERY_S_MAX = 20, 10.0
PEOPLE = 16
BEFORE_S, WAIT_S_MAX = 1.0, 60.0
PAUSE_S, LETTER_S_MAX = 0.05, 5.0
ROUNDS_TO_RESET = 12
_TAG = re.compile(rb'etag: "(\d+)"', re.IGNORECASE)
Attempted = tuple[int, bytes] | None
"""The answer, or None where it stays open whether it happened."""


class Keeping(Person):
    """Somebody who remembers what was acknowledged; `is_open` names what may have happened."""

    __slots__ = ("is_open", "rounds")

    def __init__(self, person: Person, place: int) -> None:
        super().__init__(person.email, person.id)
        self.access, self.refresh = person.access, person.refresh
        self.is_open: set[str] = set()
        self.rounds = place % ROUNDS_TO_RESET


class Town:
    """All who use the service, and what they were told."""

    def __init__(self, service: Served, post: Post, people: list[Keeping]) -> None:
        self._service = service
        self._post = post
        self.people = people
        self.registered: list[str] = []
        self.acknowledged = dict.fromkeys(("registrations", "refreshes", "names", "resets"), 0)
        self.lost: list[str] = []
        self._is_over = False

    async def live(self) -> None:
        """Until `rest` is called; what a dying process leaves without an answer is kept as open."""
        self._is_over = False
        await asyncio.gather(*(self._live(person) for person in self.people), self._register())

    def rest(self) -> None:
        self._is_over = True

    async def _live(self, person: Keeping) -> None:
        while not self._is_over and not person.is_open:
            person.rounds += 1
            await self._refresh(person)
            if not person.is_open:
                await self._rename(person)
            if not person.is_open and person.rounds % ROUNDS_TO_RESET == 0:
                await self._reset(person)
            await asyncio.sleep(PAUSE_S)

    async def _register(self) -> None:
        while not self._is_over:
            email = f"k{uuid4().hex}@example.com"
            answer = await self._attempt(registering(email))
            if answer is None:
                return
            if answer[0] == 202:
                self.registered.append(email)
                self.acknowledged["registrations"] += 1
            await asyncio.sleep(PAUSE_S)

    async def _refresh(self, person: Keeping) -> None:
        answer = await self._attempt(refreshing(person))
        if answer is None:
            person.is_open.add("session")
        elif answer[0] == 201:
            person.take(answer[1])
            self.acknowledged["refreshes"] += 1
        else:
            self.lost.append(f"a refresh was answered {answer[0]} {answer[1][:120]!r}")

    async def _rename(self, person: Keeping) -> None:
        name = uuid4().hex
        answer = await self._attempt(renaming(person, name))
        if answer is None:
            person.is_open.add("name")
        elif answer[0] == 200:
            person.name = name
            person.version += 1
            self.acknowledged["names"] += 1

    async def _reset(self, person: Keeping) -> None:
        known = len(self._post.to(person.email))
        answer = await self._attempt(asking("POST", "/v1/password-resets", {"email": person.email}))
        if answer is None or answer[0] != 202:
            return
        if not await self._post.await_letter(person.email, known, LETTER_S_MAX):
            return
        path = f"/v1/password-resets/{msgspec.json.decode(answer[1])['challenge_id']}/password"
        password = f"{PASSWORD} {uuid4().hex[:12]}"
        body = {"code": code_for(self._post, person.email), "password": password}
        answer = await self._attempt(asking("PUT", path, body))
        if answer is None:
            person.is_open |= {"password", "session"}
        elif answer[0] == 204:
            person.password = password
            self.acknowledged["resets"] += 1
            # Every session is over now.
            person.is_open.add("session")

    async def _attempt(self, request: object) -> Attempted:
        """None for what stays open; a refusal because of too much to do did not happen, and is tried no more here."""
        try:
            status, body = await asyncio.wait_for(send(self._service.port, request), 15.0)  # type: ignore[arg-type]
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return None
        return None if status >= 500 else (status, body)

    async def look(self) -> None:
        """Everybody compares what they find with what they were told."""
        for person in self.people:
            if "session" not in person.is_open:
                status, body = await send(self._service.port, refreshing(person))
                if status == 201:
                    person.take(body)
                else:
                    self.lost.append(f"the newest refresh token was answered {status}")
            if "password" not in person.is_open:
                status, body = await send(self._service.port, signing_in(person))
                if status == 201:
                    person.take(body)
                else:
                    self.lost.append(f"the last password was answered {status} {body[:120]!r}")
            if "password" in person.is_open:
                await self._come_back(person)
            asked = asking("GET", f"/v1/accounts/{person.id}", token=person.access)
            head, body = await exchange(self._service.port, asked)
            status, tag = int(head[9:12]), _TAG.search(head)
            person.version = int(tag[1]) if tag is not None else person.version
            shown = msgspec.json.decode(body).get("display_name") if status == 200 else f"({status})"
            if "name" not in person.is_open and (shown or "") != person.name:
                self.lost.append(f"a name is {shown}, told was {person.name}")
            person.name = shown or ""
            person.is_open.clear()

    async def _come_back(self, person: Keeping) -> None:
        """A reset was open: the old password or the new one signs in; a fresh reset makes it certain."""
        person.is_open.discard("password")
        known = len(self._post.to(person.email))
        _, body = await send(self._service.port, asking("POST", "/v1/password-resets", {"email": person.email}))
        await self._post.await_letter(person.email, known, LETTER_S_MAX)
        path = f"/v1/password-resets/{msgspec.json.decode(body)['challenge_id']}/password"
        told = {"code": code_for(self._post, person.email), "password": PASSWORD}
        await send(self._service.port, asking("PUT", path, told))
        person.password = PASSWORD
        status, body = await send(self._service.port, signing_in(person))
        if status == 201:
            person.take(body)
        else:
            self.lost.append(f"after a reset the password was answered {status}")

    async def answers(self, since_s: float) -> float:
        """The seconds until somebody was registered again."""
        while time.monotonic() - since_s < WAIT_S_MAX:
            email = f"k{uuid4().hex}@example.com"
            answer = await self._attempt(registering(email))
            if answer is not None and answer[0] == 202:
                self.registered.append(email)
                self.acknowledged["registrations"] += 1
                return time.monotonic() - since_s
            await asyncio.sleep(PAUSE_S)
        raise SystemExit("the service did not come back")


async def _kill(town: Town, service: Served, cluster: Cluster, target: str) -> float:
    living = asyncio.create_task(town.live())
    await asyncio.sleep(BEFORE_S)
    killed_s = time.monotonic()
    if target == "service":
        await service.kill()
        await service.start()
    else:
        await cluster.kill()
        await cluster.start()
    took_s = await town.answers(killed_s)
    town.rest()
    await living
    await town.look()
    return took_s


async def measure(kills: int) -> bool:
    post = Post()
    await post.open()
    worst_s = {"service": 0.0, "database": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        built = Built("login", Path(folder) / "login")
        async with database() as (premises, cluster):
            service = await built.serve(premises, cluster, 1, **surroundings(post))
            people = await make_people(cluster, built.name, PEOPLE)
            await service.start()
            try:
                await sign_all_in(service, people)
                town = Town(service, post, [Keeping(person, place) for place, person in enumerate(people)])
                await town.look()
                for number in range(2 * kills):
                    target = ("service", "database")[number % 2]
                    worst_s[target] = max(worst_s[target], await _kill(town, service, cluster, target))
                counted = "SELECT count(*)::int FROM accounts WHERE email = ANY($1::text[])"
                ((kept,),) = await cluster.execute(built.name, counted, town.registered)
            finally:
                await service.stop()
                await post.close()
    missing = len(town.registered) - kept
    told = ", ".join(f"{count:,} {what}" for what, count in town.acknowledged.items())
    print(f"on {machine()}, {kills} kills each of the service and of its database; acknowledged: {told}")
    for line in town.lost[:20]:
        print(f"  lost: {line}")
    lost = len(town.lost) + missing
    print(f"lost: {lost} ({missing} registrations); worst recovery of the service {worst_s['service']:.1f} s, "
          f"of the database {worst_s['database']:.1f} s")  # fmt: skip
    return lost == 0 and max(worst_s.values()) < RECOVERY_S_MAX


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=KILLS)
    sys.exit(0 if uvloop.run(measure(arguments.parse_args().kills)) else 1)


if __name__ == "__main__":
    main()
