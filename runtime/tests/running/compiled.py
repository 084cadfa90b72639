"""Clients as others have them: compiled by protoc."""

from __future__ import annotations

import importlib
import shutil
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from grpc_tools import protoc

# As they are published, but for comments.
HEALTH = """
syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse {
  enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
  ServingStatus status = 1;
}
service Health {
  rpc Check(HealthCheckRequest) returns (HealthCheckResponse);
  rpc Watch(HealthCheckRequest) returns (stream HealthCheckResponse);
}
"""
STATUS = """
syntax = "proto3";
package google.rpc;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
message RetryInfo { google.protobuf.Duration retry_delay = 1; }
message BadRequest {
  message FieldViolation { string field = 1; string description = 2; }
  repeated FieldViolation field_violations = 1;
}
"""


@cache
def compiled(name: str, text: str) -> tuple[Any, Any]:
    """The modules of its messages and of its stubs."""
    folder = Path(mkdtemp(prefix="compiled-"))
    sys.path.insert(0, str(folder))
    try:
        (folder / f"{name}.proto").write_text(text)
        included = Path(protoc.__file__).parent / "_proto"
        outputs = [f"--python_out={folder}", f"--grpc_python_out={folder}"]
        assert protoc.main(["protoc", f"-I{folder}", f"-I{included}", *outputs, f"{name}.proto"]) == 0
        return importlib.import_module(f"{name}_pb2"), importlib.import_module(f"{name}_pb2_grpc")
    finally:
        sys.path.remove(str(folder))
        shutil.rmtree(folder)


def details_of(error: Any) -> dict[str, Any]:
    """The details of google.rpc.Status by their names, as others read them."""
    messages, _ = compiled("nines_rpc_status", STATUS)
    trailing = dict(tuple(error.trailing_metadata()))
    status = messages.Status.FromString(trailing["grpc-status-details-bin"])
    found = {"code": status.code, "message": status.message}
    for each in status.details:
        kind = getattr(messages, each.type_url.rpartition(".")[2])
        found[kind.__name__] = kind.FromString(each.value)
    return found
