"""What a body goes through before it is stored: shape, defaults, pruning, validation, status kept apart."""

from __future__ import annotations

from typing import Any

from c8s.local.apiserver.builtin_rules import check_built_in, check_shape
from c8s.local.apiserver.builtin_schemas import check_strictly
from c8s.local.apiserver.custom_objects import admit_custom
from c8s.local.apiserver.defaults import apply_defaults
from c8s.local.apiserver.errors import ApiError, Cause, bad_request, invalid
from c8s.local.apiserver.metadata import check_metadata
from c8s.local.apiserver.options import WriteOptions
from c8s.local.apiserver.resource_types import ResourceType

Object = dict[str, Any]


def read_body(resource_type: ResourceType, body: Any) -> Object:
    """The body in the stored shape, with `apiVersion`, `kind` and `metadata`; raises a 400 for another
    kind's."""
    if not isinstance(body, dict):
        raise bad_request("the body must be an object")
    found = (body.get("apiVersion") or resource_type.api_version, body.get("kind") or resource_type.kind)
    if found != (resource_type.api_version, resource_type.kind):
        raise bad_request(
            f"{found[1]} in version {found[0]!r} cannot be handled as a {resource_type.kind} "
            f"in version {resource_type.api_version!r}"
        )
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    _check_metadata_types(metadata)
    item = {**body, "apiVersion": found[0], "kind": found[1], "metadata": metadata}
    return resource_type.decode(item) if resource_type.decode else item


def _check_metadata_types(metadata: Object) -> None:
    expected: dict[str, type] = {
        "name": str,
        "namespace": str,
        "generateName": str,
        "labels": dict,
        "annotations": dict,
        "finalizers": list,
        "ownerReferences": list,
    }
    for key, kind in expected.items():
        if metadata.get(key) is not None and not isinstance(metadata[key], kind):
            raise bad_request(f"metadata.{key} must be of type {kind.__name__}")


def admit_new(resource_type: ResourceType, item: Object, options: WriteOptions) -> Object:
    """An object about to be made. Raises 400 or 422 with what is wrong."""
    if resource_type.has_status and not resource_type.keeps_status:
        item.pop("status", None)
    check_metadata(resource_type, item)
    if resource_type.is_custom:
        return admit_custom(resource_type, item, None, options)
    return _admit_built_in(resource_type, item, None, options)


def admit_change(
    resource_type: ResourceType, given: Object, old: Object, subresource: str, options: WriteOptions
) -> Object:
    """An object about to be changed: a write to `status` changes nothing else, any other leaves
    `status` alone."""
    if subresource == "status":
        kept = {key: value for key, value in old.items() if key != "status"}
        given = {**kept, "metadata": dict(old["metadata"]), **_only(given, "status")}
    elif resource_type.has_status:
        given = {**{key: value for key, value in given.items() if key != "status"}, **_only(old, "status")}
    check_metadata(resource_type, given)
    if resource_type.is_custom:
        return admit_custom(resource_type, given, old, options)
    return given if subresource == "status" else _admit_built_in(resource_type, given, old, options)


def _only(item: Object, key: str) -> Object:
    return {key: item[key]} if key in item else {}


def _admit_built_in(
    resource_type: ResourceType, item: Object, old: Object | None, options: WriteOptions
) -> Object:
    check_strictly(resource_type, item, options)
    check_shape(resource_type, item)
    try:
        apply_defaults(resource_type, item, creating=old is None)
        check_built_in(resource_type, item, old)
    except (AttributeError, TypeError, KeyError) as error:
        # Something in the body has another type than the kind's: the real server fails to decode it.
        raise bad_request(
            f"{resource_type.kind} in version {resource_type.api_version!r} cannot be handled as a "
            f"{resource_type.kind}: a field has the wrong type"
        ) from error
    return item


def spec_of(item: Object) -> Object:
    """What counts for `metadata.generation`: all but metadata and status."""
    return {key: value for key, value in item.items() if key not in ("metadata", "status")}


def missing_name(resource_type: ResourceType) -> ApiError:
    cause = Cause("metadata.name", "Required value: name or generateName is required", "FieldValueRequired")
    return invalid(resource_type, "", [cause])


def missing_version(resource_type: ResourceType, name: str) -> ApiError:
    cause = Cause("metadata.resourceVersion", "Invalid value: 0x0: must be specified for an update")
    return invalid(resource_type, name, [cause])
