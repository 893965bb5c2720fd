"""Why a pod has not started, in the words of the annotation `c8s.dev/waiting`."""

from __future__ import annotations

from datetime import datetime, timedelta

from c8s.adapters.cluster import Object
from logbuffer.containers import observe_containers_beside, observe_first_containers
from logbuffer.pods import (
    has_started,
    observe_condition,
    observe_containers,
    observe_state,
    observe_termination,
    parse_pod_time,
)

PATIENCE = timedelta(seconds=1)
"""A pod that waits no longer is as quick as a pod is."""

CREATING_PATIENCE = timedelta(seconds=10)
"""Pulling an image takes its time and is no trouble, until it takes long."""

_ORDINARY = frozenset({"", "ContainerCreating", "PodInitializing"})


def waiting_of(pod: Object, now: datetime) -> dict[str, str] | None:
    """`{reason, message, since}` when the pod has waited for long enough to tell, otherwise None."""
    if (pod.get("status") or {}).get("phase", "Pending") not in ("Pending", "Running"):
        return None
    scheduled = observe_condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        since = str(scheduled.get("lastTransitionTime") or pod["metadata"].get("creationTimestamp", ""))
        return _report(scheduled, since, PATIENCE, now)
    container = _find_next(pod)
    if not container or has_started(pod, container):
        return None
    waiting = observe_state(pod, container).get("waiting") or {}
    patience = CREATING_PATIENCE if waiting.get("reason", "") in _ORDINARY else PATIENCE
    return _report(waiting, _find_begin(pod), patience, now) if waiting else None


def _find_next(pod: Object) -> str:
    """The container that is to start next, or runs while the others wait for its end; "" where all have."""
    first = observe_first_containers(pod)
    unended = (name for name in first if observe_termination(pod, name) is None)
    unstarted = (name for name in observe_containers_beside(pod) if not has_started(pod, name))
    return next(unended, "") or next(unstarted, "")


def _find_begin(pod: Object) -> str:
    """Since when the next container could have started: the pod has a node, the one before it has ended."""
    ends = [observe_termination(pod, name) for name in observe_containers(pod)]
    times = [str(end["finishedAt"]) for end in ends if end and end.get("finishedAt")]
    scheduled = observe_condition(pod, "PodScheduled").get("lastTransitionTime")
    return max([*times, str(scheduled or ""), str(pod["metadata"].get("creationTimestamp", ""))])


def _report(why: Object, since: str, patience: timedelta, now: datetime) -> dict[str, str] | None:
    if now < parse_pod_time(since) + patience:
        return None
    return {
        "reason": str(why.get("reason") or "Waiting"),
        "message": str(why.get("message") or ""),
        "since": since,
    }
