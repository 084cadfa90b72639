"""Services as `nines build` writes them, in processes of their own."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import yaml

from benchmarks.serving import Served, run
from nines.lab.launch.cleanup import Premises
from nines.lab.launch.postgres import Cluster
from nines.verbs.build import Wish, build
from nines_runtime import LocalIssuer, TokenRules

ROOT = Path(__file__).parents[1]
BLUEPRINTS = ROOT / "examples" / "blueprints"
RUNTIME = ROOT / "runtime" / "src"


class Built:
    """One service in a folder, with its database."""

    def __init__(self, name: str, folder: Path, *, blueprint: Path | None = None) -> None:
        """Without `blueprint` that of the examples which is called so."""
        self.name = name
        self.package = name.replace("-", "_")
        self.folder = folder
        made = build(blueprint or BLUEPRINTS / f"{name}.yaml", folder, Wish(), today=datetime.now(UTC).date())
        capacity = made.planned.design.capacity if made.planned.design is not None else None
        self.server_settings = {each.name: each.value for each in capacity.server} if capacity is not None else {}
        """Of the database's server, as the service's dossier advises."""
        self._told = tomllib.loads((folder / "nines.toml").read_text(encoding="utf-8"))

    def environment(self, database: str, **more: str) -> dict[str, str]:
        """As in its laboratory; what is not given stands for nobody."""
        told: Mapping[str, str] = self._told["service"]["env"]
        own = {name: "http://127.0.0.1:9" if value.startswith("{") else value for name, value in told.items()}
        path = f"{self.folder / 'src'}:{RUNTIME}"
        return {**own, self._told["database"]["env"]: database, "PYTHONPATH": path, **more}

    async def serve(self, premises: Premises, cluster: Cluster, workers: int = 1, **more: str) -> Served:
        """On a database of its own, migrated; not started yet."""
        await cluster.create(self.name)
        url = f"postgresql://{cluster.user}:{cluster.password}@127.0.0.1:{cluster.port}/{self.name}"
        env = self.environment(url, **more)
        await run(premises, f"{self.name}-migrate", [sys.executable, "-m", f"{self.package}.migrate"], env, self.folder)
        command = [sys.executable, "-m", self.package, "--host", "127.0.0.1", "--port", "{port}"]
        return Served(premises, self.name, [*command, "--workers", str(workers)], env, self.folder)

    def tokens(self, subjects: int, tenant: str, *roles: str) -> list[str]:
        """Of so many callers, signed as the service's own command signs them."""
        issuer = self.issuer()
        return [issuer.mint(f"subject-{number}", tenant=tenant, roles=roles) for number in range(subjects)]

    def issuer(self) -> LocalIssuer:
        """Whom the service believes in its laboratory."""
        env = self._told["service"]["env"]
        return LocalIssuer(env["LOCAL_ISSUER_SEED"], self.rules(), environment=env["ENVIRONMENT"])

    def rules(self) -> TokenRules:
        """What the service asks of a token, from its blueprint."""
        told = yaml.safe_load((self.folder / "blueprint.yaml").read_text(encoding="utf-8"))
        return TokenRules(
            issuer=self._told["service"]["env"]["OIDC_ISSUER"],
            audience=told["auth"].get("audience", self.name),
            algorithms=tuple(told["auth"]["algs"]),
            tenant_claim=told["tenancy"]["key"],
        )
