"""Under which names everything is scraped; the alerts select by them."""

from __future__ import annotations

from typing import Any

from nines.dossier import yaml
from nines.dossier.chapters.operation.rules import EVALUATED_S
from nines.model.blueprint import DependencyKind
from nines.model.design import Design

_NAME = "__meta_kubernetes_pod_label_app_kubernetes_io_name"
_HEAD = """# The names that the alerts count on; an operator's PodMonitor may say the same. What is kept must reach back
# over the window of the objectives.
"""


def text(design: Design) -> str:
    jobs = [_pods(each.name, "http", "/metrics") for each in design.running.deployables]
    jobs += [
        _pods(f"{design.name}-{each.name}", "metrics", "/metrics")
        for each in design.dependencies
        if each.kind is DependencyKind.POSTGRES
    ]
    document = {
        "global": {"scrape_interval": "15s", "scrape_timeout": "10s", "evaluation_interval": f"{EVALUATED_S}s"},
        "rule_files": ["../alerts/rules.yaml"],
        "scrape_configs": jobs,
    }
    return _HEAD + yaml.manifest(document)


def _pods(name: str, port: str, path: str) -> dict[str, Any]:
    return {
        "job_name": name,
        "metrics_path": path,
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            {"source_labels": [_NAME], "regex": name, "action": "keep"},
            {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": port, "action": "keep"},
            {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Running", "action": "keep"},
        ],
    }
