"""Which patch a content type means, and whether the resource takes it."""

from __future__ import annotations

from typing import Any

from c8s.local.apiserver.errors import bad_request, unsupported_media_type
from c8s.local.apiserver.patches import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    apply_json_patch,
    merge,
)
from c8s.local.apiserver.resource_types import ResourceType
from c8s.local.apiserver.strategic import strategic_merge

Object = dict[str, Any]


def patched(resource_type: ResourceType, current: Object, patch: Any, content_type: str) -> Object:
    """The object after a merge, JSON or strategic patch: a new one. Raises 400, 415 or 422."""
    if content_type == JSON_PATCH:
        return apply_json_patch(current, patch)
    if content_type == MERGE_PATCH:
        if not isinstance(patch, dict):
            raise bad_request(
                "a merge patch must be an object; send a JSON patch as application/json-patch+json"
            )
        merged: Object = merge(current, patch)
        return merged
    if content_type == STRATEGIC_PATCH and not resource_type.is_custom:
        return strategic_merge(resource_type, current, patch)
    accepted = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]
    if not resource_type.is_custom:
        accepted.insert(2, STRATEGIC_PATCH)
    raise unsupported_media_type(accepted)
