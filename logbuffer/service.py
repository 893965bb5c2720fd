"""The log buffer's work behind its routes: watches, one follower for each step, records of ended runs."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from c8s.adapters.cluster import EVENTS, JOBS, PIPELINE_RUNS, PODS, Cluster, Object
from c8s.adapters.informer import Informer
from c8s.adapters.object_store import PartStore, StoreError
from c8s.adapters.watching import Subject
from c8s.logs.sharding import WHOLE_SHARE, Share
from c8s.run.labels import ARCHIVED, MANAGED_BY_LABEL
from c8s.web.logs import log_event
from logbuffer.chunk_writer import ChunkWriter
from logbuffer.containers import is_container_over
from logbuffer.file_retention import CACHE_LIMIT_BYTES, FileKeeper
from logbuffer.history import HistoryKeeper, HistoryLimits
from logbuffer.marks import is_marked_archived
from logbuffer.pod_creation import FIELD_SELECTOR
from logbuffer.pods import (
    StepKey,
    has_finalizer,
    is_deleted,
    observe_job_name,
    observe_step_key,
)
from logbuffer.retention import RetentionKeeper
from logbuffer.run_records import RunRecorder
from logbuffer.step_follower import StepFollower, settle_archived
from logbuffer.step_log import Bounds, Shelf, StepLog
from logbuffer.step_objects import StepObjects
from logbuffer.tenancy import Tenancy
from logbuffer.tools import Stopped, Timing, Tools

log = logging.getLogger("c8s.logbuffer")

SELECTOR = f"{MANAGED_BY_LABEL}=c8s"
LONGEST_PAUSE_SECONDS = 60.0
LEAVE_SECONDS = 20.0


@dataclass(slots=True)
class _Step:
    """A step and the thread that follows it, if any."""

    objects: StepObjects = field(default_factory=StepObjects)
    thread: threading.Thread | None = None
    done_at: float | None = None
    stuck_since: float | None = None
    seen_uids: set[str] = field(default_factory=set)
    """Of the Jobs and pods that were followed to their end: what watches still tell of them is old."""


class LogBuffer:
    """Everything between the cluster's pods and the object store, until `stop`.

    It follows the runs of its `share`; with a `tenancy` not before that is acquired.
    """

    def __init__(
        self,
        cluster: Cluster,
        store: PartStore,
        bounds: Bounds | None = None,
        timing: Timing | None = None,
        *,
        share: Share = WHOLE_SHARE,
        tenancy: Tenancy | None = None,
        history: HistoryLimits | None = None,
        cache_limit_bytes: int = CACHE_LIMIT_BYTES,
    ) -> None:
        self._share = share
        self._history = history or HistoryLimits()
        self._cache_limit_bytes = cache_limit_bytes
        self._tenancy = tenancy
        self.tools = Tools(cluster, store, Shelf(bounds or Bounds()), timing or Timing())
        stop = self.tools.stop
        self._jobs = Informer(cluster, Subject(JOBS, label_selector=SELECTOR), stop=stop)
        self._pods = Informer(cluster, Subject(PODS, label_selector=SELECTOR), stop=stop)
        self._refusals = Informer(cluster, Subject(EVENTS, field_selector=FIELD_SELECTOR), stop=stop)
        self._runs = Informer(cluster, Subject(PIPELINE_RUNS, label_selector=f"{ARCHIVED}!=true"), stop=stop)
        self._steps: dict[StepKey, _Step] = {}
        self._lock = threading.Lock()
        self._recorder = RunRecorder(self.tools, self._is_run_busy)
        self._chunk_writer = ChunkWriter(self.tools)
        self._sweeper = threading.Thread(target=self._sweep, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begins to watch and follow, in threads of its own."""
        self._jobs.add_handler(self._take_job)
        self._pods.add_handler(self._take_pod)
        self._refusals.add_handler(self.tools.creation_problems.take)
        self._runs.add_handler(self._take_run)
        threading.Thread(target=self._start_in_order, name="starter", daemon=True).start()
        self._sweeper.start()
        threading.Thread(target=self._chunk_writer.run, name="chunk writer", daemon=True).start()
        files = None
        if self._share.number == 0:  # one of several log buffers is enough
            keeper = HistoryKeeper(self.tools, self._history)
            threading.Thread(target=keeper.run, name="history", daemon=True).start()
            files = FileKeeper(self.tools.store, self._cache_limit_bytes)
        retention = RetentionKeeper(self.tools, files)
        threading.Thread(target=retention.run, name="retention", daemon=True).start()

    def stop(self) -> None:
        """Tells all threads and viewers to end; what is not done is done by the next process."""
        self.tools.stop.set()
        self.tools.shelf.close()
        with self._lock:
            steps = list(self._steps.values())
        for step in steps:
            step.objects.wake()
        if self._tenancy is not None:
            threading.Thread(target=self._leave, args=(steps, self._tenancy), name="leaver").start()

    def _leave(self, steps: list[_Step], tenancy: Tenancy) -> None:
        """Gives the share back when its steps are written no more; else the Lease has to run out."""
        deadline = time.monotonic() + LEAVE_SECONDS
        threads = [step.thread for step in steps if step.thread is not None]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if not any(thread.is_alive() for thread in threads):
            tenancy.leave()

    def check_watches(self) -> None:
        """Raises `NotReady` while the cluster has not told what there is.

        Who waits for its share is ready: a roll-out goes on to those it waits for.
        """
        if self._tenancy is not None and not self._tenancy.is_active and self._sweeper.is_alive():
            return
        for informer in (self._jobs, self._pods, self._runs):
            if not (informer.is_alive() and informer.wait_for_sync(0)):
                raise NotReady("the cluster has not been read yet")

    def find_log(self, namespace: str, run: str, instance: str) -> StepLog | None:
        return self.tools.shelf.find(namespace, run, instance)

    def gauges(self) -> dict[str, float]:
        with self._lock:
            following = sum(1 for step in self._steps.values() if step.done_at is None)
        return {
            "c8s_log_share_held": float(self._tenancy is None or self._tenancy.is_active),
            "c8s_log_steps_followed": following,
            "c8s_log_steps_held": len(self.tools.shelf),
            "c8s_log_memory_bytes": self.tools.shelf.size_bytes,
            "c8s_log_memory_limit_bytes": self.tools.shelf.limit_bytes,
        }

    def _start_in_order(self) -> None:
        """Jobs before pods before runs, so that little has to be asked twice."""
        if self._tenancy is not None:
            try:
                self._tenancy.acquire(self.tools.stop)
            except Stopped:
                return
        self._ensure_bucket()
        self._refusals.start()
        for informer in (self._jobs, self._pods, self._runs):
            informer.start()
            while not informer.wait_for_sync(1.0) and not self.tools.stop.is_set():
                continue
        self._recorder.start()

    def _ensure_bucket(self) -> None:
        """Tried once: each archive says by itself what is wrong, and is tried until it works."""
        try:
            self.tools.store.ensure_bucket()
        except StoreError as error:
            log_event(log, "bucket not ready", level=logging.WARNING, error=error, reason=error.reason)

    def _take_run(self, old: Object | None, new: Object | None) -> None:
        if self._share.has((new or old or {})["metadata"]["uid"]):
            self._recorder.take(old, new)

    def _observe_key(self, item: Object) -> StepKey | None:
        """The step of a pod or Job; None if it is none of ours."""
        key = observe_step_key(item)
        return key if key is not None and self._share.has(key.run_uid) else None

    def _take_pod(self, old: Object | None, new: Object | None) -> None:
        pod = new or old or {}
        key = self._observe_key(pod)
        if key is None:
            return
        with self._lock:
            step = self._steps.get(key)
            if new is None:
                if step is not None:
                    step.objects.drop_pod(pod)
                return
            is_work = has_finalizer(new)
            if step is None and not is_work:
                return
            step = self._steps.setdefault(key, _Step())
            step.objects.put_pod(new)
            if is_work:
                self._ensure_thread(key, step, new)

    def _take_job(self, old: Object | None, new: Object | None) -> None:
        job = new or old or {}
        key = self._observe_key(job)
        if key is None:
            return
        with self._lock:
            step = self._steps.get(key)
            if new is None:
                if step is not None:
                    step.objects.drop_job()
                return
            is_work = not is_marked_archived(new) and not is_deleted(new)
            if step is None and not is_work:
                return
            step = self._steps.setdefault(key, _Step())
            step.objects.put_job(new)
            if is_work:
                self._ensure_thread(key, step, new)

    def _ensure_thread(self, key: StepKey, step: _Step, cause: Object) -> None:
        if step.thread is not None or cause["metadata"]["uid"] in step.seen_uids:
            return
        self._start_thread(key, step)

    def _start_thread(self, key: StepKey, step: _Step) -> None:
        step.done_at = None
        step.thread = threading.Thread(
            target=self._follow, args=(key, step), name=f"follow {key}", daemon=True
        )
        step.thread.start()

    def _restart_stuck_steps(self) -> None:
        """A stream whose other side is gone without a word is waited on for ever: begin such a step anew."""
        now = time.monotonic()
        with self._lock:
            for key, step in self._steps.items():
                if step.thread is None or not is_stream_overdue(step.objects):
                    step.stuck_since = None
                elif step.stuck_since is None:
                    step.stuck_since = now
                elif now - step.stuck_since > self.tools.timing.stuck_stream:
                    log_event(log, "stream stuck", level=logging.WARNING, step=str(key))
                    step.objects, step.thread, step.stuck_since = step.objects.take_over(), None, None
                    self._start_thread(key, step)

    def _follow(self, key: StepKey, step: _Step) -> None:
        """One step to its end. What goes wrong with it goes wrong for it alone, and is tried again."""
        failures = 0
        objects = step.objects
        while True:
            try:
                self._follow_once(key, objects)
                return self._finish(step)
            except Stopped:
                return None
            except Exception as error:  # noqa: BLE001 - one bad pod fails alone
                failures += 1
                log_event(log, "step not followed", level=logging.ERROR, error=error, step=str(key))
                self.tools.stop.wait(min(0.2 * 2**failures, LONGEST_PAUSE_SECONDS))

    def _follow_once(self, key: StepKey, objects: StepObjects) -> None:
        self._find_job(objects)
        if is_marked_archived(objects.job):
            settle_archived(self.tools, key, objects)
            return
        self.tools.shelf.remove(key)  # what an earlier attempt has left
        follower = StepFollower(self.tools, key, objects, self._chunk_writer)
        follower.run()
        self._recorder.remember(key, follower.checksums, follower.secret_values)

    def _find_job(self, objects: StepObjects) -> None:
        """A pod may be known before its Job, or be all that is left of it."""
        pods = objects.pods()
        if objects.job is not None or not pods:
            return
        name, namespace = observe_job_name(pods[-1]), pods[-1]["metadata"].get("namespace", "")
        job = None
        if name:
            job = self.tools.insist("reading a job", lambda: self.tools.cluster.get(JOBS, name, namespace))
        if job is None:
            objects.drop_job()
        else:
            objects.put_job(job)

    def _finish(self, step: _Step) -> None:
        with self._lock:
            step.seen_uids |= {pod["metadata"]["uid"] for pod in step.objects.pods()}
            if step.objects.job is not None:
                step.seen_uids.add(step.objects.job["metadata"]["uid"])
            step.thread = None
            step.done_at = time.monotonic()
        self._recorder.look_again()

    def _is_run_busy(self, run_uid: str) -> bool:
        with self._lock:
            return any(
                key.run_uid == run_uid and step.thread is not None for key, step in self._steps.items()
            )

    def _sweep(self) -> None:
        """Forgets steps whose log has been in the archive for a while, and whose objects are gone."""
        while not self.tools.stop.wait(self.tools.timing.sweep):
            self._restart_stuck_steps()
            old = time.monotonic() - self.tools.timing.kept_after_archive
            with self._lock:
                done = [
                    (key, step)
                    for key, step in self._steps.items()
                    if step.done_at is not None and step.done_at < old
                ]
                for key, step in done:
                    if step.objects.is_empty:
                        del self._steps[key]
            for key, _ in done:
                self.tools.shelf.remove(key)


def is_stream_overdue(objects: StepObjects) -> bool:
    """Whether a log is still being waited for although its container has ended."""
    for uid, container in objects.open_streams:
        pod = objects.pod(uid)
        if pod is None or is_container_over(pod, container):
            return True
    return False


class NotReady(Exception):
    """The log buffer does not know the cluster's state yet."""
