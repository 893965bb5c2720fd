"""Defaults of pods and pod templates (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

_FILE_MODE = 0o644
_MODED_VOLUMES = ("secret", "configMap", "downwardAPI", "projected")
_TOKEN_SECONDS = 3600


def fill(target: Object, **defaults: Any) -> None:
    """Set what is missing; the object is changed."""
    for key, value in defaults.items():
        if target.get(key) is None:
            target[key] = value


def default_pod_spec(spec: Object, *, restart_policy: str = "Always") -> None:
    """Fill a pod spec in place."""
    fill(
        spec,
        restartPolicy=restart_policy,
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    if spec.get("serviceAccountName"):
        fill(spec, serviceAccount=spec["serviceAccountName"])
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            _default_container(container)
    for volume in spec.get("volumes") or ():
        _default_volume(volume)


def default_pod(pod: Object) -> None:
    """Fill a pod in place: its spec, its account, its first status."""
    spec = pod.setdefault("spec", {})
    default_pod_spec(spec)
    fill(spec, enableServiceLinks=True, serviceAccountName="default", preemptionPolicy="PreemptLowerPriority")
    fill(spec, serviceAccount=spec["serviceAccountName"], priority=0)
    pod["status"] = {"phase": "Pending", "qosClass": quality_of_service(spec)}


def quality_of_service(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort, from the containers' requests and limits."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    resources = [container.get("resources") or {} for container in containers]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(one.get("limits") or ())
        and (one.get("requests") or one["limits"]) == one["limits"]
        for one in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _default_container(container: Object) -> None:
    image = str(container.get("image") or "")
    untagged = ":" not in image.rpartition("/")[2] and "@" not in image
    fill(
        container,
        imagePullPolicy="Always" if untagged or image.endswith(":latest") else "IfNotPresent",
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        resources={},
    )
    limits = container["resources"].get("limits") or {}
    if limits:
        fill(container["resources"], requests={})
        fill(container["resources"]["requests"], **limits)
    for port in container.get("ports") or ():
        fill(port, protocol="TCP")
    for variable in container.get("env") or ():
        field = (variable.get("valueFrom") or {}).get("fieldRef")
        if field:
            fill(field, apiVersion="v1")


def _default_volume(volume: Object) -> None:
    for kind in _MODED_VOLUMES:
        if isinstance(volume.get(kind), dict):
            fill(volume[kind], defaultMode=_FILE_MODE)
    for source in (volume.get("projected") or {}).get("sources") or ():
        if isinstance(source.get("serviceAccountToken"), dict):
            fill(source["serviceAccountToken"], expirationSeconds=_TOKEN_SECONDS)
