"""How many pods do what, and how many ended: each end counted exactly once.

A pod keeps the tracking finalizer until its end is in the Job's status. In between its UID stands in
`status.uncountedTerminatedPods`, so that neither a crash nor an old copy counts it twice or never.
Source: Kubernetes pkg/controller/job/job_controller.go, trackJobStatusAndRemoveFinalizers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from c8s.adapters.cluster import Object
from c8s.local.jobs.failure_policy import Verdict
from c8s.local.jobs.pod_views import is_active, is_finished, is_ready, is_terminating, phase_of


@dataclass(frozen=True, slots=True)
class PodCounts:
    """Numbers for the Job's status; `uncounted_*` are UIDs of pods whose ends are not in the numbers yet."""

    active: int = 0
    ready: int = 0
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    uncounted_succeeded: tuple[str, ...] = ()
    uncounted_failed: tuple[str, ...] = ()

    @property
    def all_succeeded(self) -> int:
        return self.succeeded + len(self.uncounted_succeeded)

    @property
    def all_failed(self) -> int:
        return self.failed + len(self.uncounted_failed)


def count_pods(
    job: Object,
    pods: Sequence[Object],
    tracked: Sequence[Object],
    verdicts: Mapping[str, Verdict],
    completed: Sequence[int] | None = None,
) -> PodCounts:
    """`tracked` are the pods that still have the finalizer, `verdicts` judge the failed ones of them by
    UID. Of an Indexed Job it is not pods that succeed, but indexes: `completed`.
    """
    status = job.get("status") or {}
    written = status.get("uncountedTerminatedPods") or {}
    uids = {pod["metadata"]["uid"] for pod in tracked}
    waiting = {
        name: [uid for uid in written.get(name) or [] if uid in uids] for name in ("succeeded", "failed")
    }
    flushed = {name: len(written.get(name) or []) - len(waiting[name]) for name in waiting}
    known = {*waiting["succeeded"], *waiting["failed"]}
    new = [pod for pod in tracked if is_finished(pod) and pod["metadata"]["uid"] not in known]
    return PodCounts(
        active=sum(map(is_active, pods)),
        ready=sum(is_active(pod) and is_ready(pod) for pod in pods),
        terminating=sum(map(is_terminating, pods)),
        succeeded=status.get("succeeded", 0) + flushed["succeeded"] if completed is None else len(completed),
        failed=status.get("failed", 0) + flushed["failed"],
        uncounted_succeeded=()
        if completed is not None
        else (*waiting["succeeded"], *_uids(new, "Succeeded", verdicts)),
        uncounted_failed=(*waiting["failed"], *_uids(new, "Failed", verdicts)),
    )


def _uids(pods: Sequence[Object], phase: str, verdicts: Mapping[str, Verdict]) -> Collection[str]:
    """Those that ended in `phase` and are not ignored."""
    uids = [pod["metadata"]["uid"] for pod in pods if phase_of(pod) == phase]
    return [uid for uid in uids if uid not in verdicts or verdicts[uid].action != "Ignore"]
