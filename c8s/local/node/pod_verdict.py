"""What becomes of a pod: the plan of its containers, and why the node itself must end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from c8s.adapters.cluster import Object
from c8s.local.node.container_state import ContainerRecord, Terminated
from c8s.local.node.pod_plan import Plan, plan_pod
from c8s.local.node.rfc3339 import parse_seconds

EVICTION_GRACE_SECONDS = 1.0
"""eviction_manager.go: immediateEvictionGracePeriodSeconds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the node ended a pod by itself: `DeadlineExceeded`, `NodeLost`, `Evicted`.

    `disruption` is the reason of its DisruptionTarget condition, "" for none; `grace_seconds` is what its
    containers get, None for what the pod asks for.
    """

    reason: str
    message: str
    disruption: str = ""
    grace_seconds: float | None = None


LOST = Verdict("NodeLost", "the node lost the pod's files while it ran", disruption="DeletionByPodGC")
OVERDUE = Verdict("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


def judge_pod(
    pod: Object,
    records: Sequence[ContainerRecord],
    now: float,
    *,
    start_time: str,
    was_lost: bool = False,
    overuse: str = "",
) -> tuple[Verdict | None, Plan]:
    """`overuse` says which storage limit the pod has exceeded. `now` in epoch seconds.

    What a pod does to itself is no disruption: its Job would try that again and again.
    https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
    """
    policy = pod["spec"].get("restartPolicy", "Always")
    is_deleted = "deletionTimestamp" in pod["metadata"]
    plan = plan_pod(records, policy, now, must_stop=is_deleted or was_lost)
    if was_lost:
        return LOST, plan
    if overuse:
        verdict = Verdict("Evicted", overuse, grace_seconds=EVICTION_GRACE_SECONDS)
        return verdict, plan_pod(records, policy, now, must_stop=True)
    deadline = read_deadline(pod, start_time)
    ends = [record.state.finished_at for record in records if isinstance(record.state, Terminated)]
    moment = max(ends, default=now) if plan.is_over else now
    if deadline is None or moment < deadline or (is_deleted and plan.is_over and not ends):
        return None, plan
    return OVERDUE, plan_pod(records, policy, now, must_stop=True)


def read_deadline(pod: Object, start_time: str) -> float | None:
    """Epoch seconds of `activeDeadlineSeconds`."""
    seconds = pod["spec"].get("activeDeadlineSeconds")
    return None if seconds is None else parse_seconds(start_time) + float(seconds)
