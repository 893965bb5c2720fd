"""`metadata`: names, what the server sets at creation, what nobody may change afterwards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from c8s.local.apiserver.errors import ApiError, Cause, bad_request, conflict, forbidden, invalid
from c8s.local.apiserver.resource_types import ResourceType

Object = dict[str, Any]

_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_DNS_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_LABEL_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
_QUALIFIED_NAME = re.compile(r"^([a-z0-9.-]{1,253}/)?([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$")
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_GENERATED_BASE_LENGTH = 58
_ANNOTATIONS_LIMIT_BYTES = 256 * 1024
# Owned by the server: an update can't change them.
_SERVER_SET = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
_SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as `metav1.Time` is written."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def chosen_name(body: Object, new_uid: Callable[[], str]) -> str:
    """The name asked for, or one made from `generateName` and five letters out of a fresh UID."""
    metadata = body.get("metadata") or {}
    if metadata.get("name"):
        return str(metadata["name"])
    if not metadata.get("generateName"):
        return ""
    digest = hashlib.sha256(new_uid().encode()).digest()
    suffix = "".join(_SUFFIX_LETTERS[byte % len(_SUFFIX_LETTERS)] for byte in digest[:5])
    return str(metadata["generateName"])[:_GENERATED_BASE_LENGTH] + suffix


def new_metadata(given: Object, name: str, namespace: str, uid: str, now: str, *, counts: bool) -> Object:
    """Metadata of an object that is made: the client's labels and so on, the server's identity."""
    kept = {key: value for key, value in given.items() if value is not None and key not in _SERVER_SET}
    kept.pop("resourceVersion", None)
    kept.pop("managedFields", None)
    kept.pop("selfLink", None)
    identity: Object = {"name": name, "uid": uid, "creationTimestamp": now}
    if namespace:
        identity["namespace"] = namespace
    if counts:
        identity["generation"] = 1
    return {**kept, **identity}


def updated_metadata(resource_type: ResourceType, old: Object, given: Object) -> Object:
    """Metadata after an update; refuses another identity and new finalizers on an object that is going."""
    name = old["name"]
    for key in ("uid", "name", "namespace"):
        if given.get(key) and given[key] != old.get(key):
            word = key.upper()
            why = f"Precondition failed: {word} in precondition: {given[key]}, in object meta: {old.get(key)}"
            raise conflict(resource_type, name, why)
    if given.get("resourceVersion") and given["resourceVersion"] != old["resourceVersion"]:
        raise conflict(resource_type, name)
    kept = {key: value for key, value in given.items() if value is not None and key not in _SERVER_SET}
    fixed = {key: old[key] for key in (*_SERVER_SET, "name", "namespace", "generateName") if key in old}
    added = set(kept.get("finalizers") or ()) - set(old.get("finalizers") or ())
    if "deletionTimestamp" in old and added:
        cause = Cause(
            "metadata.finalizers",
            f"Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            f"{sorted(added)}",
            "FieldValueForbidden",
        )
        raise invalid(resource_type, name, [cause])
    kept["managedFields"] = old.get("managedFields", [])
    return {**kept, **fixed, "resourceVersion": old["resourceVersion"]}


def check_metadata(resource_type: ResourceType, item: Object) -> None:
    """Names, labels, annotations and owner references are well-formed, or a 422 says which isn't."""
    metadata = item["metadata"]
    causes = [*_name_causes(resource_type, metadata), *_label_causes(metadata), *_annotation_causes(metadata)]
    for index, owner in enumerate(metadata.get("ownerReferences") or ()):
        causes += [
            Cause(f"metadata.ownerReferences[{index}].{key}", "Required value", "FieldValueRequired")
            for key in ("apiVersion", "kind", "name", "uid")
            if not (isinstance(owner, dict) and owner.get(key))
        ]
    if causes:
        raise invalid(resource_type, metadata.get("name", ""), causes)


def _name_causes(resource_type: ResourceType, metadata: Object) -> list[Cause]:
    name = metadata.get("name", "")
    if resource_type.group == "rbac.authorization.k8s.io":
        return (
            []
            if "/" not in name and "%" not in name
            else [_wrong("metadata.name", name, "may not contain '/'")]
        )
    if resource_type.plural in ("namespaces", "services"):
        return (
            []
            if len(name) <= 63 and _DNS_LABEL.match(name)
            else [_wrong("metadata.name", name, _LABEL_MESSAGE)]
        )
    if len(name) > 253:
        return [_wrong("metadata.name", name, "must be no more than 253 characters")]
    return [] if _SUBDOMAIN.match(name) else [_wrong("metadata.name", name, _SUBDOMAIN_MESSAGE)]


def _label_causes(metadata: Object) -> list[Cause]:
    causes = []
    for key, value in (metadata.get("labels") or {}).items():
        if not _QUALIFIED_NAME.match(key):
            causes.append(
                _wrong(
                    "metadata.labels",
                    key,
                    "name part must consist of alphanumeric characters, '-', '_' or '.'",
                )
            )
        if not isinstance(value, str):
            raise bad_request(f"metadata.labels: label {key!r} must be a string")
        if len(value) > 63 or not _LABEL_VALUE.match(value):
            causes.append(
                _wrong(
                    "metadata.labels",
                    value,
                    "a valid label must be an empty string or consist of at most 63 "
                    "alphanumeric characters, '-', '_' or '.'",
                )
            )
    return causes


def _annotation_causes(metadata: Object) -> list[Cause]:
    annotations = metadata.get("annotations") or {}
    if any(not isinstance(value, str) for value in annotations.values()):
        raise bad_request("metadata.annotations: every annotation must be a string")
    size = sum(len(key) + len(value.encode()) for key, value in annotations.items())
    if size <= _ANNOTATIONS_LIMIT_BYTES:
        return []
    message = f"Too long: may not be more than {_ANNOTATIONS_LIMIT_BYTES} bytes"
    return [Cause("metadata.annotations", message, "FieldValueTooLong")]


def _wrong(field: str, value: str, message: str) -> Cause:
    return Cause(field, f'Invalid value: "{value}": {message}')


def note_manager(
    item: Object, manager: str, operation: str, subresource: str, now: str, fields: Object
) -> None:
    """Record in `metadata.managedFields` that this manager wrote; `fields` is its fieldsV1, {} when
    not tracked."""
    metadata = item["metadata"]
    entry: Object = {
        "manager": manager,
        "operation": operation,
        "apiVersion": item["apiVersion"],
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if subresource:
        entry["subresource"] = subresource
    others = [
        other
        for other in metadata.get("managedFields") or ()
        if (other.get("manager"), other.get("operation"), other.get("subresource", ""))
        != (manager, operation, subresource)
    ]
    metadata["managedFields"] = [*others, entry]


def require_active(namespace: str, namespace_object: Object | None, what: str, not_found: ApiError) -> None:
    """The namespace is there and isn't going away: nothing may be made in one that is (403)."""
    if namespace_object is None:
        raise not_found
    if "deletionTimestamp" in namespace_object["metadata"]:
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        message = f"{what} is forbidden: {why}"
        raise forbidden(
            message, {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]}
        )
