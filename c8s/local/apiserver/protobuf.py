"""The few requests kubectl sends as protobuf only, decoded into the objects they are.

`kubectl create secret|namespace|job` and `auth can-i|whoami` don't fall back to JSON. Field numbers are those
of the `generated.proto` files of k8s.io/api and k8s.io/apimachinery.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from c8s.local.apiserver.errors import ApiError, bad_request
from c8s.local.apiserver.protobuf_kinds import KINDS, Field, Message

Object = dict[str, Any]

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_DEPTH_LIMIT = 30


def decode_object(body: bytes) -> Object:
    """The object in an envelope (`runtime.Unknown`). Raises a 400 for a broken one, a 415 for other kinds."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body is not a Kubernetes protobuf message")
    try:
        return _decode_envelope(body[len(_MAGIC) :])
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        raise bad_request("the protobuf message is broken") from error


def _decode_envelope(body: bytes) -> Object:
    type_meta, raw = b"", b""
    for number, value in _fields(body):
        if number == 1 and isinstance(value, bytes):
            type_meta = value
        if number == 2 and isinstance(value, bytes):
            raw = value
    found = {number: value for number, value in _fields(type_meta) if isinstance(value, bytes)}
    api_version, kind = found.get(1, b"").decode(), found.get(2, b"").decode()
    message = KINDS.get(kind)
    if message is None:
        raise ApiError(
            415, "UnsupportedMediaType", f"{kind} is not read as protobuf here; send application/json"
        )
    return {"apiVersion": api_version, "kind": kind, **_decode(raw, message, 0)}


def _decode(body: bytes, message: Message, depth: int) -> Object:
    if depth > _DEPTH_LIMIT:
        raise ValueError("nested too deeply")
    decoded: Object = {}
    for number, value in _fields(body):
        field = message.get(number)
        if field is not None:
            _add(decoded, field, value, depth)
    return decoded


def _add(decoded: Object, field: Field, value: int | bytes, depth: int) -> None:
    if field.is_map and isinstance(value, bytes):
        entry = dict(_fields(value))
        key, content = entry.get(1, b""), entry.get(2, b"")
        if isinstance(key, bytes):
            decoded.setdefault(field.name, {})[key.decode()] = _scalar(field, content, depth)
    elif field.is_list:
        decoded.setdefault(field.name, []).append(_scalar(field, value, depth))
    else:
        found = _scalar(field, value, depth)
        # Go writes empty strings and messages where JSON leaves the key out.
        if found not in ("", {}, None):
            decoded[field.name] = found


def _scalar(field: Field, value: int | bytes, depth: int) -> Any:
    if field.message is not None and isinstance(value, bytes):
        return _decode(value, field.message, depth + 1)
    if field.kind == "bool":
        return bool(value)
    if isinstance(value, int):
        return value - (1 << 64) if value >= 1 << 63 else value
    if field.kind == "bytes":
        return base64.b64encode(value).decode()
    if field.kind == "quantity":
        return dict(_fields(value)).get(1, b"").decode()  # type: ignore[union-attr]
    return value.decode()


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, varint or bytes) of a message; other wire types aren't used by these kinds."""
    position = 0
    while position < len(body):
        tag, position = _varint(body, position)
        if tag & 7 == 0:
            value, position = _varint(body, position)
            yield tag >> 3, value
        elif tag & 7 == 2:
            length, position = _varint(body, position)
            if position + length > len(body):
                raise ValueError("a field ends after the message")
            yield tag >> 3, body[position : position + length]
            position += length
        else:
            raise ValueError("unexpected wire type")


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128 or shift > 63:
            return value, position
