"""Messages of a .proto file, from and to what JSON would hold: no compiler, and no classes to import (extra `grpc`)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from google.protobuf import descriptor_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from nines_runtime.calls import protofile
from nines_runtime.calls.protofile import Field, ProtoError, Rpc

Value = dict[str, Any]
_FILES = (timestamp_pb2, struct_pb2, empty_pb2, field_mask_pb2)
_STRUCT = "google.protobuf.Struct"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MessageError(ValueError):
    """Bytes that are no such message, or a value that it cannot hold; `field` is where."""

    def __init__(self, detail: str, field: str = "") -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.detail = detail
        self.field = field


class _Codec:
    """How one message is written and read; `parts` is filled once all of them are there."""

    __slots__ = ("make", "parts")

    def __init__(self, make: Any) -> None:
        self.make = make
        self.parts: list[tuple[str, bool, bool, Callable[[Any], Any], Callable[[Any], Any]]] = []
        """Name, repeated, telling whether it was set, to the message, from the message."""

    def fill(self, value: Mapping[str, Any]) -> Value:
        """What its class is made of; members that it does not have are left out."""
        found: Value = {}
        for name, is_repeated, _, write, _ in self.parts:
            given = value.get(name)
            if given is None:
                continue
            try:
                found[name] = [write(each) for each in given] if is_repeated else write(given)
            except MessageError as error:
                raise MessageError(error.detail, f"{name}.{error.field}".rstrip(".")) from None
        return found

    def read(self, message: Any) -> Value:
        """Members that were not set are left out where the message tells so."""
        found: Value = {}
        for name, is_repeated, is_telling, _, read in self.parts:
            if is_repeated:
                found[name] = [read(each) for each in getattr(message, name)]
            elif not is_telling or message.HasField(name):
                value = read(getattr(message, name))
                if value is not None:
                    found[name] = value
        return found


class Messages:
    """What one .proto file says; texts of its enumerations are their names without the prefix, in lower case, unless
    `spelled` has another for a name."""

    def __init__(self, text: str, *, spelled: Mapping[str, str] | None = None) -> None:
        self._file = protofile.parse(text)
        self._spelled = spelled or {}
        self.package = self._file.package
        self.rpcs: Mapping[str, Rpc] = {each.name: each for each in self._file.rpcs}
        self.fields: Mapping[str, tuple[Field, ...]] = {each.name: each.fields for each in self._file.messages}
        self._enumerations = {each.name: each for each in self._file.enumerations}
        self._codecs = self._made()

    @classmethod
    def of(cls, path: Path, *, spelled: Mapping[str, str] | None = None) -> Messages:
        """Those of a file."""
        return cls(path.read_text(encoding="utf-8"), spelled=spelled)

    def write(self, message: str, value: Any) -> bytes:
        """`value` is a mapping or a msgspec Struct, by the names of the message; raises MessageError."""
        codec = self._codecs[message]
        plain = msgspec.to_builtins(value, builtin_types=(bytes, datetime))
        try:
            found: bytes = codec.make(**codec.fill(plain)).SerializeToString()
        except (TypeError, ValueError, AttributeError) as error:
            raise error if isinstance(error, MessageError) else MessageError(str(error)) from None
        return found

    def read(self, message: str, content: bytes) -> Value:
        """By the names of the message; raises MessageError."""
        codec = self._codecs[message]
        try:
            return codec.read(codec.make.FromString(content))
        except (DecodeError, OverflowError, RecursionError):
            raise MessageError(f"This is no {message}.") from None

    def _made(self) -> dict[str, _Codec]:
        pool = DescriptorPool()
        for known in _FILES:
            pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
        try:
            pool.AddSerializedFile(_descriptor(self._file).SerializeToString())
        except TypeError as error:
            raise ProtoError(f"This is no proto file: {error}") from None
        self._struct = GetMessageClass(pool.FindMessageTypeByName(_STRUCT))
        prefix = f"{self.package}." if self.package else ""
        codecs = {
            each.name: _Codec(GetMessageClass(pool.FindMessageTypeByName(prefix + each.name)))
            for each in self._file.messages
        }
        empty = "google.protobuf.Empty"
        for each in self._file.messages:
            codecs[each.name].parts = [self._part(field, codecs) for field in each.fields]
        return codecs | {empty: _Codec(GetMessageClass(pool.FindMessageTypeByName(empty)))}

    def _part(
        self, field: Field, codecs: Mapping[str, _Codec]
    ) -> tuple[str, bool, bool, Callable[[Any], Any], Callable[[Any], Any]]:
        is_message = field.type in codecs or field.type in protofile.KNOWN
        write, read = self._pair(field, codecs)
        return field.name, field.is_repeated, field.is_optional or is_message, write, read

    def _pair(self, field: Field, codecs: Mapping[str, _Codec]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        if field.type in codecs:
            return codecs[field.type].fill, codecs[field.type].read
        if field.type in self._enumerations:
            return self._enumerated(field.type)
        if field.type == _STRUCT:
            return _writes_struct(self._struct), _read_struct
        return _PAIRS.get(field.type, (_same, _same))

    def _enumerated(self, name: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        values = self._enumerations[name].values
        prefix = values[0][0].removesuffix("UNSPECIFIED")
        texts = {
            number: self._spelled.get(value, value.removeprefix(prefix).lower()) for value, number in values if number
        }
        numbers = {text: number for number, text in texts.items()}

        def write(value: Any) -> int:
            if value not in numbers:
                raise MessageError(f"There is no {name} {str(value)[:40]!r}.")
            return numbers[value]

        def read(number: int) -> str | None:
            # A number that a newer caller knows is told as it is, for whoever checks to refuse it.
            return texts.get(number, str(number)) if number else None

        return write, read


def _descriptor(file: protofile.ProtoFile) -> descriptor_pb2.FileDescriptorProto:
    found = descriptor_pb2.FileDescriptorProto(name=f"{file.package or 'nameless'}.proto", package=file.package)
    found.syntax = "proto3"
    found.dependency.extend(sorted(set(protofile.KNOWN.values())))
    enumerations = {each.name for each in file.enumerations}
    prefix = f".{file.package}." if file.package else "."
    kinds = descriptor_pb2.FieldDescriptorProto.Type
    for enumeration in file.enumerations:
        made = found.enum_type.add(name=enumeration.name)
        for name, number in enumeration.values:
            made.value.add(name=name, number=number)
    for message in file.messages:
        into = found.message_type.add(name=message.name)
        for field in message.fields:
            put = into.field.add(name=field.name, number=field.number, label=3 if field.is_repeated else 1)
            if field.type in protofile.SCALARS:
                put.type = kinds.Value(f"TYPE_{field.type.upper()}")
            else:
                put.type = kinds.Value("TYPE_ENUM" if field.type in enumerations else "TYPE_MESSAGE")
                put.type_name = f".{field.type}" if field.type in protofile.KNOWN else prefix + field.type
            if field.is_optional:
                put.proto3_optional = True
                put.oneof_index = len(into.oneof_decl)
                into.oneof_decl.add(name=f"_{field.name}")
    return found


def _same(value: Any) -> Any:
    return value


def _write_time(value: Any) -> Value:
    """RFC 3339, or a datetime with its zone."""
    try:
        moment = value if isinstance(value, datetime) else msgspec.convert(value, datetime)
        since = moment - _EPOCH
    except (msgspec.ValidationError, TypeError):
        raise MessageError("This is no moment with its zone.") from None
    return {"seconds": since.days * 86_400 + since.seconds, "nanos": since.microseconds * 1_000}


def _read_time(message: Any) -> str:
    try:
        moment = datetime.fromtimestamp(message.seconds, UTC).replace(microsecond=message.nanos // 1_000)
    except (ValueError, OverflowError, OSError):
        raise MessageError("This is no moment.") from None
    return moment.isoformat().replace("+00:00", "Z")


def _write_bytes(value: Any) -> bytes:
    try:
        return value if isinstance(value, bytes) else b64decode(value, validate=True)
    except (ValueError, TypeError):
        raise MessageError("This is no base64.") from None


def _read_bytes(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _writes_struct(make: Any) -> Callable[[Any], Any]:
    def write(value: Any) -> Any:
        if not isinstance(value, dict):
            raise MessageError("This is no object.")
        found = make()
        found.update(value)
        return found

    return write


def _read_struct(message: Any) -> Value:
    return {key: _read_any(each) for key, each in message.fields.items()}


def _read_any(message: Any) -> Any:
    kind = message.WhichOneof("kind")
    if kind in (None, "null_value"):
        return None
    value = getattr(message, kind)
    if kind == "number_value":
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if kind == "struct_value":
        return _read_struct(value)
    return [_read_any(each) for each in value.values] if kind == "list_value" else value


_PAIRS: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "google.protobuf.Timestamp": (_write_time, _read_time),
    "google.protobuf.Empty": (lambda _: {}, lambda _: {}),
    "google.protobuf.FieldMask": (lambda paths: {"paths": list(paths)}, lambda mask: list(mask.paths)),
    "bytes": (_write_bytes, _read_bytes),
}
