"""A pod's status as a kubelet writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from c8s.adapters.cluster import Object
from c8s.local.node.container_state import ContainerRecord, Running, State, Terminated, Waiting
from c8s.local.node.pod_plan import Plan
from c8s.local.node.pod_verdict import Verdict
from c8s.local.node.rfc3339 import format_seconds

LOOPBACK = "127.0.0.1"
DISRUPTION = "DisruptionTarget"
"""By this condition a Job's failure policy tells a pod that was ended from one that failed."""

NEVER_STARTED = format_seconds(0)
"""The kubelet writes the epoch for a container that could not be started."""


def build_pod_status(
    pod: Object,
    records: Sequence[ContainerRecord],
    plan: Plan,
    start_time: str,
    now: str,
    verdict: Verdict | None = None,
) -> dict[str, Any]:
    """The whole status; condition times are kept from the pod's present one where nothing changed."""
    waits_for_initial = plan.phase == "Pending" and any(record.kind != "main" for record in records)
    statuses = {
        record.name: _build_container_status(pod, record, plan, waits_for_initial) for record in records
    }
    status: dict[str, Any] = {
        "phase": "Failed" if plan.is_over and verdict else plan.phase,
        "conditions": _build_conditions(pod, records, plan, now),
        "startTime": start_time,
        "hostIP": LOOPBACK,
        "podIP": LOOPBACK,
        "podIPs": [{"ip": LOOPBACK}],
        "qosClass": describe_quality(pod["spec"]),
        "containerStatuses": [statuses[record.name] for record in records if record.kind == "main"],
    }
    if initial := [statuses[record.name] for record in records if record.kind != "main"]:
        status["initContainerStatuses"] = initial
    if verdict is not None:
        status |= {"reason": verdict.reason, "message": verdict.message}
        if verdict.disruption:
            status["conditions"].append(_build_disruption(pod, verdict, now))
    return status


def _build_container_status(
    pod: Object, record: ContainerRecord, plan: Plan, waits_for_initial: bool
) -> dict[str, Any]:
    status: dict[str, Any] = {
        "name": record.name,
        "image": _image_of(pod, record.name),
        "imageID": "",
        "ready": _is_ready(record),
        "started": record.is_running and record.is_started,
        "restartCount": record.attempt or 0,
        "state": _build_state(_shown_state(record, plan, waits_for_initial), _container_id(pod, record)),
        "lastState": _build_state(_shown_last(record, plan), _container_id(pod, record)),
    }
    if record.attempt is not None:
        status["containerID"] = _container_id(pod, record)
    return status


def _shown_state(record: ContainerRecord, plan: Plan, waits_for_initial: bool) -> State:
    if isinstance(record.state, Terminated) and record.name in plan.restarting:
        return Waiting("CrashLoopBackOff", "back-off restarting failed container")
    is_first_wait = record.state == Waiting("ContainerCreating") and record.attempt is None
    if is_first_wait and waits_for_initial and record.kind == "main":
        return Waiting("PodInitializing")
    return record.state


def _shown_last(record: ContainerRecord, plan: Plan) -> State | None:
    if isinstance(record.state, Terminated) and record.name in plan.restarting:
        return record.state
    return record.last


def _is_ready(record: ContainerRecord) -> bool:
    return record.has_succeeded if record.kind == "init" else record.is_running and record.is_ready


def _build_state(state: State | None, container_id: str) -> dict[str, Any]:
    if isinstance(state, Waiting):
        detail = {"reason": state.reason, "message": state.message}
        return {"waiting": {key: value for key, value in detail.items() if value}}
    if isinstance(state, Running):
        return {"running": {"startedAt": format_seconds(state.started_at)}}
    return {} if state is None else {"terminated": _build_terminated(state, container_id)}


def _build_terminated(state: Terminated, container_id: str) -> dict[str, Any]:
    terminated: dict[str, Any] = {
        "exitCode": state.exit_code,
        "reason": state.reason,
        "startedAt": NEVER_STARTED if state.started_at is None else format_seconds(state.started_at),
        "finishedAt": format_seconds(state.finished_at),
        "containerID": container_id,
    }
    if state.signal is not None:
        terminated["signal"] = int(state.signal)
    if state.message:
        terminated["message"] = state.message
    return terminated


def _container_id(pod: Object, record: ContainerRecord) -> str:
    return f"c8s://{pod['metadata']['uid']}/{record.name}/{record.attempt or 0}"


def _image_of(pod: Object, name: str) -> str:
    spec = pod["spec"]
    for container in (*(spec.get("initContainers") or []), *spec["containers"]):
        if container["name"] == name:
            return str(container.get("image", ""))
    return ""


def _build_conditions(
    pod: Object, records: Sequence[ContainerRecord], plan: Plan, now: str
) -> list[dict[str, Any]]:
    initial = [record for record in records if record.kind != "main"]
    mains = [record for record in records if record.kind == "main"]
    unready = [record.name for record in records if record.kind != "init" and not _is_ready(record)]
    has_begun = any(record.attempt is not None for record in mains)
    uninitialized = [record.name for record in initial if not (has_begun or _is_initialized(record))]
    wanted: list[tuple[str, str, str]] = [("PodScheduled", "", "")]
    if plan.is_over and not uninitialized:
        wanted += [(name, "PodCompleted", "") for name in ("Initialized", "Ready", "ContainersReady")]
    else:
        wanted.append(
            ("Initialized", *_describe_missing("ContainersNotInitialized", "initialized", uninitialized))
        )
        not_ready = _describe_missing("ContainersNotReady", "ready", unready)
        wanted += [("Ready", *not_ready), ("ContainersReady", *not_ready)]
    known = {condition["type"]: condition for condition in (pod.get("status") or {}).get("conditions") or []}
    return [_build_condition(entry, known.get(entry[0], {}), now) for entry in wanted]


def _build_disruption(pod: Object, verdict: Verdict, now: str) -> dict[str, Any]:
    known: dict[str, Any] = next(
        (one for one in (pod.get("status") or {}).get("conditions") or [] if one["type"] == DISRUPTION), {}
    )
    return {
        "type": DISRUPTION,
        "status": "True",
        "reason": verdict.disruption,
        "message": verdict.message,
        "lastTransitionTime": known.get("lastTransitionTime", now),
    }


def _is_initialized(record: ContainerRecord) -> bool:
    return record.has_succeeded if record.kind == "init" else record.is_running and record.is_started


def _describe_missing(reason: str, what: str, names: Sequence[str]) -> tuple[str, str]:
    if not names:
        return "", ""
    return (
        reason,
        f"containers with {'incomplete' if what == 'initialized' else 'unready'} status: [{' '.join(names)}]",
    )


def _build_condition(entry: tuple[str, str, str], known: Mapping[str, Any], now: str) -> dict[str, Any]:
    name, reason, message = entry
    is_true = not reason or (reason == "PodCompleted" and name == "Initialized")
    condition: dict[str, Any] = {"type": name, "status": "True" if is_true else "False"}
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    is_same = known.get("status") == condition["status"]
    condition["lastTransitionTime"] = known.get("lastTransitionTime", now) if is_same else now
    return condition


def build_unschedulable_status(message: str, now: str) -> dict[str, Any]:
    """What kube-scheduler writes when no node fits."""
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastTransitionTime": now,
    }
    return {"phase": "Pending", "conditions": [condition]}


def describe_quality(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort; https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/."""
    containers = [*(spec.get("initContainers") or []), *spec["containers"]]
    resources = [container.get("resources") or {} for container in containers]
    if not any(entry.get("requests") or entry.get("limits") for entry in resources):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(entry) for entry in resources) else "Burstable"


def _is_guaranteed(resources: Mapping[str, Any]) -> bool:
    limits = resources.get("limits") or {}
    requests = resources.get("requests") or limits
    return {"cpu", "memory"} <= set(limits) and all(
        requests.get(name, limits[name]) == limits[name] for name in ("cpu", "memory")
    )
