"""Valid requests, what they refer to, and what is said when there is no way."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import msgspec

from nines.lab.requests.invent import MARKER_DIGITS
from nines.model.contract import Contract, Operation
from nines.model.experiment import Call
from nines.model.history import Exchange
from tests.lab.requests.documents import BANK, ID, LISTED, NAME, SHOWN, operation, parameter, thing
from tests.lab.requests.fakes import Store, planner

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def op(id: str, contract: Contract = BANK) -> Operation:
    found = contract.operation(id)
    assert found is not None
    return found


def prepared(id: str, store: Store | None = None, contract: Contract = BANK, **options: Any) -> Call | None:
    return asyncio.run(planner(contract, store or Store(), **options).prepare(op(id, contract), "owner"))


def certain(call: Call | None) -> Call:
    assert call is not None
    return call


def test_creators_have_a_reader_or_a_list_and_doors_are_none() -> None:
    made = planner(BANK, Store())
    ids = [creator.id for creator in made.creators()]
    assert ids[0] == "POST /accounts"
    assert "POST /login" not in ids
    assert "POST /transfers/{transfer_id}/approve" not in ids
    assert made.reader_of(op("POST /transfers")) == op("GET /transfers/{transfer_id}")
    assert made.lister_of(op("POST /accounts")) == op("GET /accounts")
    assert made.reader_of(op("POST /transfers/{transfer_id}/refunds")) == op("GET /refunds/{refund_id}")


def test_a_body_carries_a_fresh_marker() -> None:
    made = planner(BANK, Store())
    first = certain(asyncio.run(made.prepare(op("POST /accounts"), "owner")))
    second = certain(asyncio.run(made.prepare(op("POST /accounts"), "owner")))
    assert len(first.marker) == MARKER_DIGITS + 2
    assert first.marker != second.marker
    body = json.loads(first.body)
    assert first.marker in body["name"]
    assert body["currency"] == "EUR"
    assert ("content-type", "application/json") in first.headers


def test_the_same_seed_makes_the_same_requests() -> None:
    assert prepared("POST /transfers") == prepared("POST /transfers")


def test_parents_are_created_first_and_distinct_references_get_distinct_parents() -> None:
    store = Store()
    body = json.loads(certain(prepared("POST /transfers", store)).body)
    assert body["from_account_id"] != body["toAccountId"]
    assert {body["from_account_id"], body["toAccountId"]} == {row["id"] for row in store.rows["/accounts"]}
    assert store.paths() == ["POST /accounts", "POST /accounts"]


def test_nested_identifiers_belong_together() -> None:
    store = Store()
    call = certain(prepared("GET /accounts/{account_id}/entries/{entry_id}", store))
    exchange = asyncio.run(store.send(call))
    assert exchange.status == 200


def test_what_is_deleted_is_not_what_others_use() -> None:
    store = Store()
    made = planner(BANK, store)

    async def both() -> tuple[Call, Call]:
        gone = certain(await made.prepare(op("DELETE /accounts/{account_id}"), "owner"))
        for _ in range(40):
            kept = certain(await made.prepare(op("GET /accounts/{account_id}"), "owner"))
            assert kept.path != gone.path
        return gone, kept

    asyncio.run(both())
    assert len(store.rows["/accounts"]) < 40


def test_an_idempotency_key_is_fresh_for_each_request_and_each_repetition() -> None:
    made = planner(BANK, Store())
    first = certain(asyncio.run(made.prepare(op("POST /transfers"), "owner")))
    again = certain(asyncio.run(made.prepare(op("POST /transfers"), "owner", like=first)))
    assert first.key
    assert again.key
    assert first.key != again.key
    assert (again.body, again.path, again.marker) == (first.body, first.path, first.marker)
    assert dict(again.headers)["Idempotency-Key"] == again.key


def test_the_owners_values_win() -> None:
    values = {"currency": "CHF", "POST /transfers.amount": 7, "from_account_id": "mine"}
    assert json.loads(certain(prepared("POST /accounts", values=values)).body)["currency"] == "CHF"
    body = json.loads(certain(prepared("POST /transfers", values=values)).body)
    assert (body["amount"], body["from_account_id"]) == (7, "mine")
    assert certain(prepared("GET /reports/{year}", values={"year": 1999})).path == "/reports/1999"


def test_reading_back_and_acting_on_what_was_created() -> None:
    store = Store()
    made = planner(BANK, store)

    async def all_of_it() -> tuple[Exchange, Call, Call, Call]:
        created = await store.send(certain(await made.prepare(op("POST /accounts"), "owner")))
        read = certain(await made.prepare_read(created, "peer"))
        patch = certain(await made.prepare_on(op("PATCH /accounts/{account_id}"), created, "peer"))
        entry = certain(await made.prepare_on(op("POST /accounts/{account_id}/entries"), created, "peer"))
        return created, read, patch, entry

    created, read, patch, entry = asyncio.run(all_of_it())
    id = json.loads(created.body)["id"]
    assert (read.path, read.identity) == (f"/accounts/{id}", "peer")
    assert patch.path == f"/accounts/{id}"
    assert json.loads(patch.body)
    assert entry.path == f"/accounts/{id}/entries"


def test_an_object_of_a_nested_creator_keeps_its_parent() -> None:
    store = Store()
    made = planner(BANK, store)

    async def all_of_it() -> tuple[Exchange, Call]:
        created = await store.send(certain(await made.prepare(op("POST /accounts/{account_id}/entries"), "owner")))
        return created, certain(await made.prepare_read(created, "owner"))

    created, read = asyncio.run(all_of_it())
    assert read.path == f"{created.path}/{json.loads(created.body)['id']}"


def test_a_step_that_must_come_first_is_found_and_taken() -> None:
    store = Store()
    store.wants_approval = True
    call = certain(prepared("POST /transfers/{transfer_id}/refunds", store))
    assert asyncio.run(store.send(call)).status == 201
    assert any(path.endswith("/approve") for path in store.paths())


def test_an_admin_makes_what_the_identity_may_not() -> None:
    store = Store()
    store.refuses[r"POST /accounts owner"] = 403
    assert certain(prepared("GET /accounts/{account_id}", store, admin="admin")).identity == "owner"
    assert store.calls[-1].identity == "admin"


def test_a_role_of_its_own_makes_what_neither_the_identity_nor_an_admin_may() -> None:
    store = Store()
    store.refuses[r"POST /accounts (owner|admin)"] = 403
    call = certain(prepared("GET /accounts/{account_id}", store, admin="admin", helpers=("clerk",)))
    assert call.identity == "owner"
    assert store.calls[-1].identity == "clerk"


def test_an_update_that_may_rename_its_object_gets_one_of_its_own() -> None:
    slugged = operation("PUT", "/accounts/{slug}", body=thing(name=NAME), shows=SHOWN)
    slug = parameter("slug", schema=NAME)
    renames = msgspec.structs.replace(slugged, parameters=(slug,))
    store = Store()
    contract = msgspec.structs.replace(BANK, operations=(*BANK.operations, renames))
    made = planner(contract, store)

    async def all_of_it() -> list[str]:
        return [certain(await made.prepare(renames, "owner")).path for _ in range(40)]

    assert len(set(asyncio.run(all_of_it()))) == 40


def test_a_list_serves_where_nothing_can_be_made() -> None:
    store = Store()
    store.refuses[r"POST /accounts .*"] = 403
    store.rows["/accounts"] = [{"id": "11111111-1111-4111-8111-111111111111", "name": "x"}]
    assert certain(prepared("GET /accounts/{account_id}", store)).path.endswith("111111111111")


def test_it_says_why_there_is_no_way() -> None:
    store = Store()
    notes: list[str] = []
    store.refuses[r"\w+ /accounts .*"] = 403
    made = planner(BANK, store, notes=notes)
    for _ in range(20):
        assert asyncio.run(made.prepare(op("POST /transfers"), "owner")) is None
    assert any("from_account_id" in note for note in notes)
    assert len(notes) == len(set(notes))
    assert len(store.calls) < 20


def test_endless_references_end() -> None:
    ring = Contract(
        operations=(
            operation("POST", "/ants", body=thing(bee_id=ID), shows=SHOWN),
            operation("GET", "/ants/{ant_id}", shows=SHOWN),
            operation("POST", "/bees", body=thing(ant_id=ID), shows=SHOWN),
            operation("GET", "/bees/{bee_id}", shows=SHOWN),
        )
    )
    store = Store()
    assert prepared("POST /ants", store, ring) is None
    assert len(store.calls) < 20


def test_a_path_may_name_what_the_document_forgot_to_declare() -> None:
    bare = operation("GET", "/{organization}/things/{thing_id}", shows=SHOWN)
    sloppy = Contract(operations=(msgspec.structs.replace(bare, parameters=()),))
    assert prepared("GET /{organization}/things/{thing_id}", contract=sloppy, values={"thing_id": 7}) is not None


def test_forms_and_files() -> None:
    form = Contract(
        operations=(
            operation("POST", "/a", body=thing(title=NAME, tags={"type": "array", "items": NAME}),
                      media="application/x-www-form-urlencoded", shows=SHOWN),
            operation("POST", "/b", body=thing(file={"type": "string", "format": "binary"}),
                      media="multipart/form-data"),
        )
    )  # fmt: skip
    call = certain(prepared("POST /a", contract=form))
    assert call.body.startswith(b"title=Nines+n9")
    call = certain(prepared("POST /b", contract=form))
    assert b'filename="nines.txt"' in call.body
    assert "boundary=" in dict(call.headers)["content-type"]


def test_find_reads_lists_page_by_page_and_objects_one_by_one() -> None:
    store = Store()
    made = planner(BANK, store)

    async def all_of_it() -> dict[str, int]:
        sent = [await store.send(certain(await made.prepare(op("POST /accounts"), "owner"))) for _ in range(3)]
        found = await made.find(op("POST /accounts"), [*(e.marker for e in sent), "n9absent00000"], "owner", sent)
        assert found is not None
        return {seen.marker: seen.count for seen in found}

    counts = asyncio.run(all_of_it())
    assert sorted(counts.values()) == [0, 1, 1, 1]
    assert counts["n9absent00000"] == 0


def test_find_below_a_parent_reads_the_parents_list() -> None:
    store = Store()
    made = planner(BANK, store)

    async def all_of_it() -> list[int]:
        creator = op("POST /accounts/{account_id}/entries")
        sent = [await store.send(certain(await made.prepare(creator, "owner"))) for _ in range(3)]
        found = await made.find(creator, [e.marker for e in sent], "owner", sent)
        return [seen.count for seen in found or ()]

    assert asyncio.run(all_of_it()) == [1, 1, 1]


def test_an_identifier_comes_from_location_or_from_the_list_where_the_answer_has_none() -> None:
    store = Store()
    made = planner(BANK, store)

    async def all_of_it() -> None:
        created = await store.send(certain(await made.prepare(op("POST /accounts"), "owner")))
        id = json.loads(created.body)["id"]
        bare = msgspec.structs.replace(created, body="", headers=(("location", f"http://x/api/accounts/{id}"),))
        assert certain(await made.prepare_read(bare, "owner")).path == f"/accounts/{id}"
        listed = msgspec.structs.replace(created, body="")
        assert certain(await made.prepare_read(listed, "owner")).path == f"/accounts/{id}"

    asyncio.run(all_of_it())


def test_a_changed_entity_needs_its_tag() -> None:
    tagged = Contract(
        operations=(
            operation("POST", "/x", body=thing(name=NAME), shows=SHOWN),
            operation("GET", "/x/{x_id}", shows=SHOWN),
            operation("PUT", "/x/{x_id}", body=thing(name=NAME), extra=(
                msgspec.structs.replace(parameter("If-Match", "header", {"type": "string"}), is_required=True),)),
        )
    )  # fmt: skip
    assert dict(certain(prepared("PUT /x/{x_id}", contract=tagged)).headers)["If-Match"] == "*"


def test_query_parameters_are_sent_when_they_are_required() -> None:
    extra = (
        msgspec.structs.replace(parameter("kind", "query", {"enum": ["a", "b"]}), is_required=True),
        parameter("limit", "query", {"type": "integer"}),
    )
    lists = Contract(operations=(operation("GET", "/x", shows=LISTED, extra=extra),))
    assert certain(prepared("GET /x", contract=lists)).path == "/x?kind=a"


def test_an_action_below_an_object_takes_the_objects_tag() -> None:
    match = msgspec.structs.replace(parameter("If-Match", "header", {"type": "string"}), is_required=True)
    acting = Contract(
        operations=(
            operation("POST", "/x", body=thing(name=NAME), shows=SHOWN),
            operation("GET", "/x/{x_id}", shows=SHOWN),
            operation("POST", "/x/{x_id}/closures", extra=(match,)),
        )
    )

    class Tagged(Store):
        async def send(self, call: Call) -> Exchange:
            answer = await super().send(call)
            is_object = call.method == "GET" and call.path.startswith("/x/")
            return msgspec.structs.replace(answer, headers=(("etag", '"7"'),)) if is_object else answer

    found = certain(prepared("POST /x/{x_id}/closures", Tagged(), acting))
    assert dict(found.headers)["If-Match"] == '"7"'


def test_whoever_must_not_see_an_object_may_have_learnt_its_tag() -> None:
    match = msgspec.structs.replace(parameter("If-Match", "header", {"type": "string"}), is_required=True)
    acting = Contract(
        operations=(
            operation("POST", "/x", body=thing(name=NAME), shows=SHOWN),
            operation("GET", "/x/{x_id}", shows=SHOWN),
            operation("DELETE", "/x/{x_id}", extra=(match,)),
        )
    )

    class Private(Store):
        async def send(self, call: Call) -> Exchange:
            answer = await super().send(call)
            is_own = call.method == "GET" and call.identity == "owner"
            return msgspec.structs.replace(answer, headers=(("etag", '"7"'),)) if is_own else answer

    async def tried() -> Call | None:
        store = Private()
        made = planner(acting, store)
        created = await store.send(certain(await made.prepare(op("POST /x", acting), "owner")))
        return await made.prepare_on(op("DELETE /x/{x_id}", acting), created, "peer")

    assert dict(certain(asyncio.run(tried())).headers)["If-Match"] == '"7"'


def test_work_that_was_accepted_is_awaited_before_it_is_acted_upon() -> None:
    acting = Contract(
        operations=(
            operation("POST", "/x", body=thing(name=NAME), shows=SHOWN),
            operation("GET", "/x/{x_id}", shows=SHOWN),
            operation("POST", "/x/{x_id}/captures"),
        )
    )

    class Working(Store):
        looks = 0

        async def send(self, call: Call) -> Exchange:
            answer = await super().send(call)
            if call.method == "POST" and call.path == "/x":
                return msgspec.structs.replace(answer, status=202)
            if call.method == "GET":
                self.looks += 1
                if self.looks > 2:
                    return msgspec.structs.replace(answer, body=json.dumps({**json.loads(answer.body), "done": True}))
            return answer

    store = Working()
    assert certain(prepared("POST /x/{x_id}/captures", store, acting)).path.endswith("/captures")
    assert store.looks == 3
