"""`pods/NAME/eviction`: a pod is marked as disrupted and deleted.

Source: Kubernetes pkg/registry/core/pod/storage/eviction.go. PodDisruptionBudgets are not looked at.
"""

from __future__ import annotations

from typing import Any

from c8s.local.apiserver.errors import bad_request

Object = dict[str, Any]

CONDITION = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
ACCEPTED: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def check_eviction(body: Object, name: str) -> Object:
    """The deletion's options. Raises a 400 for a body that is no Eviction of this pod."""
    metadata = body.get("metadata") or {}
    if (body.get("apiVersion", "policy/v1"), body.get("kind", "Eviction")) != ("policy/v1", "Eviction"):
        raise bad_request("the body must be an Eviction of policy/v1")
    if not isinstance(metadata, dict) or metadata.get("name") not in (None, "", name):
        raise bad_request(f"name in URL does not match name in Eviction object: {name}")
    options = body.get("deleteOptions") or {}
    if not isinstance(options, dict):
        raise bad_request("deleteOptions must be an object")
    return options


def mark_disrupted(pod: Object, now: str) -> Object:
    """The pod with the condition."""
    status = pod.get("status") or {}
    kept = [one for one in status.get("conditions") or () if one["type"] != CONDITION["type"]]
    condition = {**CONDITION, "lastTransitionTime": now}
    return {**pod, "status": {**status, "conditions": [*kept, condition]}}
