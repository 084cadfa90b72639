"""Messages without a compiler: the same bytes as protoc's own classes make, and clear errors for the rest."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.grpc import MessageError, Messages, ProtoError

from .compiled import compiled

TEXT = """
// A comment.
syntax = "proto3";

package every.v1;

import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";

option java_package = "every"; /* ignored
  over lines */

enum Kind {
  reserved 3, 5 to 7;
  KIND_UNSPECIFIED = 0;
  KIND_PLAIN = 1;
  KIND_IN_PARTS = 2 [deprecated = true];
}

message Part {
  int64 amount_minor = 1;
  optional string note = 2;
}

message Every {
  reserved 40 to 42;
  reserved "old";
  string text = 1;
  optional bool flag = 2;
  int32 small = 3;
  optional int64 large = 4;
  double real = 5;
  bytes raw = 6;
  Kind kind = 7;
  Part part = 8;
  repeated Part parts = 9;
  repeated string tags = 10;
  google.protobuf.Timestamp at = 11;
  google.protobuf.Struct extra = 12;
  .every.v1.Missing_ never = 13;
  repeated Kind kinds = 14;
  google.protobuf.FieldMask mask = 15;
  string package = 16;
}
""".replace("  .every.v1.Missing_ never = 13;\n", "")
SPELLED = {"KIND_IN_PARTS": "in-parts"}
MESSAGES = Messages(TEXT, spelled=SPELLED)
pb, _ = compiled("nines_every", TEXT)
TEXTS = st.text(max_size=20).filter(lambda text: text.isprintable())
KINDS = st.sampled_from(["plain", "in-parts"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXTS,
        "flag": st.booleans(),
        "small": st.integers(-(2**31), 2**31 - 1),
        "large": st.integers(-(2**63), 2**63 - 1),
        "real": st.floats(allow_nan=False),
        "raw": st.binary(max_size=20),
        "kind": KINDS,
        "part": st.fixed_dictionaries({"amount_minor": st.integers(0, 2**53)}, optional={"note": TEXTS}),
        "parts": st.lists(st.fixed_dictionaries({"amount_minor": st.integers(0, 9)}), max_size=3),
        "tags": st.lists(TEXTS, max_size=3),
        "at": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 -- its zone comes along
        "extra": st.dictionaries(TEXTS, JSON, max_size=3),
        "kinds": st.lists(KINDS, max_size=3),
        "mask": st.lists(st.sampled_from(["text", "part.note"]), max_size=2),
    },
)


@given(VALUES)
def test_what_was_written_is_read_by_others_and_by_ourselves(value: dict[str, Any]) -> None:
    content = MESSAGES.write("Every", value)
    theirs = pb.Every.FromString(content)
    for name in ("text", "small", "real", "raw"):
        assert getattr(theirs, name) == value.get(name, type(getattr(theirs, name))())
    for name in ("flag", "large"):
        assert theirs.HasField(name) == (name in value)
    assert theirs.kind == {"plain": 1, "in-parts": 2}.get(value.get("kind", ""), 0)
    assert list(theirs.tags) == value.get("tags", [])
    if "at" in value:
        assert theirs.at.ToDatetime(UTC) == value["at"]
    read = MESSAGES.read("Every", theirs.SerializeToString())
    for name, told in value.items():
        if name == "at":
            assert msgspec.convert(read[name], datetime) == told
        elif name == "raw":
            assert msgspec.convert(read[name], bytes) == told
        elif name not in ("part", "parts"):
            assert read[name] == told
    assert [each["amount_minor"] for each in read["parts"]] == [each["amount_minor"] for each in value.get("parts", [])]
    assert "flag" in read or "flag" not in value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        read = MESSAGES.read("Every", content)
    except MessageError:
        return
    assert set(read) <= {field.name for field in MESSAGES.fields["Every"]}


@given(st.text(alphabet='message{}=;12 \nstringABenu"/*.reservdpctk', max_size=200))
def test_any_text_is_a_proto_file_or_refused(text: str) -> None:
    with contextlib.suppress(ProtoError):
        Messages(f'syntax = "proto3"; message A {{ {text} ')


def test_structs_are_written_like_mappings() -> None:
    class Part(msgspec.Struct):
        amount_minor: int
        note: str | None = None

    class Every(msgspec.Struct):
        part: Part
        at: datetime

    moment = datetime(2030, 1, 2, tzinfo=UTC)
    read = MESSAGES.read("Every", MESSAGES.write("Every", Every(part=Part(amount_minor=3), at=moment)))
    assert read["part"] == {"amount_minor": 3}
    assert read["at"] == "2030-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"kind": "other"}, "kind"),
        ({"part": {"amount_minor": 2**70}}, ""),
        ({"at": "yesterday"}, "at"),
        ({"at": "2030-01-02T00:00:00"}, "at"),
        ({"raw": "%"}, "raw"),
        ({"extra": [1]}, "extra"),
        ({"part": 3}, ""),
        ({"tags": 3}, ""),
        ({"text": 3}, ""),
        ({"small": 2**40}, ""),
    ],
)
def test_what_a_message_cannot_hold_is_refused(value: dict[str, Any], field: str) -> None:
    with pytest.raises(MessageError) as caught:
        MESSAGES.write("Every", value)
    assert caught.value.field == field


def test_a_number_that_is_too_large_for_json_is_none() -> None:
    assert math.isinf(MESSAGES.read("Every", pb.Every(real=math.inf).SerializeToString())["real"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ends in the middle"),
        ('syntax = "proto2";', "was expected"),
        ('syntax = "proto3"; message A { map<string, string> b = 1; }', "map"),
        ('syntax = "proto3"; message A { oneof b { string c = 1; } }', "oneof"),
        ('syntax = "proto3"; message A { message B {} }', "within a message"),
        ('syntax = "proto3"; message A { B b = 1; }', "A.b"),
        ('syntax = "proto3"; message A { string b = 1; string c = 1; }', "share a name or a number"),
        ('syntax = "proto3"; message A {} message A {}', "twice"),
        ('syntax = "proto3"; enum A { A_ONE = 1; }', "begin with 0"),
        ('syntax = "proto3"; service S { rpc A(stream B) returns (B); } message B {}', "streams"),
        ('syntax = "proto3"; service S { rpc A(B) returns (C); } message B {}', "type of A"),
        ('syntax = "proto3"; message A { string b = x; }', "no number"),
        ('syntax = "proto3"; message A {} enum A { A_NONE = 0; }', "twice"),
        ('syntax = "proto3"; message A { string 1 = 1; }', "no name"),
        ('syntax = "proto3"; enum A { X = 0; } enum B { X = 0; }', "no proto file"),
        ('syntax = "proto3"; extend A { string b = 1; }', "not understood"),
    ],
)
def test_what_is_not_understood_is_told(text: str, says: str) -> None:
    with pytest.raises(ProtoError, match=says):
        Messages(text)
