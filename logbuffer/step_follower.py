"""One step from its Job's beginning to its archived log: waits, follows its pods, archives, marks, releases.

Nothing is remembered but what the cluster and the object store hold, so that this can be killed anywhere and
begun anew: a pod keeps its finalizer, and its log, until the Job says that the archive is verified.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from c8s.adapters.cluster import PODS, Invalid, Object
from c8s.adapters.object_store import Checksums, StoreError
from c8s.logs.layout import log_key
from c8s.run.labels import ARCHIVE_PROBLEM, ARCHIVED, RESULT, RUN_UID_LABEL, STEP_LABEL, WAITING
from c8s.run.times import format_time
from c8s.web.logs import log_event
from logbuffer.archiver import archive_lines
from logbuffer.marks import JobMarks, format_mark, release_pods
from logbuffer.own_lines import OwnLines
from logbuffer.pod_creation import find_creation_problem
from logbuffer.pod_follower import PodFollower
from logbuffer.pods import (
    StepKey,
    has_any_started,
    is_deleted,
    is_disrupted,
    is_job_over,
    parse_pod_time,
)
from logbuffer.results import result_of, result_without_pod
from logbuffer.step_objects import StepObjects
from logbuffer.tools import Stopped, Tools

log = logging.getLogger("c8s.logbuffer")

POLL_SECONDS = 1.0
JOB_END_SECONDS = 1.0


class StepFollower:
    """Does all for one step, in one thread, by `run`. Others tell it of changes by `objects`."""

    def __init__(self, tools: Tools, key: StepKey, objects: StepObjects) -> None:
        self.key = key
        self.objects = objects
        self.checksums: Checksums | None = None
        self._tools = tools
        self._marks = JobMarks(tools, key.namespace, objects.job)
        self._log = tools.shelf.open(key)
        self._own = OwnLines(self._log)
        self._pods: list[PodFollower] = []

    @property
    def secret_values(self) -> set[bytes]:
        """Of all pods followed."""
        return set().union(*(pod.secrets.values for pod in self._pods))

    def run(self) -> None:
        """Returns when nothing is left to do. Raises `Stopped`, or what a broken object causes."""
        while (pod := self._next_pod()) is not None:
            self._follow(pod)
        result = self._find_result()
        self._own.tell_end(result)
        self._archive(result)
        release_pods(self._tools, self.objects)
        self._log.mark_archived()

    def _follow(self, pod: Object) -> None:
        follower = PodFollower(self._tools, self.objects, self._log, self._own, self._marks, pod)
        self._pods.append(follower)
        follower.run(attempt=len(self._pods))

    def _next_pod(self) -> Object | None:
        """The next pod to follow, the oldest first; None when there will be no more."""
        begun = time.monotonic()
        while True:
            self._tools.check()
            version = self.objects.version
            if self._is_final():
                self._look_for_pods()
            new = self._new_pods()
            if new:
                return new[0]
            if self._is_final():
                return None
            if not self._pods and time.monotonic() - begun > self._tools.timing.patience_without_pod:
                self._mark_missing_pod()
                begun = time.monotonic() + self._tools.timing.events_interval
            self.objects.wait_for_change(version, POLL_SECONDS)

    def _new_pods(self) -> list[Object]:
        followed = {pod.pod["metadata"]["uid"] for pod in self._pods}
        return [pod for pod in self.objects.pods() if pod["metadata"]["uid"] not in followed]

    def _is_final(self) -> bool:
        """Whether the last pod followed was the step's last."""
        if self._pods and not is_disrupted(self._pods[-1].pod):
            return True
        job = self.objects.job
        return job is None or self.objects.is_job_gone or is_job_over(job)

    def _look_for_pods(self) -> None:
        """Asks the cluster itself: the watch of pods may be behind that of Jobs."""
        if self._pods and not is_disrupted(self._pods[-1].pod):
            return
        selector = f"{RUN_UID_LABEL}={self.key.run_uid},{STEP_LABEL}={self.key.instance}"
        found = self._tools.insist(
            "listing pods",
            lambda: self._tools.cluster.list(PODS, self.key.namespace, label_selector=selector),
        )
        for pod in found.items if found else ():
            if self.objects.pod(pod["metadata"]["uid"]) is None:
                self.objects.put_pod(pod)

    def _mark_missing_pod(self) -> None:
        job = self.objects.job
        problem = find_creation_problem(self._tools.cluster, job) if job else None
        if problem is not None:
            self._own.tell_waiting(problem)
            self._marks.write({WAITING: format_mark(problem)})

    def _find_result(self) -> dict[str, Any]:
        if not self._pods:
            return result_without_pod(self.objects.job)
        last = self._pods[-1]
        if is_deleted(last.pod):
            # The Job says why it deletes its pod, a moment later.
            self.objects.wait_until(self._is_job_over, JOB_END_SECONDS)
        result = result_of(last.pod, self.objects.job, len(self._pods) - 1)
        if "message" in result:
            result["message"] = last.mask(result["message"])
        return result

    def _is_job_over(self) -> bool:
        job = self.objects.job
        return job is None or self.objects.is_job_gone or is_job_over(job)

    def _archive(self, result: dict[str, Any]) -> None:
        key = log_key(self.key.namespace, self.key.run_uid, self.key.instance)
        told: dict[str, str | None] = {RESULT: format_mark(result), WAITING: None}
        early = threading.Timer(self._tools.timing.early_result, self._mark_early, [told])
        early.daemon = True
        early.start()
        try:
            self.checksums = archive_lines(
                self._tools, key, self._log.archive_lines(), lambda error: self._mark_problem(error, told)
            )
        finally:
            early.cancel()
        self._marks.write({**told, ARCHIVED: "true", ARCHIVE_PROBLEM: None})
        self._tools.metrics.add("c8s_log_archives_total")
        self._count_delay(str(result.get("finishedAt", "")))

    def _mark_early(self, told: dict[str, str | None]) -> None:
        try:
            self._marks.write(told)
        except (Stopped, Invalid) as error:
            log_event(log, "early result not marked", error=error, step=str(self.key))

    def _mark_problem(self, error: StoreError, told: dict[str, str | None]) -> None:
        before = self._marks.read(ARCHIVE_PROBLEM)
        problem = {
            "reason": error.reason,
            "message": f"the log can't be archived: {error}; {error.hint}",
            "since": before.get("since") or format_time(self._tools.now()),
        }
        self._marks.write({**told, ARCHIVE_PROBLEM: format_mark(problem)})
        if not any(has_any_started(pod.pod) for pod in self._pods):
            release_pods(self._tools, self.objects)  # nothing of a container's can be lost

    def _count_delay(self, finished_at: str) -> None:
        if finished_at:
            delay = self._tools.now() - parse_pod_time(finished_at)
            self._tools.metrics.add("c8s_log_archive_seconds_total", max(0.0, delay.total_seconds()))
