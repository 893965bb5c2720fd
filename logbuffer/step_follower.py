"""One step from its Job's beginning to its archived log: waits, follows its pods, archives, marks, releases.

Nothing is remembered but what the cluster and the object store hold, so that this can be killed anywhere and
begun anew: a pod keeps its finalizer, and its log, until the Job says that the archive is verified.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from c8s.adapters.cluster import PODS, Invalid, Object
from c8s.adapters.object_store import Checksums, StoreError
from c8s.run import reasons
from c8s.run.labels import (
    ARCHIVE_PROBLEM,
    ARCHIVED,
    INFRA_RESTARTS,
    OUTPUTS,
    RESULT,
    RUN_UID_LABEL,
    STEP_LABEL,
    WAITING,
)
from c8s.run.times import format_time
from c8s.web.logs import log_event
from logbuffer.archiver import Archive
from logbuffer.chunk_writer import ChunkWriter
from logbuffer.chunking import StepChunks, remove_chunks
from logbuffer.job_mask import JobMask
from logbuffer.marks import JobMarks, format_mark, release_pods
from logbuffer.outputs import OutputsUnreadable, expects_outputs, format_outputs, pick_up_outputs
from logbuffer.own_lines import OwnLines
from logbuffer.pod_follower import PodFollower
from logbuffer.pods import (
    StepKey,
    has_any_started,
    is_deleted,
    is_disrupted,
    is_job_over,
    observe_job_uid,
    parse_pod_time,
)
from logbuffer.refusals import REASONS as REFUSAL_REASONS
from logbuffer.restoring import FoundLate, find_restorable, restore, tell_lost_ends
from logbuffer.results import COMPLETED, MAX_MESSAGE_CHARACTERS, result_of, result_without_pod
from logbuffer.step_objects import StepObjects
from logbuffer.tools import Stopped, Tools

log = logging.getLogger("c8s.logbuffer")

POLL_SECONDS = 1.0
JOB_END_SECONDS = 1.0


class StepFollower:
    """Does all for one step, in one thread, by `run`. Others tell it of changes by `objects`."""

    def __init__(self, tools: Tools, key: StepKey, objects: StepObjects, writer: ChunkWriter) -> None:
        self.key = key
        self.objects = objects
        self.checksums: Checksums | None = None
        self._tools = tools
        self._marks = JobMarks(tools, key.namespace, objects.job)
        self._log = tools.shelf.open(key)
        self._own = OwnLines(self._log)
        self._pods: list[PodFollower] = []
        self._job_mask: JobMask | None = None
        self._is_unreadable = False
        self._is_past_known = False
        self._writer = writer
        self._archive = Archive(tools, key)
        self._job_uid = _find_job_uid(objects)
        self._pod_uids: list[str] = []  # of all pods of the step that are known of, also those long gone
        self._chunks = StepChunks(tools.store, key, self._job_uid)
        self._end_chunks: Callable[[], None] = self._chunks.close

    @property
    def secret_values(self) -> set[bytes]:
        """Of all pods followed."""
        return set().union(*(pod.secrets.values for pod in self._pods))

    def run(self) -> None:
        """Returns when nothing is left to do. Raises `Stopped`, or what a broken object causes."""
        try:
            self._run()
        finally:
            self._end_chunks()

    def _run(self) -> None:
        is_archived = self._restore()
        while (pod := self._next_pod()) is not None:
            self._follow(pod, is_archived=is_archived)
        result = self._hand_on_outputs(self._find_result())
        if not is_archived:
            self._tools.metrics.add("c8s_log_gaps_total", tell_lost_ends(self._log))
            self._own.tell_end(result)
            self._store(result)
        self._mark_archived(result)
        settle_archived(self._tools, self.key, self.objects, self._chunks)
        self._log.mark_archived()

    def _restore(self) -> bool:
        """Takes up what an earlier process has left. Whether that is the whole archive."""
        self._writer.drop(self.key)
        restored = find_restorable(
            self._archive,
            self._chunks,
            self._job_uid,
            has_started=any(map(has_any_started, self.objects.pods())),
            tell_problem=self._mark_unreadable,
        )
        if self._is_unreadable:
            self._marks.write({ARCHIVE_PROBLEM: None})
        self._is_past_known = restored.is_known
        restore(restored, self._log, self._own)
        for part in restored.parts:
            self._count_pod(part.pod)
        if restored.parts:
            self._tools.metrics.add("c8s_log_restored_total")
        if restored.is_known and not restored.is_archived:
            self._end_chunks = self._writer.add(self._log, self._chunks)
        return restored.is_archived

    def _look_at_past(self, tell_problem: Callable[[StoreError], None]) -> None:
        """What could not be read at the beginning must be nothing. Raises `FoundLate` where it is not."""
        restored = find_restorable(
            self._archive, self._chunks, self._job_uid, has_started=True, tell_problem=tell_problem
        )
        if restored.parts:
            raise FoundLate("an earlier process has kept a part of this log")

    def _count_pod(self, uid: str) -> int:
        """The how manyeth pod of the step it is, from 1."""
        if uid and uid not in self._pod_uids:
            self._pod_uids.append(uid)
        return self._pod_uids.index(uid) + 1 if uid else 0

    def _follow(self, pod: Object, *, is_archived: bool) -> None:
        follower = PodFollower(self._tools, self.objects, self._log, self._own, self._marks, pod)
        self._pods.append(follower)
        attempt = self._count_pod(pod["metadata"]["uid"])
        if is_archived:
            return
        if attempt > 1:
            # Before the pod can end: a success is recorded at once, and would not know of it.
            self._marks.write({INFRA_RESTARTS: str(attempt - 1)})
        follower.run(attempt)
        if is_disrupted(follower.pod):
            why = result_of(follower.pod)
            self._own.tell_disruption(pod, why["reason"], follower.mask(str(why.get("message", ""))))

    def _next_pod(self) -> Object | None:
        """The next pod to follow, the oldest first; None when there will be no more."""
        begun = self._tools.clock()
        while True:
            self._tools.check()
            version = self.objects.version
            if self._is_final():
                self._look_for_pods()
            new = self._new_pods()
            if new:
                self._unmark_missing_pod()
                return new[0]
            if self._is_final():
                return None
            if not self._pods and self._tools.clock() - begun > self._tools.timing.patience_without_pod:
                self._mark_missing_pod()
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
        problem = self._tools.creation_problems.find(job, self._mask_of_job()) if job else None
        if problem is not None:
            self._own.tell_waiting(problem)
            self._marks.write({WAITING: format_mark(problem)})

    def _mask_of_job(self) -> JobMask:
        if self._job_mask is None:
            self._job_mask = JobMask(self._tools, self.key.namespace, self.objects.job)
        return self._job_mask

    def _unmark_missing_pod(self) -> None:
        if self._marks.read(WAITING).get("reason") in REFUSAL_REASONS:
            self._marks.write({WAITING: None})

    def _find_result(self) -> dict[str, Any]:
        if not self._pods:
            result = result_without_pod(self.objects.job)
            message = self._mask_of_job()(result["message"])
            return result | {"message": message[:MAX_MESSAGE_CHARACTERS]}
        last = self._pods[-1]
        if is_deleted(last.pod):
            # The Job says why it deletes its pod, a moment later.
            self.objects.wait_until(self._is_job_over, JOB_END_SECONDS)
        result = result_of(last.pod, self.objects.job, max(len(self._pods), len(self._pod_uids)) - 1)
        if "message" in result:
            result["message"] = last.mask(result["message"])
        return result

    def _hand_on_outputs(self, result: dict[str, Any]) -> dict[str, Any]:
        """Marks the Job with what a step that succeeded hands on. The result: a failure where that lacks."""
        if result["reason"] != COMPLETED or not expects_outputs(self.objects.job):
            return result
        try:
            values = pick_up_outputs(self._tools, self.key, lambda error: self._mark_problem(error, {}))
        except OutputsUnreadable as error:
            return result | {"reason": reasons.SAVE_FAILED, "message": str(error), "isInfrastructure": True}
        # Before the result: whoever sees that the step has ended sees what it hands on.
        self._marks.write({OUTPUTS: format_outputs(values, self._pods[-1].find_patterns())})
        return result

    def _is_job_over(self) -> bool:
        job = self.objects.job
        return job is None or self.objects.is_job_gone or is_job_over(job)

    def _store(self, result: dict[str, Any]) -> None:
        told: dict[str, str | None] = {RESULT: format_mark(result), WAITING: None}

        def tell_problem(error: StoreError) -> None:
            self._mark_problem(error, told)

        early = threading.Timer(self._tools.timing.early_result, self._mark_early, [told])
        early.daemon = True
        early.start()
        try:
            self._end_chunks()
            if not self._is_past_known:
                self._look_at_past(tell_problem)
            self.checksums = self._archive.store(self._job_uid, self._log.archive_lines(), tell_problem)
        finally:
            early.cancel()

    def _mark_archived(self, result: dict[str, Any]) -> None:
        told: dict[str, str | None] = {RESULT: format_mark(result), WAITING: None}
        self._marks.write({**told, ARCHIVED: "true", ARCHIVE_PROBLEM: None})
        self._tools.metrics.add("c8s_log_archives_total")
        self._count_delay(str(result.get("finishedAt", "")))

    def _mark_early(self, told: dict[str, str | None]) -> None:
        try:
            self._marks.write(told)
        except (Stopped, Invalid) as error:
            log_event(log, "early result not marked", error=error, step=str(self.key))

    def _mark_unreadable(self, error: StoreError) -> None:
        self._is_unreadable = True
        self._mark_problem(error, {})

    def _mark_problem(self, error: StoreError, told: dict[str, str | None]) -> None:
        before = self._marks.read(ARCHIVE_PROBLEM)
        problem = {
            "reason": error.reason,
            "message": f"the log can't be archived: {error}; {error.hint}",
            "since": before.get("since") or format_time(self._tools.now()),
        }
        self._marks.write({**told, ARCHIVE_PROBLEM: format_mark(problem)})
        if not any(map(has_any_started, self.objects.pods())):
            release_pods(self._tools, self.objects)  # nothing of a container's can be lost

    def _count_delay(self, finished_at: str) -> None:
        if finished_at:
            delay = self._tools.now() - parse_pod_time(finished_at)
            self._tools.metrics.add("c8s_log_archive_seconds_total", max(0.0, delay.total_seconds()))


def settle_archived(
    tools: Tools, key: StepKey, objects: StepObjects, chunks: StepChunks | None = None
) -> None:
    """What is left to do once the Job says that the archive is verified. Raises `Stopped`."""
    remove_chunks(chunks or StepChunks(tools.store, key, ""))
    release_pods(tools, objects)


def _find_job_uid(objects: StepObjects) -> str:
    """Of the Job, or as its pods tell it where it is gone."""
    if objects.job is not None:
        return str(objects.job["metadata"]["uid"])
    uids = (observe_job_uid(pod) for pod in reversed(objects.pods()))
    return next((uid for uid in uids if uid), "")
