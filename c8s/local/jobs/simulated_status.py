"""Statuses of pods as a kubelet writes them, for a node that runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from c8s.adapters.cluster import Object
from c8s.local.jobs.pod_views import format_time

KILLED = 137
DISRUPTION = "DisruptionTarget"


def build_waiting_status(pod: Object, reason: str, container: str = "") -> Object:
    """Bound to a node, no container started, or none but those before `container`."""
    created = pod["metadata"]["creationTimestamp"]
    initial = list(_initial(pod))
    names = [one["name"] for one in initial]
    position = names.index(container) if container in names else len(names) if container else 0
    states = [
        _begun(one, created) if index < position else _waiting(one, reason, container)
        for index, one in enumerate(initial)
    ]
    mains = [_waiting(one, reason, container) for one in pod["spec"]["containers"]]
    return {
        "phase": "Pending",
        "conditions": [_condition("PodScheduled"), *_kept_conditions(pod)],
        **({"initContainerStatuses": states} if container else {}),
        "containerStatuses": mains,
    }


def build_running_status(pod: Object, now: datetime) -> Object:
    """All containers run; since when does not change once it is said."""
    started = (pod.get("status") or {}).get("startTime") or format_time(now)
    return {
        "phase": "Running",
        "startTime": started,
        "conditions": [_condition("PodScheduled"), _condition("Ready"), *_kept_conditions(pod)],
        "initContainerStatuses": [_begun(container, started) for container in _initial(pod)],
        "containerStatuses": [
            _container(container, {"running": {"startedAt": started}})
            for container in pod["spec"]["containers"]
        ],
    }


def build_ended_status(
    pod: Object,
    exit_codes: dict[str, int],
    now: datetime,
    disruption: str = "",
    *,
    pod_reason: str = "",
    oom_killed: str = "",
) -> Object:
    """All containers ended; an init container that failed keeps those after it from starting."""
    started = (pod.get("status") or {}).get("startTime") or format_time(now)
    is_ended = bool(disruption or pod_reason)
    codes = _ended_codes(pod, exit_codes, default=KILLED if is_ended else 0)
    sidecars = {container["name"] for container in _initial(pod) if _is_sidecar(container)}
    failed = is_ended or any(code != 0 for name, code in codes.items() if name not in sidecars)
    conditions = [_condition("PodScheduled"), _condition("Ready", "False"), *_kept_conditions(pod)]
    if disruption:
        conditions = [one for one in conditions if one["type"] != DISRUPTION]
        conditions.append(_condition(DISRUPTION) | {"reason": disruption})
    times = (started, format_time(now))
    ended = [_ended(one, codes, times, oom_killed) for one in (*_initial(pod), *pod["spec"]["containers"])]
    initial_count = len(list(_initial(pod)))
    return {
        "phase": "Failed" if failed else "Succeeded",
        **({"reason": pod_reason} if pod_reason else {}),
        "startTime": started,
        "conditions": conditions,
        "initContainerStatuses": ended[:initial_count],
        "containerStatuses": ended[initial_count:],
    }


def _ended_codes(pod: Object, exit_codes: dict[str, int], default: int) -> dict[str, int]:
    """Exit codes of the containers that ran."""
    codes: dict[str, int] = {}
    for container in _initial(pod):
        codes[container["name"]] = exit_codes.get(container["name"], 0)
        if codes[container["name"]] != 0 and not _is_sidecar(container):
            return codes
    return codes | {
        container["name"]: exit_codes.get(container["name"], default)
        for container in pod["spec"]["containers"]
    }


def _ended(container: Object, codes: dict[str, int], times: tuple[str, str], oom_killed: str) -> Object:
    name = container["name"]
    if name not in codes:
        return _container(container, {"waiting": {"reason": "PodInitializing"}})
    return _container(container, _terminated(codes[name], *times, is_oom=name == oom_killed))


def _initial(pod: Object) -> Iterator[Object]:
    yield from pod["spec"].get("initContainers") or []


def _is_sidecar(container: Object) -> bool:
    return bool(container.get("restartPolicy") == "Always")


def _begun(container: Object, started: str) -> Object:
    """An initial container when those after it run: ended, but for sidecars."""
    if _is_sidecar(container):
        return _container(container, {"running": {"startedAt": started}}) | {"started": True}
    return _container(container, _terminated(0, started, started))


def _waiting(container: Object, reason: str, name: str) -> Object:
    shown = reason if name in ("", container["name"]) else "PodInitializing"
    return _container(container, {"waiting": {"reason": shown}})


def _terminated(exit_code: int, started: str, finished: str, *, is_oom: bool = False) -> Object:
    reason = "OOMKilled" if is_oom else "Completed" if exit_code == 0 else "Error"
    return {
        "terminated": {"exitCode": exit_code, "reason": reason, "startedAt": started, "finishedAt": finished}
    }


def _container(container: Object, state: Object) -> Object:
    is_done = state.get("terminated", {}).get("exitCode") == 0
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": "running" in state or is_done,
        "restartCount": 0,
        "state": state,
    }


def _condition(kind: str, status: str = "True") -> Object:
    return {"type": kind, "status": status}


def _kept_conditions(pod: Object) -> list[Object]:
    """What others have written: that the pod is to be disrupted."""
    return [one for one in (pod.get("status") or {}).get("conditions") or [] if one["type"] == DISRUPTION]
