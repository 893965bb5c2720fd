"""Whether a step's end is the infrastructure's fault, so that it may be tried again."""

from __future__ import annotations

import re

from c8s.adapters.cluster import Object
from c8s.run import reasons
from logbuffer.pods import observe_condition

# Exit codes of `c8s-runner` (docs/reference/data.md): a server that can't be reached, and c8s's own fault.
_RUNNER_CODES = frozenset({12, 13})
_RUNNER_REASONS = frozenset({reasons.CHECKOUT_FAILED, reasons.RESTORE_FAILED, reasons.SAVE_FAILED})

# Of a container that waits: https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go
_IMAGE_TROUBLE = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"})

# What the kubelet refuses, or ends when its node is shut down.
_REFUSED_BY_NODE = re.compile(r"UnexpectedAdmissionError|NodeAffinity|NodeShutdown|Shutdown|OutOf\w+")

# The kubelet's words for a pod over its own limits:
# https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/eviction/helpers.go
_OWN_STORAGE = re.compile(r"exceeds the (?:total )?limit|exceeded its local ephemeral storage limit")


def is_of_infrastructure(pod: Object, reason: str, ended: Object) -> bool:
    """Whether the user's commands have no part in it. `ended` is how the decisive container ended, if so."""
    if reason in (reasons.NODE_LOST, reasons.DELETED):
        return True
    if reason == reasons.EVICTED:
        return not _is_over_own_storage(pod)
    if reason in _RUNNER_REASONS:
        return not ended or ended.get("exitCode") in _RUNNER_CODES
    return reason == reasons.CANNOT_START and not ended and (_has_image_trouble(pod) or _is_refused(pod))


def _is_over_own_storage(pod: Object) -> bool:
    """Only a pod that its node had no room for is marked as disrupted; one that took too much is not."""
    if observe_condition(pod, "DisruptionTarget").get("status") == "True":
        return False
    return _OWN_STORAGE.search(str((pod.get("status") or {}).get("message") or "")) is not None


def _has_image_trouble(pod: Object) -> bool:
    status = pod.get("status") or {}
    return any(
        ((entry.get("state") or {}).get("waiting") or {}).get("reason") in _IMAGE_TROUBLE
        for field in ("initContainerStatuses", "containerStatuses")
        for entry in status.get(field) or ()
    )


def _is_refused(pod: Object) -> bool:
    return _REFUSED_BY_NODE.fullmatch(str((pod.get("status") or {}).get("reason") or "")) is not None
