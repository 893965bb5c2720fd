"""What `kubectl get` shows of built-in kinds: columns, and a row's cells from an object."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from c8s.local.apiserver.resource_types import Column

Object = dict[str, Any]
Cells = Callable[[Object, datetime], list[Any]]


def age(text: str | None, now: datetime) -> str:
    """How long ago a time was, as kubectl writes it: `5s`, `3m10s`, `2d4h`."""
    if not text:
        return "<unknown>"
    return duration((now - datetime.fromisoformat(text)).total_seconds())


def duration(seconds: float) -> str:
    """apimachinery's HumanDuration."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    return f"{days}d" if days < 730 else f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def columns(*names: str, wide: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """The name's, the others', and those of `-o wide`."""
    first = Column("Name", "", "string", 0, "Name must be unique within a namespace.")
    shown = [Column(name, "") for name in names]
    return (first, *shown, *(Column(name, "", priority=1) for name in wide))


def created(item: Object, now: datetime) -> str:
    """The age of an object."""
    return age(item["metadata"].get("creationTimestamp"), now)


def _pod(pod: Object, now: datetime) -> list[Any]:
    spec, status = pod.get("spec", {}), pod.get("status", {})
    containers = status.get("containerStatuses") or []
    ready = f"{sum(bool(one.get('ready')) for one in containers)}/{len(spec.get('containers', []))}"
    restarts = sum(one.get("restartCount", 0) for one in containers)
    wide = [status.get("podIP") or "<none>", spec.get("nodeName") or "<none>", "<none>", "<none>"]
    return [pod["metadata"]["name"], ready, _pod_state(pod), str(restarts), created(pod, now), *wide]


def _pod_state(pod: Object) -> str:
    status = pod.get("status", {})
    state = str(status.get("reason") or status.get("phase", "Unknown"))
    for index, one in enumerate(status.get("initContainerStatuses") or ()):
        terminated, waiting = _state(one, "terminated"), _state(one, "waiting")
        if terminated.get("exitCode") == 0:
            continue
        reason = terminated.get("reason") or waiting.get("reason")
        total = len(pod["spec"].get("initContainers") or ())
        return f"Init:{reason}" if reason and reason != "PodInitializing" else f"Init:{index}/{total}"
    for one in reversed(status.get("containerStatuses") or ()):
        reason = _state(one, "waiting").get("reason") or _state(one, "terminated").get("reason")
        state = reason or state
    return "Terminating" if "deletionTimestamp" in pod["metadata"] else state


def _state(container_status: Object, kind: str) -> Object:
    state: Object = (container_status.get("state") or {}).get(kind) or {}
    return state


def _job(job: Object, now: datetime) -> list[Any]:
    spec, status = job.get("spec", {}), job.get("status", {})
    started = status.get("startTime")
    ended = status.get("completionTime") or _condition_time(status, "Failed")
    took = age(started, datetime.fromisoformat(ended) if ended else now) if started else ""
    containers = spec.get("template", {}).get("spec", {}).get("containers") or ()
    names, images = (",".join(str(one.get(key, "")) for one in containers) for key in ("name", "image"))
    done = f"{status.get('succeeded', 0)}/{spec.get('completions', 1)}"
    selector = _pairs((spec.get("selector") or {}).get("matchLabels"))
    return [job["metadata"]["name"], _job_state(job), done, took, created(job, now), names, images, selector]


def _job_state(job: Object) -> str:
    true = {
        one["type"] for one in job.get("status", {}).get("conditions") or () if one.get("status") == "True"
    }
    if "Complete" in true or "Failed" in true:
        return "Complete" if "Complete" in true else "Failed"
    if "deletionTimestamp" in job["metadata"]:
        return "Terminating"
    return "Suspended" if "Suspended" in true else "Running"


def _condition_time(status: Object, kind: str) -> str | None:
    found = (one for one in status.get("conditions") or () if one["type"] == kind and one["status"] == "True")
    return next((one.get("lastTransitionTime") for one in found), None)


def _pairs(labels: Object | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def _namespace(item: Object, now: datetime) -> list[Any]:
    return [item["metadata"]["name"], item.get("status", {}).get("phase", ""), created(item, now)]


def _event(event: Object, now: datetime) -> list[Any]:
    involved, source = event.get("involvedObject") or {}, event.get("source") or {}
    seen = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    target = f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"
    first = event.get("firstTimestamp") or seen
    origin = source.get("component") or event.get("reportingComponent") or ""
    wide = [
        involved.get("fieldPath", ""),
        origin,
        age(first, now),
        event.get("count", 1),
        event["metadata"]["name"],
    ]
    return [
        age(seen, now),
        event.get("type", ""),
        event.get("reason", ""),
        target,
        event.get("message", ""),
        *wide,
    ]


def _secret(secret: Object, now: datetime) -> list[Any]:
    data = len(secret.get("data") or ())
    return [secret["metadata"]["name"], secret.get("type", ""), data, created(secret, now)]


def _config_map(item: Object, now: datetime) -> list[Any]:
    count = len(item.get("data") or ()) + len(item.get("binaryData") or ())
    return [item["metadata"]["name"], count, created(item, now)]


def _service(service: Object, now: datetime) -> list[Any]:
    spec = service.get("spec", {})
    ports = ",".join(f"{one['port']}/{one.get('protocol', 'TCP')}" for one in spec.get("ports") or ())
    name, kind = service["metadata"]["name"], spec.get("type", "ClusterIP")
    address = spec.get("clusterIP") or "<none>"
    return [
        name,
        kind,
        address,
        "<none>",
        ports or "<none>",
        created(service, now),
        _pairs(spec.get("selector")),
    ]


def _deployment(item: Object, now: datetime) -> list[Any]:
    wanted, status = item.get("spec", {}).get("replicas", 1), item.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{wanted}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [item["metadata"]["name"], ready, *counts, created(item, now)]


def _stateful_set(item: Object, now: datetime) -> list[Any]:
    ready = f"{item.get('status', {}).get('readyReplicas', 0)}/{item.get('spec', {}).get('replicas', 1)}"
    return [item["metadata"]["name"], ready, created(item, now)]


def _node(node: Object, now: datetime) -> list[Any]:
    status = node.get("status", {})
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    roles = ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix)))
    version = (status.get("nodeInfo") or {}).get("kubeletVersion", "")
    state = "Ready" if ready else "NotReady"
    if node.get("spec", {}).get("unschedulable"):
        state += ",SchedulingDisabled"
    return [node["metadata"]["name"], state, roles or "<none>", created(node, now), version]


def _binding(item: Object, now: datetime) -> list[Any]:
    role = f"{item['roleRef']['kind']}/{item['roleRef']['name']}"
    return [item["metadata"]["name"], role, created(item, now)]


def _definition(item: Object, _now: datetime) -> list[Any]:
    return [item["metadata"]["name"], item["metadata"].get("creationTimestamp")]


PRINTERS: dict[str, tuple[tuple[Column, ...], Cells]] = {
    "Pod": (
        columns(
            "Ready", "Status", "Restarts", "Age", wide=("IP", "Node", "Nominated Node", "Readiness Gates")
        ),
        _pod,
    ),
    "Job.batch": (
        columns("Status", "Completions", "Duration", "Age", wide=("Containers", "Images", "Selector")),
        _job,
    ),
    "Namespace": (columns("Status", "Age"), _namespace),
    "Event": (
        tuple(Column(name, "") for name in ("Last Seen", "Type", "Reason", "Object", "Message"))
        + tuple(
            Column(name, "", priority=1) for name in ("Subobject", "Source", "First Seen", "Count", "Name")
        ),
        _event,
    ),
    "Secret": (columns("Type", "Data", "Age"), _secret),
    "ConfigMap": (columns("Data", "Age"), _config_map),
    "Service": (
        columns("Type", "Cluster-IP", "External-IP", "Port(s)", "Age", wide=("Selector",)),
        _service,
    ),
    "Deployment.apps": (columns("Ready", "Up-to-date", "Available", "Age"), _deployment),
    "StatefulSet.apps": (columns("Ready", "Age"), _stateful_set),
    "Node": (columns("Status", "Roles", "Age", "Version"), _node),
    "RoleBinding.rbac.authorization.k8s.io": (columns("Role", "Age"), _binding),
    "ClusterRoleBinding.rbac.authorization.k8s.io": (columns("Role", "Age"), _binding),
    "CustomResourceDefinition.apiextensions.k8s.io": (columns("Created At"), _definition),
}
DEFAULT_PRINTER: tuple[tuple[Column, ...], Cells] = (
    columns("Age"),
    lambda item, now: [item["metadata"]["name"], created(item, now)],
)
