"""One pod from its binding to its removal."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from c8s.adapters.cluster import PODS, STRATEGIC_PATCH, ClusterError, Conflict, NotFound, Object
from c8s.local.node.container_driver import ContainerDriver
from c8s.local.node.container_state import ContainerRecord, Waiting
from c8s.local.node.containers import list_containers
from c8s.local.node.context import NodeContext
from c8s.local.node.pod_history import as_lost, has_run, is_urgent
from c8s.local.node.pod_plan import Plan
from c8s.local.node.pod_status import build_pod_status
from c8s.local.node.pod_verdict import Verdict, judge_pod, read_deadline
from c8s.local.node.rfc3339 import format_seconds
from c8s.local.node.storage_use import StorageCheck
from c8s.local.node.token_renewal import renew_tokens
from c8s.web.logs import log_event

log = logging.getLogger(__name__)

LAZY_STATUS_SECONDS = 0.25
"""How long a change may wait for others that nobody waits for: an init container's start, for one."""

LIVENESS_SECONDS = 5.0
"""How often running shims are looked after that may have been killed."""

STOP_POLL_SECONDS = 0.05
API_RETRY_SECONDS = 0.5
DEFAULT_GRACE_SECONDS = 30
SHORTEST_GRACE_SECONDS = 2.0
"""What a sidecar gets even when those before it have used up the pod's grace (kuberuntime_container.go)."""

FINAL_PHASES = ("Succeeded", "Failed")


class PodDriver:
    """Call `step` after every change, from one thread at a time; it answers when to call again."""

    def __init__(self, pod: Object, context: NodeContext, wake: Callable[[], None]) -> None:
        self._context = context
        self._files = context.pod_files(pod["metadata"]["uid"])
        self._was_lost = has_run(pod) and not self._files.exists()
        self._is_reported = pod.get("status", {}).get("phase") in FINAL_PHASES
        self._files.make()
        self._unsubscribe = context.watch.subscribe(self._files.shims, wake)
        self._containers = {
            container.name: ContainerDriver(container, self._files, context, wake)
            for container in list_containers(pod)
        }
        for container in self._containers.values():
            container.adopt()
        self._pod = pod
        self._start_time = pod.get("status", {}).get("startTime") or format_seconds(time.time())
        self._written: dict[str, Any] = pod.get("status", {})
        self._dirty_since: float | None = None
        self._is_confirmed = False
        self._is_gone = False
        self._is_cleared = False
        self._is_ending: dict[str, bool] = {}
        self._stopping_since: float | None = None
        self._storage = StorageCheck(pod, self._files, wake)

    @property
    def pod(self) -> Object:
        return self._pod

    @property
    def is_over(self) -> bool:
        """Whether the end has been told to the API: its cpu and memory are free."""
        return self._is_reported

    @property
    def is_cleared(self) -> bool:
        """Whether nothing is left of the pod: forget it."""
        return self._is_cleared

    def update(self, pod: Object) -> None:
        """Takes the pod's newest version; from any thread."""
        self._pod = pod

    def abandon(self) -> None:
        """The object is gone from the API: kill what runs, remove the files."""
        self._is_gone = True

    def step(self) -> float | None:
        """Does what is to be done now. None when nothing will be until something changes."""
        if self._is_gone:
            return self._clear_away()
        if self._is_reported:
            return self._confirm_removal()
        now = time.time()
        records = self._observe()
        verdict, plan = self._judge(records, now)
        for name in plan.start:
            self._containers[name].start(self._pod)
        self._stop(plan, verdict)
        records = self._observe()
        if not plan.start:
            verdict, plan = self._judge(records, now)
        wait_seconds = min(self._report(records, plan, verdict, now), self._renew_tokens(now))
        if self._is_reported:
            return self._confirm_removal()
        return min(wait_seconds, self._seconds_to_next(plan, records, now))

    def _stop(self, plan: Plan, verdict: Verdict | None) -> None:
        """Ends what the plan says, and what its probes found ill. All share one grace; the last get some."""
        now = time.monotonic()
        grace_seconds = self._grace_seconds(verdict)
        for name, container in self._containers.items():
            if name not in plan.stop:
                self._is_ending[name] = container.end_unhealthy(self._pod, grace_seconds)
                continue
            if self._stopping_since is None:
                self._stopping_since = now
            left_seconds = grace_seconds - (now - self._stopping_since)
            container.stop(max(left_seconds, SHORTEST_GRACE_SECONDS) if grace_seconds > 0 else 0.0)

    def _observe(self) -> list[ContainerRecord]:
        records = [container.observe() for container in self._containers.values()]
        return [as_lost(record) for record in records] if self._was_lost else records

    def _judge(self, records: Sequence[ContainerRecord], now: float) -> tuple[Verdict | None, Plan]:
        return judge_pod(
            self._pod,
            records,
            now,
            start_time=self._start_time,
            was_lost=self._was_lost,
            overuse=self._storage.problem,
        )

    def _renew_tokens(self, now: float) -> float:
        """Seconds until it has to be called again."""
        try:
            return renew_tokens(self._files.volumes, self._pod, self._context.tokens, now)
        except (ClusterError, OSError) as error:
            name = self._pod["metadata"]["name"]
            log_event(log, "token not renewed", level=logging.WARNING, error=error, pod=name)
            return LIVENESS_SECONDS

    def _grace_seconds(self, verdict: Verdict | None) -> float:
        if verdict is not None and verdict.grace_seconds is not None:
            return verdict.grace_seconds
        metadata, spec = self._pod["metadata"], self._pod["spec"]
        default = spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS)
        return float(metadata.get("deletionGracePeriodSeconds", default))

    def _seconds_to_next(self, plan: Plan, records: Sequence[ContainerRecord], now: float) -> float:
        """When time alone will change something: a restart, a retry, the deadline, the end of a grace."""
        moments = [LIVENESS_SECONDS, self._storage.poke()]
        if plan.stop or any(self._is_ending.values()):
            moments.append(STOP_POLL_SECONDS)
        moments += [
            container.health.seconds_to_next()
            for container in self._containers.values()
            if container.health is not None and container.ended is None
        ]
        if plan.wake_at is not None:
            moments.append(max(0.0, plan.wake_at - now))
        if (deadline := read_deadline(self._pod, self._start_time)) is not None and deadline > now:
            moments.append(deadline - now)
        for record in records:
            hold = self._containers[record.name].hold
            if isinstance(record.state, Waiting) and hold.until:
                moments.append(max(STOP_POLL_SECONDS, hold.until - time.monotonic()))
        return min(moments)

    def _report(
        self, records: Sequence[ContainerRecord], plan: Plan, verdict: Verdict | None, now: float
    ) -> float:
        """Writes the status if it has changed and is worth a write now; seconds until it will be."""
        status = build_pod_status(
            {**self._pod, "status": self._written},
            records,
            plan,
            self._start_time,
            format_seconds(now),
            verdict,
        )
        if self._is_written(status):
            self._dirty_since = None
            return LIVENESS_SECONDS
        if self._dirty_since is None:
            self._dirty_since = now
        left_seconds = self._dirty_since + LAZY_STATUS_SECONDS - now
        if left_seconds > 0 and not is_urgent(self._written, status):
            return left_seconds
        return self._write(status)

    def _is_written(self, status: dict[str, Any]) -> bool:
        return all(self._written.get(key) == value for key, value in status.items())

    def _write(self, status: dict[str, Any]) -> float:
        """Conditions are merged by their type: others write some, too."""
        metadata = self._pod["metadata"]
        patch = {"metadata": {"uid": metadata["uid"]}, "status": status}
        try:
            self._context.cluster.patch(
                PODS,
                metadata["name"],
                patch,
                metadata["namespace"],
                content_type=STRATEGIC_PATCH,
                subresource="status",
            )
        except (NotFound, Conflict):
            return LIVENESS_SECONDS
        except ClusterError as error:
            log_event(log, "pod status not written", level=logging.WARNING, error=error, pod=metadata["name"])
            return API_RETRY_SECONDS
        if status.get("reason") == "Evicted" and self._written.get("reason") != "Evicted":
            self._context.events.warn(self._pod, "Evicted", status["message"])
        self._written = status
        self._dirty_since = None
        self._is_reported = status["phase"] in FINAL_PHASES
        return LIVENESS_SECONDS

    def _confirm_removal(self) -> float | None:
        """Tells the API that a deleted pod has ended: it lets the object go once no finalizer holds it."""
        metadata = self._pod["metadata"]
        if self._is_confirmed or "deletionTimestamp" not in metadata:
            return None
        try:
            self._context.cluster.delete(
                PODS, metadata["name"], metadata["namespace"], uid=metadata["uid"], grace_period_seconds=0
            )
        except (NotFound, Conflict):
            log_event(log, "pod is gone already", level=logging.DEBUG, pod=metadata["name"])
        except ClusterError:
            return API_RETRY_SECONDS
        self._is_confirmed = True
        return None

    def _clear_away(self) -> float | None:
        active = [name for name, container in self._containers.items() if container.observe().is_active]
        for name in active:
            self._containers[name].stop(0.0)
        if active:
            return STOP_POLL_SECONDS
        self._unsubscribe()
        for container in self._containers.values():
            container.remove_leftovers()
        if self._files.root.exists():
            self._files.remove()
        self._is_cleared = True
        return None
