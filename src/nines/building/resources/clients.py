"""How another service is asked: a client with everything that keeps its trouble away."""

from __future__ import annotations

from nines.building import python
from nines.building.project.settings import variables
from nines.building.resources import ports
from nines.building.resources.code import Code
from nines.model.blueprint import Dependency, DependencyKind


def client_of(code: Code, port: ports.Port) -> None:
    """The client of one dependency, with everything that keeps its trouble away."""
    found: Dependency = port.dependency
    client = "GrpcClient" if found.kind is DependencyKind.GRPC else "Client"
    code.imports.add("nines_runtime.grpc" if found.kind is DependencyKind.GRPC else "nines_runtime", client)
    code.runtime("CallMetrics")
    head = python.Group(
        head=f"def _{port.name}_client",
        parts=("settings: GeneratedSettings", "calls: CallMetrics"),
        tail=f" -> {client}",
    )
    with code.block(head):
        parts: list[python.Part] = [python.quoted(found.name), f"str(settings.{variables(found)[0].lower()})"]
        if found.kind is DependencyKind.GRPC:
            parts.append(f"{port.protocol}Client.MESSAGES")
        if found.timeout_s:
            parts.append(f"timeout_s={found.timeout_s!r}")
        if found.retry:
            code.runtime("Retry")
            only = "" if found.retry.only_idempotent else ", only_idempotent=False"
            parts.append(f"retry=Retry(max={found.retry.max}{only})")
        if found.breaker:
            code.runtime("Breaker")
            made = python.call(
                "Breaker",
                f"error_share={found.breaker.error_share!r}",
                f"of={found.breaker.of}",
                f"open_s={found.breaker.open_s!r}",
            )
            parts.append(python.named("breaker", made))
        if found.bulkhead:
            code.runtime("Bulkhead")
            parts.append(f"bulkhead=Bulkhead({found.bulkhead})")
        secret = next((each.name for each in code.design.secrets if each.dependency == found.name), "")
        if secret:
            code.line(f"credential = settings.{secret.lower()}")
            parts.append("credential=credential.reveal() if credential else None")
        private = 'settings.environment != "production"' if found.is_external else "True"
        parts.append(f"allows_private={private}")
        parts.append("observer=calls")
        code.put(python.call(client, *parts), before="return ")
