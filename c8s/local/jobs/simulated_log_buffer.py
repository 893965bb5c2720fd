"""The log buffer's role in virtual time: marks Jobs whose pod has ended, and lets the pod go.

What it writes is the contract of the real one: `c8s.dev/outputs`, `c8s.dev/result` and `c8s.dev/archived` on
the Job, in this order, and the finalizer `c8s.dev/log-archive` off the pod.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from c8s.adapters.cluster import JOBS, PODS, Cluster, Conflict, NotFound, Object
from c8s.local.jobs.failure_policy import judge_failure
from c8s.local.jobs.pod_views import has_condition, is_finished
from c8s.local.reconciling.object_cache import Caches, controller_reference
from c8s.local.reconciling.objects import (
    annotations_of,
    finalizers_of,
    is_deleting,
    queue_key,
    split_queue_key,
)
from c8s.local.reconciling.work_queue import Clock, WorkQueue
from c8s.run.labels import ARCHIVED, EXPECTS_OUTPUTS, LOG_FINALIZER, OUTPUTS, RESULT

STEP_CONTAINER = "step"

_OWN_REASONS = {"restore": "RestoreFailed", "save": "SaveFailed"}
_RUNNER_INFRASTRUCTURE_CODES = (12, 13)
"""Of c8s's own containers: a server that can't be reached, and c8s's own fault."""


class SimulatedLogBuffer:
    """A `Reconciler` whose keys are pods. An archive takes `archive_seconds(pod)`, None means it never
    succeeds. `outputs(pod)` is what its step has written for later ones.
    """

    name = "SimulatedLogBuffer"

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        clock: Clock,
        archive_seconds: Callable[[Object], float | None] = lambda pod: 0.0,
        outputs: Callable[[Object], dict[str, str]] = lambda pod: {},
    ) -> None:
        self.queue = WorkQueue(clock)
        self._cluster = cluster
        self._clock = clock
        self._archive_seconds = archive_seconds
        self._outputs = outputs
        self._ended_at: dict[str, float] = {}
        self._taken_away: dict[str, set[str]] = {}
        self._pods = caches.open(PODS)

    def start(self) -> None:
        self._pods.add_handler(self._on_change)

    def stop(self) -> None:
        self._pods.remove_handler(self._on_change)

    def sync(self, key: str) -> None:
        namespace, name = split_queue_key(key)
        try:
            pod = self._cluster.get(PODS, name, namespace)
        except NotFound:
            return
        if LOG_FINALIZER in finalizers_of(pod) and is_finished(pod):
            self._archive(key, pod)

    def _archive(self, key: str, pod: Object) -> None:
        uid, seconds = pod["metadata"]["uid"], self._archive_seconds(pod)
        waited = self._clock() - self._ended_at.setdefault(uid, self._clock())
        is_archived = seconds is not None and waited >= seconds
        self._mark_job(pod, is_archived)
        if is_archived:
            self._let_go(key, pod)
        elif seconds is not None:
            self.queue.add_after(key, seconds - waited)

    def _mark_job(self, pod: Object, is_archived: bool) -> None:
        """A pod that is to be replaced says nothing of its Job's end. A Job that is gone needs no marks."""
        reference = controller_reference(pod)
        if reference is None:
            return
        try:
            job = self._cluster.get(JOBS, reference["name"], pod["metadata"]["namespace"])
            if job["metadata"]["uid"] == reference["uid"]:
                self._tell_end(job, pod, is_archived)
        except NotFound:
            return

    def _tell_end(self, job: Object, pod: Object, is_archived: bool) -> None:
        taken_away = self._taken_away.setdefault(job["metadata"]["uid"], set())
        if judge_failure(job, pod).action == "Ignore" and _is_disrupted(pod):
            taken_away.add(pod["metadata"]["uid"])
            return
        result = build_result(pod, len(taken_away))
        if annotations_of(job).get(EXPECTS_OUTPUTS) == "true" and result["reason"] == "Completed":
            self._annotate(job, {OUTPUTS: orjson.dumps(self._outputs(pod)).decode()})
        marks = {RESULT: orjson.dumps(result).decode()} | ({ARCHIVED: "true"} if is_archived else {})
        self._annotate(job, marks)

    def _annotate(self, job: Object, marks: dict[str, str]) -> None:
        if not marks.items() <= annotations_of(job).items():
            metadata = job["metadata"]
            patch = {"metadata": {"annotations": marks}}
            self._cluster.patch(JOBS, metadata["name"], patch, metadata["namespace"])

    def _let_go(self, key: str, pod: Object) -> None:
        metadata = pod["metadata"]
        kept = [name for name in finalizers_of(pod) if name != LOG_FINALIZER]
        try:
            self._cluster.replace(PODS, pod | {"metadata": metadata | {"finalizers": kept}})
        except NotFound:
            return
        except Conflict:
            self.queue.add_after(key, 0.0)
            return
        self._ended_at.pop(metadata["uid"], None)

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        del old
        if new is not None and LOG_FINALIZER in finalizers_of(new) and is_finished(new):
            self.queue.add(queue_key(new))


def build_result(pod: Object, infra_restarts: int = 0) -> Object:
    """The value of `c8s.dev/result`: how the pod ended, and how many before it were taken away."""
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    ended = [item for item in containers if (item.get("state") or {}).get("terminated")]
    failed = next((item for item in ended if item["state"]["terminated"]["exitCode"] != 0), None)
    of_step = next((item for item in ended if item["name"] == STEP_CONTAINER), None)
    decisive = failed or of_step
    if decisive is None:
        return {"reason": "Deleted", "isInfrastructure": True, "infraRestarts": infra_restarts}
    state = decisive["state"]["terminated"]
    step = of_step["state"]["terminated"] if of_step else {}
    reason = _reason(pod, decisive["name"], state)
    return (
        {"exitCode": state["exitCode"], "reason": reason, "container": decisive["name"]}
        | {key: step[key] for key in ("startedAt", "finishedAt") if key in step}
        | ({"isInfrastructure": True} if _is_of_infrastructure(reason, state["exitCode"]) else {})
        | {"infraRestarts": infra_restarts}
    )


def _reason(pod: Object, container: str, ended: Object) -> str:
    if ended["exitCode"] == 0:
        return "Completed"
    if ended.get("reason") == "OOMKilled" and container == STEP_CONTAINER:
        return "OOMKilled"
    pod_reason = (pod.get("status") or {}).get("reason")
    if pod_reason in ("NodeLost", "Evicted"):
        return str(pod_reason)
    if _is_disrupted(pod):
        return "Evicted"
    if is_deleting(pod):
        return "Deleted"
    return "Error" if container == STEP_CONTAINER else _OWN_REASONS.get(container, "CheckoutFailed")


def _is_of_infrastructure(reason: str, exit_code: int) -> bool:
    if reason in ("NodeLost", "Evicted", "Deleted"):
        return True
    return reason.endswith("Failed") and exit_code in _RUNNER_INFRASTRUCTURE_CODES


def _is_disrupted(pod: Object) -> bool:
    return has_condition(pod, "DisruptionTarget", "True")
