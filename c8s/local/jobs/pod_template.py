"""A pod from a Job's template."""

from __future__ import annotations

from random import Random

from c8s.adapters.cluster import JOBS, Object
from c8s.local.jobs.pod_views import TRACKING
from c8s.local.reconciling.objects import build_controller_reference, copy_object

NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
MAX_GENERATED_PREFIX = 58


def build_pod(job: Object, random: Random) -> Object:
    """The pod, with the Job's labels and the finalizer by which its end is counted."""
    template = copy_object(job["spec"]["template"])
    metadata = template.get("metadata") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **{name: metadata[name] for name in ("annotations",) if metadata.get(name)},
            "name": _random_name(job["metadata"]["name"], random),
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


def _random_name(job_name: str, random: Random) -> str:
    """As `generateName` makes it: a long name is cut, so that the pod's stays within 63 characters."""
    suffix = "".join(random.choices(NAME_ALPHABET, k=5))
    return f"{job_name}-"[:MAX_GENERATED_PREFIX] + suffix
