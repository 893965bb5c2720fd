"""A pod from a Job's template."""

from __future__ import annotations

from typing import Any

from c8s.adapters.cluster import JOBS, Object
from c8s.local.jobs.indexes import INDEX
from c8s.local.jobs.pod_views import TRACKING
from c8s.local.reconciling.objects import build_controller_reference, copy_object

INDEX_VARIABLE = "JOB_COMPLETION_INDEX"


def build_pod(job: Object, index: int | None = None) -> Object:
    """The pod, with the Job's labels and the finalizer by which its end is counted; with `index` one of an
    Indexed Job. The API server completes its name.
    """
    pod = _build_pod(job)
    if index is not None:
        _give_index(pod, job["metadata"]["name"], index)
    return pod


def _build_pod(job: Object) -> Object:
    template = copy_object(job["spec"]["template"])
    metadata = template.get("metadata") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **{name: metadata[name] for name in ("annotations",) if metadata.get(name)},
            "generateName": f"{job['metadata']['name']}-",
            "namespace": job["metadata"]["namespace"],
            "labels": (metadata.get("labels") or {}) | job_labels(job),
            "finalizers": [*(metadata.get("finalizers") or []), TRACKING],
            "ownerReferences": [build_controller_reference(job, JOBS)],
        },
        "spec": template["spec"],
    }


def job_labels(job: Object) -> dict[str, str]:
    """What the Job's pods are selected by, under the old and the new names."""
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    return {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }


def _give_index(pod: Object, job_name: str, index: int) -> None:
    """Names, labels and variables by which a pod knows its index (indexed_job_utils.go)."""
    metadata, spec = pod["metadata"], pod["spec"]
    metadata["generateName"] = f"{job_name}-{index}-"
    metadata["annotations"] = {**(metadata.get("annotations") or {}), INDEX: str(index)}
    metadata["labels"] = {**metadata["labels"], INDEX: str(index)}
    spec["hostname"] = f"{job_name}-{index}"
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        _add_variable(container)


def _add_variable(container: dict[str, Any]) -> None:
    env = list(container.get("env") or ())
    if any(variable.get("name") == INDEX_VARIABLE for variable in env):
        return
    field = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    container["env"] = [*env, {"name": INDEX_VARIABLE, "valueFrom": field}]
