"""A built service with a graph, as it runs: statements are counted on the wire to its database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.building.graph.listening import Listener, listening
from tests.building.resources.running import Reply, Running, built, database

pytestmark = pytest.mark.lab
BLUEPRINT = Path(__file__).with_name("journeys.yaml")
RESPONSE = "application/graphql-response+json"
_ALIASES = " ".join(f"f{n}: status" for n in range(15))
_WIDE = f"{{ listTrips(pageSize: 200) {{ items {{ driver {{ trips(first: 3) {{ {_ALIASES} id note metres }} }} }} }} }}"
DEPOTS, DRIVERS, TRIPS = 3, 7, 50


class Journeys:
    def __init__(self, service: Running, listener: Listener) -> None:
        self.service, self.listener = service, listener
        self.dispatcher = service.token("ada", "dispatcher", tenant="one")
        self.driver = service.token("bob", "driver", tenant="one")
        self.other = service.token("eve", "dispatcher", tenant="two")
        self.trips: list[dict[str, Any]] = []

    def post(self, query: str, *, token: str = "", accept: str = RESPONSE, **variables: Any) -> Reply:
        body = {"query": query, "variables": variables}
        return self.service.ask("POST", "/graphql", body, token=token or self.dispatcher, Accept=accept)

    def data(self, query: str, *, token: str = "", **variables: Any) -> Any:
        reply = self.post(query, token=token, **variables)
        assert reply.status == 200, reply.body
        assert "errors" not in reply.json, reply.body
        return reply.json["data"]

    def error(self, query: str, *, token: str = "", **variables: Any) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.post(query, token=token, **variables).json["errors"]
        assert len(found) == 1, found
        return found[0]

    def statements(self, query: str, *, token: str = "", **variables: Any) -> tuple[Any, list[str]]:
        """The data, and the tables that the document read from."""
        before = len(self.listener.sent)
        found = self.data(query, token=token, **variables)
        sent = self.listener.sent[before:]
        own = ("depots", "vehicles", "drivers", "trips", "vehicle_spare_drivers")
        tables = [next((table for table in own if f"FROM {table}\n" in each), "") for each in sent]
        return found, [each for each in tables if each]

    def fill(self) -> None:
        create = "mutation m($key: String!, $in: %sCreateInput!) { made: %s(idempotencyKey: $key, input: $in) { id } }"

        def make(type: str, operation: str, token: str = "", /, **given: Any) -> str:
            return str(self.data(create % (type, operation), token=token, key=key(), **{"in": given})["made"]["id"])

        place = {"latitudeMicro": 52_500_000, "longitudeMicro": 13_400_000}
        depots = [make("Depot", "createDepot", name=f"Depot {n}", place=place, line_1="x") for n in range(DEPOTS)]
        drivers = [make("Driver", "createDriver", name=f"D{n}", homeId=depots[n % DEPOTS]) for n in range(DRIVERS)]
        vehicles = [
            make(
                "Vehicle",
                "createVehicle",
                plate=f"B-{n}",
                depotId=depots[n % DEPOTS],
                kind="van",
                boughtOn="2029-01-02",
                price="10500.50",
                tags=["big"],
                spareDriverIds=drivers[: n % 3],
            )
            for n in range(5)
        ]
        for n in range(TRIPS):
            token = self.driver if n % 5 == 0 else self.dispatcher
            given = {"vehicleId": vehicles[n % 5], "driverId": drivers[n % DRIVERS], "startsAt": "2030-01-02T10:00:00Z"}
            make("Trip", "planTrip", token, **given)


def key() -> str:
    return uuid.uuid4().hex


@pytest.fixture(scope="module")
def journeys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journeys]:
    folder = tmp_path_factory.mktemp("journeys")
    with (
        database() as url,
        listening(url) as (heard_at, listener),
        built(BLUEPRINT, folder, {"DB_URL": heard_at}) as service,
    ):
        found = Journeys(service, listener)
        found.fill()
        yield found


def test_a_page_and_references_two_levels_deep_are_a_statement_for_each_level(journeys: Journeys) -> None:
    query = "{ listTrips { items { id vehicle { plate depot { name place { latitudeMicro } } } driver { name } } } }"
    found, tables = journeys.statements(query)
    items = found["listTrips"]["items"]
    assert len(items) == TRIPS
    assert {each["vehicle"]["depot"]["name"] for each in items} == {f"Depot {n}" for n in range(DEPOTS)}
    # The list of a vehicle's spare drivers is a table of its own: one statement more, whatever the number of vehicles.
    assert sorted(tables) == ["depots", "drivers", "trips", "vehicle_spare_drivers", "vehicles"]


def test_what_refers_to_objects_is_a_statement_for_all_of_them(journeys: Journeys) -> None:
    query = "{ listDepots { items { name drivers(first: 2) { name trips(first: 3) { startsAt note version } } } } }"
    found, tables = journeys.statements(query)
    first = found["listDepots"]["items"][0]
    assert [each["name"] for each in first["drivers"]] == ["D6", "D3"]
    assert all(len(each["trips"]) == 3 for each in first["drivers"])
    assert sorted(tables) == ["depots", "drivers", "trips"]


def test_lists_of_references_are_read_together(journeys: Journeys) -> None:
    query = "{ listVehicles(pageSize: 5) { items { plate version spareDriverIds spareDrivers { id name } } } }"
    found, tables = journeys.statements(query)
    for each in found["listVehicles"]["items"]:
        assert [one["id"] for one in each["spareDrivers"]] == each["spareDriverIds"]
        assert each["version"] == 1
    assert sorted(tables) == ["drivers", "vehicle_spare_drivers", "vehicle_spare_drivers", "vehicles", "vehicles"]


def test_the_graph_shows_what_the_operation_shows(journeys: Journeys) -> None:
    one = journeys.data("{ listVehicles(pageSize: 1) { items { id } nextCursor } }")["listVehicles"]
    vehicle_id = one["items"][0]["id"]
    rest = journeys.service.ask("GET", f"/v1/vehicles/{vehicle_id}", token=journeys.dispatcher)
    query = """query q($id: ID!) { getVehicle(vehicleId: $id) {
      id companyId plate depotId kind boughtOn price tags spareDriverIds status createdAt updatedAt version } }"""
    found = journeys.data(query, id=vehicle_id)["getVehicle"]
    assert found.pop("version") == 1
    assert rest.headers["etag"] == '"1"'
    assert {_plain(name): value for name, value in found.items()} == rest.json
    following = journeys.data("query q($c: String) { listVehicles(cursor: $c) { items { id } } }", c=one["nextCursor"])
    assert len(following["listVehicles"]["items"]) == 4


def _plain(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name)


def test_nobody_sees_by_a_reference_what_they_may_not_read(journeys: Journeys) -> None:
    """A driver sees own trips alone, and no drivers; somebody of another company sees nothing."""
    reply = journeys.post(
        "{ listTrips { items { ownerId vehicle { plate } driver { name } } } }", token=journeys.driver
    )
    items = reply.json["data"]["listTrips"]["items"]
    assert len(items) == TRIPS / 5
    assert {each["ownerId"] for each in items} == {"bob"}
    assert all(each["driver"] is None and each["vehicle"] for each in items)
    assert {each["extensions"]["code"] for each in reply.json["errors"]} == {"forbidden"}
    own = journeys.data("{ listVehicles { items { trips { ownerId } } } }", token=journeys.driver)["listVehicles"]
    assert {trip["ownerId"] for each in own["items"] for trip in each["trips"]} == {"bob"}
    trip_id = journeys.data("{ listTrips(pageSize: 1) { items { id } } }")["listTrips"]["items"][0]["id"]
    assert journeys.data("{ listTrips { items { id } } }", token=journeys.other)["listTrips"]["items"] == []
    error = journeys.error("query q($id: ID!) { getTrip(tripId: $id) { id } }", id=trip_id, token=journeys.other)
    assert error["extensions"]["code"] == "not-found"


def test_changes_keep_keys_versions_and_states(journeys: Journeys) -> None:
    trip = journeys.data("{ listTrips(pageSize: 1) { items { id version } } }")["listTrips"]["items"][0]
    start = """mutation m($id: ID!, $key: String!, $v: Long!) {
      startTrip(tripId: $id, idempotencyKey: $key, version: $v) { status version } }"""
    given = {"id": trip["id"], "key": key(), "v": trip["version"]}
    done = journeys.data(start, **given)
    assert done == {"startTrip": {"status": "driving", "version": 2}}
    assert journeys.data(start, **given) == done
    assert journeys.error(start, **given | {"v": 2, "key": key()})["extensions"]["code"] == "state-conflict"
    assert journeys.error(start, **given | {"key": key()})["extensions"]["code"] == "precondition-failed"
    update = """mutation m($id: ID!, $v: Long!, $change: VehicleUpdateInput!) {
      updateVehicle(vehicleId: $id, version: $v, input: $change) { plate kind version spareDriverIds } }"""
    vehicle = journeys.data("{ listVehicles(pageSize: 1) { items { id version } } }")["listVehicles"]["items"][0]
    changed = journeys.data(update, id=vehicle["id"], v=vehicle["version"], change={"kind": "lorry"})
    assert changed["updateVehicle"]["kind"] == "lorry"
    wrong = journeys.error(update, id=vehicle["id"], v=2, change={"plate": "x" * 17, "price": "dear"})
    assert [each["pointer"] for each in wrong["extensions"]["errors"]] == ["/input/plate", "/input/price"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ listTrips(pageSize: 200) { items { vehicle { depot { name } } driver { name } id } } }", ""),
        ("{ listTrips(pageSize: 200) { items { vehicle { depot { name vehicles { plate } } } } } }", "costs"),
        ("{ listDepots { items { vehicles { trips { id } } } } }", "costs"),
        ("{ listTrips(pageSize: 200000) { items { id } } }", "costs"),
        ("{ listTrips { items { driver { home { drivers { home { drivers { home { name } } } } } } } } }", "deeper"),
        ("{" + " ".join(f"a{n}: listDepots(pageSize: 1) {{ nextCursor }}" for n in range(16)) + "}", "aliases"),
        (_WIDE, "values"),
        ("{ listDepots { items { " + "id " * 300 + "} } }", "300 fields"),
        ("{ listDepots { items { " + "id " * 4 + "} } }", "one name"),
        ("{ " + "a(b: {c: " * 40, "nested"),
        ("{ ...A } fragment A on Query { ...A }", "holds itself"),
        ("{ __typename " + "@skip(if: false)" * 40 + "}", "directives"),
        ("{ __typename } #" + "x" * 20_000, "longer"),
        ("query a { __typename } query b { __typename }", "2 operations"),
    ],
)
def test_documents_that_ask_for_too_much_are_refused_unread(journeys: Journeys, query: str, said: str) -> None:
    before = len([each for each in journeys.listener.sent if "FROM trips" in each or "FROM depots" in each])
    reply = journeys.post(query)
    if not said:
        assert reply.status == 200
        return
    assert reply.status == 422
    assert said in reply.json["errors"][0]["message"]
    after = len([each for each in journeys.listener.sent if "FROM trips" in each or "FROM depots" in each])
    assert after == before


def test_transport_is_as_strict_as_elsewhere(journeys: Journeys) -> None:
    ask, token = journeys.service.ask, journeys.dispatcher
    assert ask("POST", "/graphql", b"{", token=token).problem == "malformed-request"
    assert ask("POST", "/graphql", b"[]", token=token).problem == "malformed-request"
    assert ask("POST", "/graphql", b"{}", token=token, Content_Type="text/plain").status == 415
    assert ask("POST", "/graphql", b" " * 70_000, token=token).status == 413
    assert ask("GET", "/graphql?query=x", token=token).status == 405
    assert ask("POST", "/graphql", {"query": "{ __typename }"}, token="no.token.atall").status == 401
    assert journeys.post("{ __schema { queryType { name } } }").status == 200


HOSTILE = (
    *('"\\u0000"', '""', '"x"', f'"{"x" * 5_000}"', '"\\u{1F600}"', '"\'; DROP TABLE trips; --"', '"*"', '"\\"3\\""'),
    *("0", "-1", "1.5", "1e400", "9" * 40, "true", "null", "van", "[]", "[1]", "{}", '{a: "b"}'),
    *('"2030-13-45"', '"trp_zz"', '"dep_" '),
)
_CREATE = (
    'mutation { createDepot(idempotencyKey: "k", input: {name: %s, place: {latitudeMicro: %s, longitudeMicro: 1}})'
)
_PLAN = 'mutation { planTrip(idempotencyKey: "k", input: {vehicleId: "v", driverId: "d", startsAt: %s, metres: %s})'
_KEPT = 'mutation { createVehicle(idempotencyKey: "k", input: {plate: "p", depotId: "d", kind: van, boughtOn: %s, '
ARGUMENTS = (
    "query { getTrip(tripId: %s) { id } }",
    "query { listTrips(vehicleId: %s) { nextCursor } }",
    "query { listTrips(startsFrom: %s) { nextCursor } }",
    "query { listTrips(pageSize: %s) { nextCursor } }",
    "query { listTrips(cursor: %s) { nextCursor } }",
    "query { listVehicles(kind: %s) { nextCursor } }",
    "query { listDepots(pageSize: 1) { items { vehicles(first: %s) { id } } } }",
    'mutation { finishTrip(tripId: "trp_00000000000000000000000000000000", idempotencyKey: %s) { id } }',
    'mutation { retireVehicle(vehicleId: "veh_00000000000000000000000000000000", version: %s) { id } }',
    _CREATE % ("%s", "1") + " { id } }",
    _CREATE % ('"n"', "%s") + " { id } }",
    _PLAN % ("%s", "1") + " { id } }",
    _PLAN % ('"2030-01-02T10:00:00Z"', "%s") + " { id } }",
    _KEPT % '"2029-01-02"' + "price: %s, tags: [], spareDriverIds: []}) { id } }",
    _KEPT % "%s" + 'price: "1", tags: [], spareDriverIds: []}) { id } }',
)


@pytest.mark.parametrize("document", ARGUMENTS)
def test_no_value_makes_it_fail_inside(journeys: Journeys, document: str) -> None:
    for value in HOSTILE:
        reply = journeys.post(document % value)
        found = [each["extensions"]["code"] for each in reply.json.get("errors", ())]
        assert reply.status in (200, 400, 422), (value, reply.body)
        assert not {"internal-error", "unavailable"} & set(found), (value, reply.body)


def test_operations_of_a_document_are_counted_one_by_one(journeys: Journeys) -> None:
    journeys.data("{ listDepots(pageSize: 1) { nextCursor } two: listDepots(pageSize: 2) { nextCursor } }")
    told = journeys.service.ask("GET", "/metrics").body.decode()
    counts = {
        line.split("{")[1].split("}")[0]: float(line.split()[-1])
        for line in told.splitlines()
        if line.startswith("http_request_duration_seconds_count")
    }
    listed = [count for labels, count in counts.items() if 'operation="listDepots"' in labels and "200" in labels]
    assert sum(listed) >= 2
    assert any('operation="graphql"' in labels for labels in counts)
    lines = [json.loads(line) for line in journeys.service.log().splitlines() if line.startswith("{")]
    assert not [each for each in lines if "__typename" in json.dumps(each)]
