"""Metacontroller's questions about a PipelineRun: which Jobs, which status, may it go?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from c8s.objects.job import build_kept_job, build_step_job
from c8s.objects.workspace_claim import build_kept_claim, build_workspace_claim
from c8s.run.errors import Doubt, MalformedObject, UnusablePipeline
from c8s.run.frozen import FrozenPipeline, find_pipeline
from c8s.run.observed_job import observe_jobs
from c8s.run.observed_run import ObservedRun, is_status_terminal, observe_run
from c8s.run.plan import Plan, plan, plan_unusable
from c8s.run.retention import settling_seconds
from c8s.run.status import report_invalid_run
from hooks.contract import Answer
from hooks.settings import Settings

Object = Mapping[str, Any]

JOBS = "Job.batch/v1"
"""The key of the Jobs among a request's children."""

CLAIMS = "PersistentVolumeClaim.v1"
"""The key of the volumes: a run has one at most. It stays until `finalize` takes it away."""


def sync_pipelinerun(request: Object, settings: Settings, now: datetime) -> Answer:
    """Return the Jobs that the run wants now, and its status.

    What is wrong with the run itself ends up in its status. Raises Doubt where nothing may be decided.
    """
    jobs = observe_jobs(_find_jobs(request))
    try:
        run = observe_run(request["parent"])
    except MalformedObject as error:
        return _answer_malformed(request["parent"], jobs, _find_claims(request), error)
    try:
        frozen = None if run.is_terminal else find_pipeline(run, settings.freeze_keys, settings.allowed_hosts)
    except UnusablePipeline as problem:
        return _answer(run, None, plan_unusable(run, jobs, problem), _find_claims(request), settings)
    wanted = plan(run, frozen, jobs, now, settings.limits)
    return _answer(run, frozen, wanted, _find_claims(request), settings)


def finalize_pipelinerun(request: Object, settings: Settings, now: datetime) -> Answer:
    """Return no Jobs, so that all are deleted, and let the run go when none is left.

    A run that bears the label `c8s.dev/archived` before it has ended goes on as if it did not; one that has
    just ended keeps its Jobs, also those that are not to be seen yet, until every view of it says so.
    """
    parent = request["parent"]
    is_deleting = "deletionTimestamp" in parent["metadata"]
    if not is_deleting and not is_status_terminal(parent):
        return sync_pipelinerun(request, settings, now)
    status, jobs = parent.get("status") or {"phase": "Pending"}, _find_jobs(request)
    claims = _find_claims(request)
    seconds = 0 if is_deleting else _settling_seconds(parent, now)
    if seconds <= 0:
        # The volume goes after the pods that use it.
        kept = _keep_claims(parent, claims) if jobs else []
        return {"status": status, "children": kept, "finalized": not jobs and not claims}
    children = _keep_claims(parent, claims) + _keep(parent, jobs)
    return {"status": status, "children": children, "resyncAfterSeconds": math.ceil(seconds)}


def _settling_seconds(parent: Object, now: datetime) -> float:
    try:
        return settling_seconds(observe_run(parent), now)
    except MalformedObject:
        return 0


def _find_jobs(request: Object) -> Mapping[str, object]:
    """Return the observed Jobs. Raises Doubt where the request does not speak of them: that is not none."""
    jobs: Mapping[str, object] | None = request["children"].get(JOBS)
    if jobs is None:
        raise Doubt(f"the request has no {JOBS} among its children")
    return jobs


def _find_claims(request: Object) -> list[str]:
    """Return the names of the observed volumes."""
    return [key.rpartition("/")[2] for key in request["children"].get(CLAIMS) or ()]


def _answer(
    run: ObservedRun, frozen: FrozenPipeline | None, plan: Plan, claims: list[str], settings: Settings
) -> Answer:
    children = [build_kept_claim(run.namespace, name) for name in claims]
    if frozen is not None and frozen.pipeline.workspace is not None and plan.wants_workspace and not claims:
        children.append(build_workspace_claim(run, frozen.pipeline.workspace))
    children += [build_kept_job(run.namespace, name) for name in plan.kept]
    if frozen is not None:
        children += [build_step_job(run, frozen, started, settings.pods) for started in plan.started]
    answer: Answer = {"status": plan.status, "children": children}
    if plan.resync_after_seconds is not None:
        answer["resyncAfterSeconds"] = plan.resync_after_seconds
    return answer


def _answer_malformed(
    parent: Object, jobs: Iterable[str], claims: list[str], error: MalformedObject
) -> Answer:
    """Fail a run that can't be read, without touching a Job; one that has ended stays as it is."""
    created_at = str(parent["metadata"].get("creationTimestamp") or "")
    status = parent["status"] if is_status_terminal(parent) else report_invalid_run(error, created_at)
    return {"status": status, "children": _keep_claims(parent, claims) + _keep(parent, jobs)}


def _keep_claims(parent: Object, names: Iterable[str]) -> list[Answer]:
    return [build_kept_claim(parent["metadata"]["namespace"], name) for name in names]


def _keep(parent: Object, jobs: Iterable[str]) -> list[Answer]:
    """Return the Jobs as they are; `jobs` are names or `namespace/name`."""
    namespace = parent["metadata"]["namespace"]
    return [build_kept_job(namespace, job.rpartition("/")[2]) for job in jobs]
