"""Request bodies: bounded, then read as JSON, YAML or protobuf; and which content type a patch has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import yaml

from c8s.local.apiserver import protobuf
from c8s.local.apiserver.errors import bad_request, too_large, unsupported_media_type
from c8s.local.apiserver.patches import APPLY_PATCH

LIMIT_BYTES = 3 * 1024 * 1024
_YAML_TYPES = ("application/yaml", APPLY_PATCH)
_JSON_TYPES = ("", "application/json", "*/*")


async def read_bounded(stream: AsyncIterator[bytes], declared: str | None) -> bytes:
    """The whole body; a 413 as soon as it is known to be over the limit."""
    if declared is not None and declared.isdecimal() and int(declared) > LIMIT_BYTES:
        raise too_large(LIMIT_BYTES)
    pieces, size = [], 0
    async for piece in stream:
        size += len(piece)
        if size > LIMIT_BYTES:
            raise too_large(LIMIT_BYTES)
        pieces.append(piece)
    return b"".join(pieces)


def media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def parse_body(content: bytes, content_type: str) -> Any:
    """What the body says. Raises a 400 for one that can't be read and a 415 for an unknown type."""
    if content_type == protobuf.CONTENT_TYPE:
        return protobuf.decode_object(content)
    if content_type in _YAML_TYPES and not content.lstrip().startswith(b"{"):
        return _parse_yaml(content)
    if content_type not in _JSON_TYPES and not content_type.endswith(("+json", "+yaml", "/yaml")):
        raise unsupported_media_type(["application/json", "application/yaml", protobuf.CONTENT_TYPE])
    try:
        return orjson.loads(content)
    except ValueError as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from error


def _parse_yaml(content: bytes) -> Any:
    if b"&" in content and any(isinstance(token, yaml.AnchorToken) for token in _tokens(content)):
        raise bad_request("YAML anchors are not read here: they can expand without bound")
    try:
        # Times in YAML become dates; the API wants their text, and JSON knows no dates anyway.
        return orjson.loads(orjson.dumps(yaml.load(content, Loader=yaml.CSafeLoader)))
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise bad_request("the YAML of the body can't be read") from error


def _tokens(content: bytes) -> Any:
    try:
        return list(yaml.scan(content, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise bad_request("the YAML of the body can't be read") from error
