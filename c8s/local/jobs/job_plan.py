"""From a Job and its pods to what has to be done: pods to make, to delete, to let go; and how the Job ends.

Source: Kubernetes pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from c8s.adapters.cluster import Object
from c8s.local.jobs.failure_policy import Verdict, judge_failure
from c8s.local.jobs.indexes import completed_indexes, free_indexes, is_indexed
from c8s.local.jobs.pod_counts import PodCounts, count_pods
from c8s.local.jobs.pod_views import finished_at, is_active, is_finished, is_tracked, parse_time, phase_of
from c8s.local.reconciling.objects import is_deleting

FIRST_BACKOFF_SECONDS = 10.0
LONGEST_BACKOFF_SECONDS = 600.0
DEFAULT_BACKOFF_LIMIT = 6


Result = Literal["Complete", "Failed"]

RESULT_OF_CONDITION: dict[str, Result] = {
    "SuccessCriteriaMet": "Complete",
    "Complete": "Complete",
    "FailureTarget": "Failed",
    "Failed": "Failed",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the Job ends: the reason and message of its last conditions."""

    result: Result
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class JobPlan:
    """`is_over`: no pod runs any more, so the outcome is final. `wait_seconds`: look again then.

    `releases` are ended pods that may lose the tracking finalizer once the status is written.

    `creations` has one entry for each pod to make: its index, None in a Job without indexes. `completed` are
    the indexes that are done, None in a Job without.
    """

    counts: PodCounts
    outcome: Outcome | None = None
    is_over: bool = False
    creations: Sequence[int | None] = ()
    deletions: Sequence[Object] = ()
    releases: Sequence[Object] = ()
    wait_seconds: float | None = None
    completed: Sequence[int] | None = None


def plan_job(job: Object, pods: Iterable[Object], released: Collection[str], now: datetime) -> JobPlan:
    """`pods` are those the Job controls.

    `released` are UIDs whose tracking finalizer is off already, whatever an old copy says.
    """
    pods = sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))
    tracked = [pod for pod in pods if is_tracked(pod) and pod["metadata"]["uid"] not in released]
    ended = [pod for pod in tracked if is_finished(pod)]
    verdicts = {pod["metadata"]["uid"]: judge_failure(job, pod) for pod in ended if phase_of(pod) == "Failed"}
    completed = completed_indexes(job, tracked) if is_indexed(job) else None
    counts = count_pods(job, pods, tracked, verdicts, completed)
    active = [pod for pod in pods if is_active(pod)]
    outcome = _decide(job, counts, verdicts, now)
    if outcome is not None:
        is_over = counts.active == counts.terminating == 0
        return JobPlan(counts, outcome, is_over, deletions=active, releases=ended, completed=completed)
    if job["spec"].get("suspend"):
        return JobPlan(counts, deletions=active, releases=ended, completed=completed)
    missing = 0 if is_deleting(job) else _missing_pods(job, counts)
    backoff_seconds = _backoff_seconds(pods, now) if missing > 0 else 0.0
    return JobPlan(
        counts,
        creations=_list_creations(job, pods, missing, completed) if backoff_seconds <= 0 else (),
        deletions=active[missing:] if missing < 0 else (),
        releases=ended,
        wait_seconds=_earliest(backoff_seconds, _deadline_seconds(job, now)),
        completed=completed,
    )


def _list_creations(
    job: Object, pods: Sequence[Object], missing: int, completed: Sequence[int] | None
) -> list[int | None]:
    if completed is None:
        return [None] * missing
    return list(islice(free_indexes(job, pods, completed), max(missing, 0)))


def is_job_finished(job: Object) -> bool:
    return any(_has_condition(job, name) for name in ("Complete", "Failed"))


def _decide(job: Object, counts: PodCounts, verdicts: Mapping[str, Verdict], now: datetime) -> Outcome | None:
    """How the Job ends, None while it may go on. What was decided once stays."""
    decided = _decided(job)
    if decided is not None:
        return decided
    spec = job["spec"]
    fatal = next((verdict for verdict in verdicts.values() if verdict.action == "FailJob"), None)
    if fatal is not None:
        return Outcome("Failed", "PodFailurePolicy", fatal.message)
    if counts.all_failed > spec.get("backoffLimit", DEFAULT_BACKOFF_LIMIT):
        return Outcome("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    deadline_seconds = _deadline_seconds(job, now)
    if deadline_seconds is not None and deadline_seconds <= 0:
        return Outcome("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    if spec.get("backoffLimitPerIndex") is not None or spec.get("successPolicy"):
        message = "the local cluster knows no backoffLimitPerIndex and no successPolicy"
        return Outcome("Failed", "NotSupported", message)
    if _has_succeeded(spec, counts):
        return Outcome("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
    return None


def _decided(job: Object) -> Outcome | None:
    """What the Job's conditions say it was decided."""
    for item in _conditions(job):
        result = RESULT_OF_CONDITION.get(item["type"])
        if result is not None and item["status"] == "True":
            return Outcome(result, item.get("reason", ""), item.get("message", ""))
    return None


def _has_succeeded(spec: Object, counts: PodCounts) -> bool:
    completions = spec.get("completions")
    if completions is None:
        return counts.all_succeeded > 0 and counts.active == 0 and counts.terminating == 0
    return counts.all_succeeded >= int(completions)


def _missing_pods(job: Object, counts: PodCounts) -> int:
    """Pods to make; negative when too many run."""
    spec = job["spec"]
    wanted = int(spec.get("parallelism", 1))
    if spec.get("completions") is not None:
        wanted = min(wanted, int(spec["completions"]) - counts.all_succeeded)
    elif counts.all_succeeded > 0:
        wanted = min(wanted, counts.active)
    # With a failure policy an end must be judged before its successor starts.
    waits_for_ends = spec.get("podReplacementPolicy") == "Failed" or spec.get("podFailurePolicy")
    missing = wanted - counts.active
    return missing - counts.terminating if missing > 0 and waits_for_ends else missing


def _backoff_seconds(pods: Sequence[Object], now: datetime) -> float:
    """How long to wait after failures since the last success: 10 s, doubled with each, at most 10 min."""
    successes = [finished_at(pod) for pod in pods if phase_of(pod) == "Succeeded"]
    last_success = max((time for time in successes if time), default=None)
    failures = [finished_at(pod) for pod in pods if phase_of(pod) == "Failed"]
    times = [time for time in failures if time and (last_success is None or time > last_success)]
    if not times:
        return 0.0
    seconds = min(FIRST_BACKOFF_SECONDS * 2 ** (len(times) - 1), LONGEST_BACKOFF_SECONDS)
    return (max(times) + timedelta(seconds=seconds) - now).total_seconds()


def _deadline_seconds(job: Object, now: datetime) -> float | None:
    """Seconds left of activeDeadlineSeconds, None without one or before the start."""
    limit, started = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if limit is None or job["spec"].get("suspend"):
        return None
    if not started:
        return float(limit)
    return (parse_time(started) + timedelta(seconds=float(limit)) - now).total_seconds()


def _earliest(backoff_seconds: float, deadline_seconds: float | None) -> float | None:
    waits = [seconds for seconds in (backoff_seconds, deadline_seconds) if seconds and seconds > 0]
    return min(waits, default=None)


def _conditions(job: Object) -> list[Object]:
    return (job.get("status") or {}).get("conditions") or []


def _has_condition(job: Object, kind: str) -> bool:
    return any(item["type"] == kind and item["status"] == "True" for item in _conditions(job))
