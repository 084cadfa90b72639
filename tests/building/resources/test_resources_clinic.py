"""A service with what the examples do not have: lists, encrypted keys, decimals, operations of the owner's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.building.resources.contract import Contract
from tests.building.resources.running import Reply, Running, Stub, built, database

pytestmark = pytest.mark.lab
BLUEPRINT = Path(__file__).with_name("clinic.yaml")


class Clinic:
    def __init__(self, service: Running) -> None:
        self.service = service
        self.contract = Contract(service.folder / "openapi.yaml")
        self.desk = service.token("dan", "desk", tenant="p1")
        self.patient = service.token("ada", "patient", tenant="p1")
        self.doctor = service.token("greg", "doctor", tenant="p1", factors=2)

    def ask(self, method: str, path: str, body: Any = None, **given: str) -> Reply:
        reply = self.service.ask(method, path, body, **given)
        self.contract.check(method, path, reply)
        return reply

    def a_doctor(self) -> Reply:
        return self.ask("POST", "/v2/doctors", {"name": "Greg", "specialties": ["heart"]}, token=self.desk)

    def a_patient(self, *doctors: str) -> Reply:
        body: dict[str, Any] = {"email": f"{uuid.uuid4().hex}@Example.com", "born_on": "1990-01-02"}
        body |= {"weight_kg": "61.5", "notes": {"a": 1}, "doctor_ids": list(doctors)}
        return self.ask("POST", "/v2/patients", body, token=self.patient, key=uuid.uuid4().hex)

    def a_visit(self, doctor: str) -> Reply:
        body: dict[str, Any] = {"patient_id": self.a_patient().json["id"], "doctor_id": doctor}
        body |= {"span": {"starts_at": "2030-01-02T10:00:00Z", "minutes": 30}}
        body |= {"items": [{"code": "A", "price": "10.50"}, {"code": "B", "price": "1"}]}
        return self.ask("POST", "/v2/visits", body, token=self.desk, key=uuid.uuid4().hex)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    stub = Stub()
    stub.answer = lambda *_: (200, {"invoice_ref": "i-1"})
    with database() as url, built(BLUEPRINT, folder, {"DB_URL": url, "INSURER_URL": stub.url}) as service:
        yield Clinic(service)
    stub.close()


def test_lists_are_written_with_their_object_and_anew(clinic: Clinic) -> None:
    doctor = clinic.a_doctor().json["id"]
    made = clinic.a_patient(doctor)
    path = f"/v2/patients/{made.json['id']}"
    assert made.json["doctor_ids"] == [doctor]
    assert clinic.ask("GET", path, token=clinic.patient).json == made.json
    body: dict[str, Any] = {"doctor_ids": [], "notes": None, "weight_kg": "62"}
    changed = clinic.ask("PATCH", path, body, token=clinic.patient, If_Match=made.headers["etag"])
    assert (changed.json["doctor_ids"], changed.json["notes"], changed.json["weight_kg"]) == ([], None, "62.0000")
    nobody = clinic.a_patient(f"doc_{'0' * 32}")
    assert (nobody.status, nobody.json["errors"][0]["pointer"]) == (422, "/doctor_ids")


def test_what_is_encrypted_is_found_and_stays_unique(clinic: Clinic) -> None:
    made = clinic.a_patient()
    email = made.json["email"]
    found = clinic.ask("GET", f"/v2/patients?email={email.upper()}", token=clinic.desk).json["items"]
    assert [each["id"] for each in found] == [made.json["id"]]
    body: dict[str, Any] = {"email": email, "born_on": "1990-01-02", "doctor_ids": []}
    twice = clinic.ask("POST", "/v2/patients", body, token=clinic.patient, key=uuid.uuid4().hex)
    assert (twice.status, twice.problem) == (409, "already-exists")


def test_composites_and_their_lists_are_answered_as_they_were_sent(clinic: Clinic) -> None:
    doctor = clinic.a_doctor()
    visit = clinic.a_visit(doctor.json["id"])
    assert visit.json["span"] == {"starts_at": "2030-01-02T10:00:00Z", "minutes": 30}
    assert [each["price"] for each in visit.json["items"]] == ["10.5000", "1.0000"]
    found = clinic.ask("GET", f"/v2/visits?doctor_id={doctor.json['id']}", token=clinic.doctor).json["items"]
    assert found == [visit.json]
    path, etag = f"/v2/doctors/{doctor.json['id']}", doctor.headers["etag"]
    used = clinic.ask("DELETE", path, token=clinic.desk, If_Match=etag)
    assert (used.status, used.problem, used.json["detail"]) == (409, "in-use", "Others refer to it.")


def test_a_visit_goes_its_way_and_others_are_asked_at_its_end(clinic: Clinic) -> None:
    path = f"/v2/visits/{clinic.a_visit(clinic.a_doctor().json['id']).json['id']}"
    assert clinic.ask("POST", f"{path}/arrivals", token=clinic.desk).json["status"] == "arrived"
    assert clinic.ask("POST", f"{path}/cancellations", token=clinic.desk).problem == "state-conflict"
    assert clinic.ask("POST", f"{path}/completions", {"remark": "well"}, token=clinic.doctor).json["status"] == "done"
    billed = clinic.ask("POST", f"{path}/invoices", token=clinic.desk, key=uuid.uuid4().hex)
    assert (billed.json["status"], billed.json["invoice_ref"]) == ("invoiced", "i-1")
    assert len(billed.json["items"]) == 2


def test_what_the_owner_has_not_written_says_so(clinic: Clinic) -> None:
    path = f"/v2/visits/{clinic.a_visit(clinic.a_doctor().json['id']).json['id']}/estimations"
    for reply in (
        clinic.ask("POST", path, {"discount": "0.1"}, token=clinic.desk),
        clinic.ask("GET", "/v2/visit-counts", token=clinic.desk),
    ):
        assert (reply.status, reply.problem) == (503, "unavailable")
        assert "not written yet" in reply.json["detail"]
