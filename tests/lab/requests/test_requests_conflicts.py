"""What two objects must not have in common is found out, and each gets values of its own as long as there are any."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.lab.requests.planner import Planner
from nines.lab.requests.variety import Variety
from nines.model.contract import Contract, Operation
from nines.model.experiment import Call
from nines.model.history import Exchange
from tests.lab.requests.documents import LISTED, SHOWN, operation, thing
from tests.lab.requests.fakes import TODAY, Store, planner

CURRENCY = {"type": "string", "pattern": "^[A-Z]{3}$"}
SHORT = {"type": "string", "maxLength": 4}
DAY = {"type": "string", "format": "date"}
REF = {"type": "string", "pattern": "^[0-9a-f-]{36}$"}


class Keyed(Store):
    """Refuses a second row with the same key; a key may name `identity` and `path`."""

    def __init__(self, status: int = 409, **keys: list[list[str]]) -> None:
        super().__init__()
        self.keys = keys
        self.status = status
        self.taken: set[tuple[Any, ...]] = set()
        self.says: dict[str, Any] = {"detail": "There is such a thing already."}
        """What a refusal says."""

    def _answer(self, call: Call) -> tuple[int, Any]:
        path = call.path.partition("?")[0]
        name = path.rstrip("/").rpartition("/")[2]
        if call.method == "PUT":
            return self._changed(path, json.loads(call.body))
        if call.method == "POST" and name in self.keys:
            row = {**json.loads(call.body), "identity": call.identity, "path": path}
            found = [(name, *fields, *(row[field] for field in fields)) for fields in self.keys[name]]
            if any(key in self.taken for key in found):
                return self.status, self.says
            self.taken.update(found)
        return super()._answer(call)

    def _changed(self, path: str, row: dict[str, Any]) -> tuple[int, Any]:
        collection, _, id = path.rpartition("/")
        name = collection.rpartition("/")[2]
        others = [each for each in self.rows[collection] if each["id"] != id]
        for fields in self.keys[name]:
            if any(all(each[field] == row[field] for field in fields) for each in others):
                return self.status, self.says
        next(each for each in self.rows[collection] if each["id"] == id).update(row)
        self.taken.update((name, *fields, *(row[field] for field in fields)) for fields in self.keys[name])
        return 200, row


def contract(name: str, /, *, below: str = "", examples: tuple[Any, ...] = (), **fields: Any) -> Contract:
    path = f"{below}/{name}"
    item = f"{path}/{{{name[:-1]}_id}}"
    return Contract(
        operations=(
            operation("POST", "/rooms", body=thing(title={"type": "string", "maxLength": 60}), shows=SHOWN),
            operation("GET", "/rooms/{room_id}", shows=SHOWN),
            operation("POST", path, body=thing(**fields), shows=SHOWN, examples=examples),
            operation("GET", path, shows=LISTED),
            operation("GET", item, shows=SHOWN),
        )
    )


def creator(found: Contract) -> Operation:
    return found.operations[2]


async def one(made: Planner, operation: Operation, store: Store, identity: str = "owner") -> Exchange | None:
    """As an experiment makes one: what is refused is tried once more."""
    answer: Exchange | None = None
    for _ in range(2):
        call = await made.prepare(operation, identity)
        if call is None:
            return None
        answer = await store.send(call)
        made.hear(call, answer)
        if answer.status != 409:
            break
    return answer


def statuses(
    found: Contract, store: Store, count: int, identities: tuple[str, ...] = ("owner",), **options: Any
) -> list[Any]:
    made = planner(found, store, **options)

    async def all_of_it() -> list[Any]:
        answers = [await one(made, creator(found), store, who) for _ in range(count) for who in identities]
        return [answer.status if answer is not None else None for answer in answers]

    return asyncio.run(all_of_it())


def test_each_gets_another_currency() -> None:
    found = contract("accounts", currency=CURRENCY, examples=({"currency": "EUR"},))
    notes: list[str] = []
    store = Keyed(accounts=[["identity", "currency"]])
    assert statuses(found, store, 300, ("owner", "peer"), notes=notes) == [201] * 600
    assert notes == ["POST /accounts: a second one with the same currency is answered 409, so each gets another"]
    used = [row["currency"] for row in store.rows["/accounts"]]
    assert used[0] == "EUR"


def test_short_values_that_look_unique_never_meet_even_where_nothing_was_learnt() -> None:
    found = contract("coupons", code=SHORT)
    assert statuses(found, Keyed(coupons=[["code"]]), 1_500) == [201] * 1_500


@pytest.mark.parametrize("status", [409, 422])
def test_where_the_values_are_used_up_there_is_another_parent(status: int) -> None:
    found = contract(
        "readings", room_id=REF, slot={"type": "integer", "minimum": 1, "maximum": 12}, litres={"type": "integer"}
    )
    store = Keyed(status, readings=[["room_id", "slot"]])
    made = statuses(found, store, 100)
    assert made == [201] * 100


def test_another_parent_in_the_path() -> None:
    found = contract("readings", below="/rooms/{room_id}", slot={"enum": ["early", "late"]})
    assert statuses(found, Keyed(readings=[["path", "slot"]]), 30) == [201] * 30


def test_one_for_each_parent() -> None:
    found = contract("bookings", room_id=REF, note={"type": "string"})
    notes: list[str] = []
    assert statuses(found, Keyed(bookings=[["room_id"]]), 60, notes=notes) == [201] * 60
    assert notes == ["POST /bookings: a second one with the same room_id is answered 409, so each gets another"]


def test_two_keys_of_which_each_alone_refuses() -> None:
    found = contract(
        "seats", row={"type": "integer", "minimum": 1, "maximum": 50}, side={"enum": ["l", "r"]}, place=CURRENCY
    )
    assert statuses(found, Keyed(seats=[["row"], ["place"]]), 40) == [201] * 40


def test_what_is_changed_does_not_take_what_something_else_has() -> None:
    number = {"type": "string", "maxLength": 30}
    found = contract("lockers", number=number, examples=({"number": "12a"},))
    change = operation("PUT", "/lockers/{locker_id}", body=thing(number=number), examples=({"number": "12a"},))
    found = Contract(operations=(*found.operations, change))
    store = Keyed(lockers=[["number"]])
    made = planner(found, store)

    async def all_of_it() -> list[int | None]:
        answers: list[Exchange | None] = []
        for _ in range(40):
            answers += [await one(made, change, store), await one(made, creator(found), store)]
        return [answer.status if answer is not None else None for answer in answers]

    statuses = asyncio.run(all_of_it())
    assert statuses == [200, 201] * 40


def test_keys_of_which_one_shows_only_behind_the_other() -> None:
    """As a pin by itself, and one role in each room: with another pin the role refuses."""
    fields: dict[str, Any] = {
        "room_id": REF,
        "pin": {"type": "string", "maxLength": 30},
        "role": {"enum": ["guest", "player", "coach"]},
    }
    found = contract("invitations", examples=({"pin": "0000", "role": "guest"},), **fields)
    notes: list[str] = []
    store = Keyed(invitations=[["pin"], ["room_id", "role"]])
    store.taken.add(("invitations", "pin", "0000"))
    assert statuses(found, store, 100, notes=notes) == [201] * 100
    told = [note.partition(" is answered")[0].rpartition("the same ")[2] for note in notes]
    assert told == ["pin", "role and room_id"]


def test_keys_that_refuse_at_the_same_time() -> None:
    fields: dict[str, Any] = {"room_id": REF, "pin": {"type": "string", "maxLength": 30}, "role": {"enum": ["a", "b"]}}
    found = contract("invitations", examples=({"pin": "0000", "role": "a"},), **fields)
    assert statuses(found, Keyed(invitations=[["pin"], ["room_id", "role"]]), 100) == [201] * 100


def test_a_period_moves_as_a_whole() -> None:
    found = contract(
        "stays", starts_on=DAY, ends_on=DAY, examples=({"starts_on": "2026-05-01", "ends_on": "2026-05-03"},)
    )
    store = Keyed(stays=[["starts_on"]])
    assert statuses(found, store, 40) == [201] * 40
    assert all(row["starts_on"] < row["ends_on"] for row in store.rows["/stays"])
    periods = sorted((row["starts_on"], row["ends_on"]) for row in store.rows["/stays"])
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(periods))


def test_what_is_used_up_is_said_and_nothing_is_repeated() -> None:
    """Finding out takes one of the three."""
    found = contract("flags", flag={"enum": ["a", "b", "c"]})
    notes: list[str] = []
    assert statuses(found, Keyed(flags=[["flag"]]), 5, notes=notes) == [201, 201, None, None, None]
    assert notes[-1] == "POST /flags: every value that it may have is taken, so no more could be made"


def test_a_refusal_that_speaks_of_something_else_teaches_nothing() -> None:
    found = contract("flags", flag={"enum": ["a", "b", "c"]})
    store = Keyed(422, flags=[["flag"]])
    store.says = {"detail": "The value does not exist."}
    notes: list[str] = []
    assert statuses(found, store, 3, notes=notes) == [201, 422, 422]
    assert not notes


def test_days_stay_within_a_year_where_another_parent_can_be_had() -> None:
    found = contract("bookings", room_id=REF, day=DAY)
    store = Keyed(bookings=[["room_id", "day"]])
    assert statuses(found, store, 700) == [201] * 700
    assert max(row["day"] for row in store.rows["/bookings"]) < "2026-12-31"


def test_where_nothing_helps_it_is_said_once() -> None:
    found = contract("profiles", nick={"type": "string", "maxLength": 40}, kind={"enum": ["a", "b"]})
    notes: list[str] = []
    store = Keyed(profiles=[["identity"]])
    assert statuses(found, store, 4, notes=notes) == [201, 409, 409, 409]
    assert len(notes) == 1
    assert "whatever of it is changed" in notes[0]
    assert len(store.calls) < 20


def test_the_only_one_is_left_to_whoever_asks_first() -> None:
    found = contract("profiles", nick={"type": "string", "maxLength": 40})
    store = Keyed(profiles=[["identity"]])
    assert statuses(found, store, 1, ("owner", "peer")) == [201, 201]
    assert len(store.calls) == 2


def test_what_the_owner_says_is_not_varied() -> None:
    found = contract("accounts", currency=CURRENCY, label=SHORT)
    store = Keyed(accounts=[["currency"]])
    assert statuses(found, store, 3, values={"currency": "CHF"}) == [201, 409, 409]
    assert {row["currency"] for row in store.rows["/accounts"]} == {"CHF"}


def test_a_repetition_that_is_refused_teaches_nothing() -> None:
    found = contract("accounts", currency=CURRENCY, title={"type": "string", "maxLength": 60})
    store = Keyed(accounts=[["title"]])
    made = planner(found, store)

    async def all_of_it() -> None:
        for _ in range(3):
            first = await made.prepare(creator(found), "owner")
            assert first is not None
            again = await made.prepare(creator(found), "owner", like=first)
            assert again is not None
            for call, status in ((first, 201), (again, 409)):
                answer = await store.send(call)
                made.hear(call, answer)
                assert answer.status == status

    asyncio.run(all_of_it())
    assert {row["currency"] for row in store.rows["/accounts"]} == {"EUR"}


def test_what_was_learnt_outlives_the_planner_and_values_are_free_again_in_a_new_database() -> None:
    found = contract("flags", flag={"enum": ["a", "b", "c", "d", "e", "f"]})
    variety = Variety(1, TODAY)
    store = Keyed(flags=[["flag"]])
    assert statuses(found, store, 3, variety=variety) == [201] * 3
    assert statuses(found, store, 1, variety=variety) == [201]
    assert sum(call.phase == "rehearsal" for call in store.calls) <= 3
    variety.renew()
    assert statuses(found, Keyed(flags=[["flag"]]), 6, variety=variety)[:5] == [201] * 5


FIELDS: dict[str, dict[str, Any]] = {
    "slot": {"type": "integer", "minimum": 1, "maximum": 5},
    "kind": {"enum": ["a", "b", "c"]},
    "is_open": {"type": "boolean"},
    "grade": {"type": "string", "pattern": "^[A-D]$"},
}
SIZES = {"slot": 5, "kind": 3, "is_open": 2, "grade": 4}


@settings(max_examples=20, deadline=None)
@given(st.sets(st.sampled_from(sorted(FIELDS)), min_size=1), st.sets(st.sampled_from(sorted(FIELDS))))
def test_a_key_of_any_fields_is_gone_through(key: set[str], more: set[str]) -> None:
    fields: dict[str, Any] = {name: FIELDS[name] for name in sorted(key | more)}
    found = contract("things", **fields)
    count = math.prod(SIZES[name] for name in key)
    store = Keyed(things=[sorted(key)])
    statuses(found, store, count)
    assert len(store.taken) == count


def test_the_same_seed_makes_the_same_values() -> None:
    found = contract("accounts", currency=CURRENCY)

    def made() -> list[str]:
        store = Keyed(accounts=[["currency"]])
        statuses(found, store, 20)
        return [row["currency"] for row in store.rows["/accounts"]]

    assert made() == made()
