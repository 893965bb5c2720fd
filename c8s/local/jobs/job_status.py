"""The status of a Job, from what is planned for it.

Source: Kubernetes pkg/apis/batch/types.go, JobStatus.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from c8s.adapters.cluster import Object
from c8s.local.jobs.indexes import format_indexes
from c8s.local.jobs.job_plan import JobPlan, Outcome
from c8s.local.jobs.pod_views import format_time

EARLY_CONDITIONS = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}


def build_status(job: Object, plan: JobPlan, created: int, now: datetime) -> Object:
    """The whole status; equal to the Job's own where nothing has changed. `created` pods are new in this
    sync.
    """
    old = job.get("status") or {}
    counts = plan.counts
    conditions = _build_conditions(job, plan, format_time(now))
    status: dict[str, Any] = {
        "active": counts.active + created,
        "ready": counts.ready,
        "terminating": counts.terminating,
        "succeeded": counts.all_succeeded if plan.is_over else counts.succeeded,
        "failed": counts.all_failed if plan.is_over else counts.failed,
        "completedIndexes": format_indexes(plan.completed or ()),
        "startTime": _start_time(job, format_time(now)),
        "completionTime": old.get("completionTime") or _completion_time(plan, format_time(now)),
        "conditions": conditions,
        "uncountedTerminatedPods": {} if plan.is_over else _uncounted(plan),
    }
    kept = ("ready", "terminating", "uncountedTerminatedPods")
    return {name: value for name, value in status.items() if value or name in kept}


def _uncounted(plan: JobPlan) -> Object:
    lists = {
        "succeeded": list(plan.counts.uncounted_succeeded),
        "failed": list(plan.counts.uncounted_failed),
    }
    return {name: uids for name, uids in lists.items() if uids}


def _start_time(job: Object, now: str) -> str | None:
    """A suspended Job has not started, also not if it ran before."""
    if job["spec"].get("suspend"):
        return None
    return (job.get("status") or {}).get("startTime") or now


def _completion_time(plan: JobPlan, now: str) -> str | None:
    is_complete = plan.is_over and plan.outcome is not None and plan.outcome.result == "Complete"
    return now if is_complete else None


def _build_conditions(job: Object, plan: JobPlan, now: str) -> list[Object]:
    conditions = list((job.get("status") or {}).get("conditions") or [])
    if plan.outcome is None:
        return _with_suspension(job, conditions, now)
    early = EARLY_CONDITIONS[plan.outcome.result]
    names = (early, plan.outcome.result) if plan.is_over else (early,)
    present = {item["type"] for item in conditions}
    return conditions + [_condition(name, plan.outcome, now) for name in names if name not in present]


def _condition(kind: str, outcome: Outcome, now: str) -> Object:
    return {
        "type": kind,
        "status": "True",
        "reason": outcome.reason,
        "message": outcome.message,
        "lastProbeTime": now,
        "lastTransitionTime": now,
    }


def _with_suspension(job: Object, conditions: list[Object], now: str) -> list[Object]:
    wanted = "True" if job["spec"].get("suspend") else "False"
    present = next((item for item in conditions if item["type"] == "Suspended"), None)
    if (present is None and wanted == "False") or (present is not None and present["status"] == wanted):
        return conditions
    reason, message = ("JobSuspended", "Job suspended") if wanted == "True" else ("JobResumed", "Job resumed")
    changed = _condition("Suspended", Outcome("Failed", reason, message), now) | {"status": wanted}
    return [item for item in conditions if item["type"] != "Suspended"] + [changed]
