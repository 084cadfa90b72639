"""The documents of the contract, checked by the tools of their own fields, over the example blueprints and over any."""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import graphql as reference
import pytest
import yaml as plain_yaml
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from openapi_spec_validator import validate

from nines.dossier import markdown, yaml
from nines.dossier.chapters import contract
from nines.dossier.chapters.contract import graphql, openapi, pages
from nines.model.blueprint import Action, Blueprint, Card, Field, FieldKind, Operation, Resource
from nines.model.blueprint.operation import Deprecation
from nines.model.design import Design, Source
from nines.model.errors import SourceError
from nines.planning import data, interface
from nines.readers import blueprint as reader
from nines.readers.openapi import read as read_openapi
from tests import tools
from tests.planning.blueprints import blueprints

EXAMPLES = sorted((Path(__file__).parents[4] / "examples" / "blueprints").glob("*.yaml"))
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_LINK = re.compile(r"\]\(([^)]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def design_of(blueprint: Blueprint) -> Design:
    bare = Design(
        card=replace(blueprint.service, interfaces=("rest", "graphql")),
        source=Source.BLUEPRINT,
        blueprint=blueprint,
        auth=blueprint.auth,
        dependencies=blueprint.dependencies,
        events=blueprint.events.types,
    )
    return interface.endpoints(data.tables(bare))


@cache
def example(path: Path) -> Design:
    return design_of(reader.read(path))


@cache
def written(path: Path) -> dict[str, str]:
    return {each.path: each.text for each in contract.write(example(path))}


@pytest.fixture(params=EXAMPLES, ids=[each.stem for each in EXAMPLES])
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def design(path: Path) -> Design:
    return example(path)


@pytest.fixture
def documents(path: Path) -> dict[str, str]:
    return written(path)


def test_openapi_is_valid_and_clean(design: Design) -> None:
    document = openapi.document(design)
    validate(document)
    assert tools.lint_openapi(document) == []


def test_the_linter_would_see_an_example_that_breaks_its_schema() -> None:
    text = json.dumps(openapi.document(example(EXAMPLES[0]))).replace('"status": 500', '"status": "500"')
    assert {each["rule"] for each in tools.lint_openapi(json.loads(text))} == {"oas3-valid-media-example"}


def test_asyncapi_is_valid(design: Design, documents: dict[str, str]) -> None:
    assert ("contract/asyncapi.yaml" in documents) == bool(design.events)
    if not design.events:
        return
    found = tools.parse_asyncapi(documents["contract/asyncapi.yaml"])
    # The newer version changes nothing that is used here, and fewer tools read it.
    assert [each for each in found if each["rule"] != "asyncapi-latest-version"] == []


def test_the_schema_of_graphql_is_valid(design: Design) -> None:
    schema = reference.build_schema(graphql.text(design))
    assert reference.validate_schema(schema) == []
    fields = {name for kind in (schema.query_type, schema.mutation_type) if kind for name in kind.fields}
    assert fields == {each.id for each in design.endpoints}


def test_nines_reads_its_own_contract(design: Design, documents: dict[str, str]) -> None:
    found = read_openapi(documents["contract/openapi.yaml"].encode(), "openapi.yaml")
    assert found.problems == ()
    scheme = design.auth.scheme if design.auth else ""
    open_ones = {"own-jwt": {"getKeys", "getIssuer"}, "oidc": {"signIn", "completeSignIn"}}.get(scheme, set())
    beside = open_ones | ({"signOut"} if scheme == "oidc" else set())
    assert {each.id for each in found.operations} == {each.id for each in design.endpoints} | beside
    public = {each.id for each in found.operations if not each.is_secured}
    assert public == {each.id for each in design.endpoints if each.is_public} | open_ones


def test_every_link_leads_somewhere(documents: dict[str, str]) -> None:
    for path, text in documents.items():
        for target in _LINK.findall(text) if path.endswith(".md") else ():
            name, _, anchor = target.partition("#")
            found = str((Path("/") / path).parent.joinpath(name).resolve())[1:]
            assert found in documents, f"{path}: {target}"
            titles = _HEADING.findall(documents[found])
            assert not anchor or titles.count(next(t for t in titles if markdown.anchor(t) == anchor)) == 1


def test_every_example_on_a_page_is_whole(documents: dict[str, str]) -> None:
    for page in (text for path, text in documents.items() if path.endswith(".md")):
        for _, language, text in _FENCE.findall(page):
            if language == "sh":
                words = shlex.split(text.replace("\\\n", " "))
                assert words[0] == "curl"
                bodies = [words[at + 1] for at, word in enumerate(words) if word == "-d"]
                assert all(isinstance(json.loads(body), dict) for body in bodies)
            elif language == "http" and "{" in text:
                assert isinstance(json.loads(text.partition("\n\n")[2]), dict)


def test_every_operation_and_every_problem_is_told(design: Design, documents: dict[str, str]) -> None:
    problems = documents["contract/problems.md"]
    for endpoint, place in zip(design.endpoints, pages.places(design), strict=True):
        assert f"`{endpoint.method} {endpoint.path}`" in documents["contract/README.md"]
        told = documents[f"contract/{place.partition('#')[0]}"]
        section = told.partition(f"## {pages.title_of(endpoint)}\n")[2].partition("\n## ")[0]
        for answer in endpoint.answers:
            if answer.problem:
                assert f"[{answer.problem}]" in section
                assert f'"type": "/problems/{answer.problem}"' in problems
            else:
                assert f"HTTP/1.1 {answer.status}" in section


@FEW
@given(blueprints())
def test_the_documents_of_any_blueprint_hold(blueprint: Blueprint) -> None:
    design = design_of(blueprint)
    document = openapi.document(design)
    validate(document)
    written = {each.path: each.text for each in contract.write(design)}
    assert written == {each.path: each.text for each in contract.write(design_of(blueprint))}
    assert plain_yaml.safe_load(written["contract/openapi.yaml"]) == json.loads(json.dumps(document))
    assert reference.validate_schema(reference.build_schema(written["contract/schema.graphql"])) == []
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in written.values())


def test_the_released_contract_is_compared() -> None:
    design = example(EXAMPLES[0])
    released = written(EXAMPLES[0])["contract/openapi.yaml"]
    same = {each.path: each.text for each in contract.write(replace(design, released=released))}
    assert "There is none" in same["contract/changes.md"]
    first = design.endpoints[0]
    less = replace(design, endpoints=design.endpoints[1:], released=released)
    told = {each.path: each.text for each in contract.write(less)}
    assert "operation-removed" in told["contract/changes.md"]
    assert f"{first.method} {first.path}" in told["contract/changes.md"]
    assert "1 breaking change." in told["contract/README.md"]


@pytest.mark.parametrize("text", ["a: &x [1]\nb: *x\n", "a: [", "[" * 5_000, "\x00", "!!python/object:os.system x"])
def test_a_released_contract_that_cannot_be_read_is_one_clear_error(text: str) -> None:
    with pytest.raises(SourceError, match=r"contract/released\.yaml"):
        yaml.load(text, "contract/released.yaml")


def test_yaml_keeps_what_other_readers_would_turn_into_something_else() -> None:
    odd: dict[str, Any] = {"no": "no", "on": "1.0", "at": "2030-01-02", "many": "a\nb\n", "time": "12:30", "none": None}
    assert plain_yaml.safe_load(yaml.dump(odd)) == odd


def test_a_schema_of_graphql_holds_whatever_things_are_called() -> None:
    kinds = Field(name="status", kind=FieldKind.ENUM, values=("on", "true-ish", "off"))
    plain = Field(name="mode", kind=FieldKind.ENUM, values=("on", "off"))
    names = ("Query", "Date", "Thing", "ThingMode", "Problem")
    blueprint = Blueprint(
        service=Card(name="odd"),
        resources=tuple(Resource(name=name, fields=(kinds, plain)) for name in names),
        operations=tuple(
            Operation(name=f"{verb}{name}", on=name, do=action)
            for name in names
            for verb, action in (("get", Action.READ), ("list", Action.LIST), ("create", Action.CREATE))
        ),
    )
    schema = reference.build_schema(graphql.text(design_of(blueprint)))
    assert reference.validate_schema(schema) == []
    assert {"QueryObject", "DateObject", "ThingMode", "ThingModeValue"} <= set(schema.type_map)


def test_what_will_go_is_announced_in_every_form() -> None:
    ending = Deprecation(since="2030-01-31", sunset="2030-07-31", successor="listThings")
    blueprint = Blueprint(
        service=Card(name="things"),
        resources=(Resource(name="Thing"),),
        operations=(
            Operation(name="listThings", on="Thing", do=Action.LIST),
            Operation(name="getThing", on="Thing", do=Action.READ, deprecation=ending),
        ),
    )
    design = design_of(blueprint)
    documents = {each.path: each.text for each in contract.write(design)}
    page = documents["contract/operations/thing.md"]
    assert "Deprecated since 2030-01-31, and may be gone from 2030-07-31. Use listThings instead." in page
    assert "Deprecation: @1896048000" in page
    assert "Sunset: Wed, 31 Jul 2030 00:00:00 GMT" in page
    assert 'Link: </v1/things>; rel="successor-version"' in page
    assert openapi.document(design)["paths"]["/v1/things/{thing_id}"]["get"]["deprecated"] is True
    assert '@deprecated(reason: "Since 2030-01-31.")' in documents["contract/schema.graphql"]
