"""Every artefact of operation, judged by the tool or the specification of its own field."""

from __future__ import annotations

import importlib
import itertools
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from nines.checkers.binomial import samples_needed
from nines.dossier.chapters.operation import rules
from nines.dossier.chapters.operation.rollout import canary
from nines.model.blueprint import Blueprint
from nines.model.design import Design
from nines.planning import plan
from nines.readers import blueprint as reader
from tests import tools
from tests.dossier.chapters.operation.designs import EXAMPLES, NAMES, RECOVERED, example, written
from tests.dossier.chapters.operation.openslo_schema import SCHEMA
from tests.planning.blueprints import blueprints

kubernetes_validate: Any = importlib.import_module("kubernetes_validate")
FEW = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HOST = re.compile(r"https?://(?!127\.0\.0\.1)([\w.-]+)")
_INSTRUCTIONS = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}


@pytest.fixture(scope="module", params=NAMES)
def design(request: pytest.FixtureRequest) -> Design:
    return example(str(request.param))


@pytest.fixture(scope="module")
def documents(design: Design) -> dict[str, str]:
    return written(design)


def put(folder: Path, design: Design) -> Path:
    for name, document in (("rules", rules.rules(design)), ("rules_test", rules.tests(design))):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def only(design: Design, *kinds: str) -> Design:
    """Without the objectives and alerts of other kinds, since promtool evaluates every rule at every step."""
    found = design.running
    alerts = tuple(each for each in found.alerts if each.objective in kinds or (not each.objective and "" in kinds))
    recordings = tuple(each for each in found.recordings if dict(each.labels)["slo"] in kinds)
    return replace(design, running=replace(found, alerts=alerts, recordings=recordings))


def test_prometheus_takes_the_rules(design: Design, documents: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(documents["operation/alerts/rules.yaml"], encoding="utf-8")
    done = tools.promtool("check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load(documents["operation/alerts/rules_test.yaml"]) == rules.tests(design)


CASES = [
    *((name, "") for name in NAMES),
    *(("payments", each.id) for each in example("payments").running.objectives),
    ("shop", "shop-latency-200ms"),
]


@pytest.mark.parametrize(("name", "part"), CASES)
def test_every_alert_fires_when_it_should_and_only_then(name: str, part: str, tmp_path: Path) -> None:
    folder = put(tmp_path, only(example(name), part))
    done = tools.promtool("test", "rules", str(folder / "rules_test.yaml"))
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]


@pytest.mark.parametrize(("old", "new"), [(">=", "<"), ("> 0", "> 1000000000"), (" and ", " or ")])
def test_the_tests_of_alerts_can_fail(old: str, new: str, tmp_path: Path) -> None:
    folder = put(tmp_path, only(example("payments"), "", "payments-availability"))
    path = folder / "rules.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for rule in [rule for group in document["groups"] for rule in group["rules"] if "alert" in rule]:
        rule["expr"] = rule["expr"].replace("\n", " ").replace(old, new)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = tools.promtool("test", "rules", str(folder / "rules_test.yaml"))
    assert done.returncode == 1, done.stdout[-1_000:]


def test_every_alert_has_its_runbook_and_every_runbook_its_alert(design: Design, documents: dict[str, str]) -> None:
    books = {path for path in documents if path.startswith("operation/runbooks/")}
    assert books == {alert.runbook for alert in design.running.alerts}
    rendered = [rule for group in rules.rules(design)["groups"] for rule in group["rules"] if "alert" in rule]
    assert {rule["annotations"]["runbook"] for rule in rendered} == books
    for alert in design.running.alerts:
        text = documents[alert.runbook]
        for part in ("What it means", "How to see it", "What to do first", "How to make it stop", "When to call"):
            body = text.partition(f"## {part}")[2].partition("\n## ")[0]
            assert len(body.split()) > 8, f"{alert.name}: {part}"
        assert alert.expression in text


def test_kubernetes_takes_every_manifest(documents: dict[str, str]) -> None:
    found = {path: text for path, text in documents.items() if "/kubernetes/" in path}
    assert found
    for path, text in found.items():
        kubernetes_validate.validate(yaml.safe_load(text), "1.37", strict=True)
        assert "secretKeyRef" not in text or "value: only" not in text, path


def test_manifests_say_what_the_design_says(design: Design, documents: dict[str, str]) -> None:
    many = len(design.running.deployables) > 1
    for deployable in design.running.deployables:
        folder = f"operation/deploy/kubernetes/{deployable.name + '/' if many else ''}"
        pod = yaml.safe_load(documents[f"{folder}deployment.yaml"])["spec"]["template"]["spec"]
        container = pod["containers"][0]
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
        assert container["resources"]["limits"]["memory"] == f"{design.deploy.memory_bytes // 1024**2}Mi"
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert pod["securityContext"]["runAsNonRoot"]
        scaler = yaml.safe_load(documents[f"{folder}autoscaler.yaml"])["spec"]
        assert design.capacity
        busy = scaler["metrics"][0]["resource"]["target"]["averageUtilization"]
        assert busy == round(design.capacity.scale_at * 100)
        assert (scaler["minReplicas"], scaler["maxReplicas"]) == (deployable.replicas_min, deployable.replicas_max)
        egress = yaml.safe_load(documents[f"{folder}network-policy.yaml"])["spec"]["egress"]
        assert len(egress) >= 2
        assert all(rule["to"] and rule["ports"] for rule in egress)


def test_no_secret_stands_in_a_manifest(design: Design, documents: dict[str, str]) -> None:
    names = {each.name for each in design.secrets}
    for path, text in documents.items():
        if "/kubernetes/" not in path:
            continue
        for document in yaml.safe_load_all(text):
            for entry in _environment(document):
                assert entry["name"] not in names or "secretKeyRef" in entry["valueFrom"], path


def test_a_module_knows_no_credential_of_what_only_another_one_asks() -> None:
    documents = written(example("shop"))
    folder = "operation/deploy/kubernetes"
    holders = {
        each.name
        for each in example("shop").running.deployables
        if "PROVIDER_CREDENTIAL" in documents[f"{folder}/{each.name}/deployment.yaml"]
    }
    assert holders == {"shop-payments"}


def _environment(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        own = node.get("env", [])
        return [*own, *itertools.chain.from_iterable(_environment(each) for each in node.values())]
    if isinstance(node, list):
        return [*itertools.chain.from_iterable(map(_environment, node))]
    return []


def test_the_objectives_are_openslo(design: Design, documents: dict[str, str]) -> None:
    found = list(yaml.safe_load_all(documents["operation/slo.yaml"]))
    for document in found:
        jsonschema.validate(document, SCHEMA)
    by_kind: dict[str, set[str]] = {}
    for document in found:
        by_kind.setdefault(document["kind"], set()).add(document["metadata"]["name"])
    assert by_kind["SLO"] == {each.id for each in design.running.objectives}
    for document in found:
        if document["kind"] == "SLO":
            objective = design.running.objective(document["metadata"]["name"])
            assert objective
            assert document["spec"]["objectives"][0]["target"] == objective.target
            assert {each["alertPolicyRef"] for each in document["spec"]["alertPolicies"]} <= by_kind["AlertPolicy"]
        for target in document["spec"].get("notificationTargets", ()):
            assert target["targetRef"] in by_kind["AlertNotificationTarget"]


def test_the_dashboard_is_whole(design: Design, documents: dict[str, str]) -> None:
    text = documents[f"operation/dashboards/{design.name}.json"]
    board = json.loads(text)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert not _HOST.search(text)
    places: list[tuple[int, int]] = []
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
        places += cells
        for target in panel.get("targets", ()):
            assert target["expr"].count("(") == target["expr"].count(")")
    assert len(places) == len(set(places)), "panels overlap"


def test_what_the_dashboard_asks_is_promql(documents: dict[str, str], design: Design, tmp_path: Path) -> None:
    board = json.loads(documents[f"operation/dashboards/{design.name}.json"])
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    for path, text in documents.items():
        if path.endswith(".md"):
            told = [body for language, body in _FENCE.findall(text) if language == "promql"]
            asked += [each.replace("$stage", "5m") for each in told]
    group = {"name": "asked", "rules": [{"record": f"asked:{at}", "expr": each} for at, each in enumerate(asked)]}
    written_to = tmp_path / "asked.yaml"
    written_to.write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")
    done = tools.promtool("check", "rules", str(written_to))
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_its_configuration(documents: dict[str, str], tmp_path: Path) -> None:
    document = yaml.safe_load(documents["operation/deploy/prometheus.yaml"])
    for scrape in document["scrape_configs"]:
        # Debian's promtool is built without the discovery of Kubernetes.
        assert scrape.pop("kubernetes_sd_configs") == [{"role": "pod"}]
        scrape["static_configs"] = [{"targets": ["127.0.0.1:8000"]}]
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "rules.yaml").write_text(documents["operation/alerts/rules.yaml"], encoding="utf-8")
    (tmp_path / "deploy").mkdir()
    path = tmp_path / "deploy" / "prometheus.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = tools.promtool("check", "config", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_refers_to_what_is_there(documents: dict[str, str], design: Design) -> None:
    document = yaml.safe_load(documents["operation/deploy/compose.yaml"])
    assert set(document) <= {"name", "services", "secrets", "volumes"}
    services = document["services"]
    assert {each.name for each in design.running.deployables} < set(services)
    for name, service in services.items():
        assert ("image" in service) or ("build" in service), name
        assert set(service.get("secrets", ())) <= set(document["secrets"])
        assert set(service.get("depends_on", {})) <= set(services)
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[needed]
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in document["volumes"]
        assert all(isinstance(each, str) for each in service.get("environment", {}).values())
    assert all(each["file"].startswith("./secrets/") for each in document["secrets"].values())


def test_the_dockerfile_can_be_read(documents: dict[str, str]) -> None:
    text = documents["operation/deploy/Dockerfile"].replace("\\\n", " ")
    lines = [line.partition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    assert {name for name, _, _ in lines} == _INSTRUCTIONS
    values = {name: value for name, _, value in lines}
    assert re.fullmatch(r"BASE=\S+@sha256:[0-9a-f]{64}", values["ARG"])
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", values["USER"])
    assert all(isinstance(each, str) for each in json.loads(values["CMD"]))
    assert all(isinstance(each, str) for each in json.loads(values["HEALTHCHECK"].partition(" CMD ")[2]))
    names = [name for name, _, _ in lines]
    assert names.index("USER") < names.index("CMD")
    assert len([name for name in names if name == "FROM"]) == 2


def test_every_link_leads_somewhere(documents: dict[str, str]) -> None:
    check_links(documents)


def check_links(documents: dict[str, str]) -> None:
    for path, text in documents.items():
        for target in _LINK.findall(_FENCE.sub("", text)) if path.endswith(".md") else ():
            found = str((Path("/") / path).parent.joinpath(target).resolve())[1:]
            assert found in documents, f"{path}: {target}"


OTHERS = {
    "weeks": (("window: 30d", "window: 7d"), ("platform: kubernetes", "platform: compose")),
    "late": (
        ("window: 30d", "window: 28d"),
        ("replication: synchronous", "replication: asynchronous"),
        ("rpo: 0s", "rpo: 60s"),
    ),
    "alone": (("window: 30d", "window: 1d"), ("replication: synchronous, ", ""), ("min: 3, max: 16", "min: 1, max: 1")),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_windows_copies_and_platforms(kind: str, tmp_path: Path) -> None:
    text = (EXAMPLES / "payments.yaml").read_text(encoding="utf-8")
    for old, new in OTHERS[kind]:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "payments.yaml"
    path.write_text(text, encoding="utf-8")
    design = plan(reader.read(path))
    documents = written(design)
    check_links(documents)
    kinds = {each.kind for each in design.running.alerts}
    assert ("standby" in kinds) == (kind != "alone")
    assert ("autoscaler" in kinds) == (kind == "late")
    assert any("/kubernetes/" in each for each in documents) == (kind != "weeks")
    assert ("names no copy" in documents["operation/recovery.md"]) == (kind == "alone")
    assert all(not mode.alert or design.running.alert(mode.alert) for mode in design.failures)
    folder = put(tmp_path, only(design, "payments-availability"))
    done = tools.promtool("test", "rules", str(folder / "rules_test.yaml"))
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]


def test_the_canary_is_counted_as_everywhere() -> None:
    found = canary(0.001)
    assert found.requests == 2_995 == samples_needed(0, 0.001)
    assert found.failures_max == 6
    assert found.false_alarm < 0.05 < found.found
    assert found.found > 0.99


@FEW
@given(blueprints())
def test_the_documents_of_any_blueprint_hold(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    documents = written(design)
    assert documents == written(plan(blueprint))
    check_links(documents)
    for path, text in documents.items():
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        if "/kubernetes/" in path:
            kubernetes_validate.validate(yaml.safe_load(text), "1.37", strict=True)
        elif path.endswith("slo.yaml"):
            for document in yaml.safe_load_all(text):
                jsonschema.validate(document, SCHEMA)
        elif path.endswith(".json"):
            json.loads(text)


@settings(max_examples=1, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(blueprints())
def test_the_alerts_of_any_blueprint_behave(tmp_path_factory: pytest.TempPathFactory, blueprint: Blueprint) -> None:
    design = only(plan(blueprint), "", "example-availability")
    folder = put(tmp_path_factory.mktemp("rules"), design)
    done = tools.promtool("test", "rules", str(folder / "rules_test.yaml"))
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]


def test_of_a_service_that_was_read_nothing_is_invented(tmp_path: Path) -> None:
    documents = written(RECOVERED)
    check_links(documents)
    assert not any("/deploy/" in path for path in documents)
    assert "operation/rollout.md" not in documents
    assert "operation/recovery.md" not in documents
    assert "Nothing here says that the service gives them out." in documents["operation/README.md"]
    assert "not known" in documents["operation/readiness.md"]
    assert "`email`" in documents["operation/telemetry.md"]
    for document in yaml.safe_load_all(documents["operation/slo.yaml"]):
        jsonschema.validate(document, SCHEMA)
    folder = put(tmp_path, RECOVERED)
    done = tools.promtool("test", "rules", str(folder / "rules_test.yaml"))
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
