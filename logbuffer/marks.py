"""What the log buffer writes into the cluster: annotations on Jobs, and the finalizer it takes from pods."""

from __future__ import annotations

import json
import threading
from typing import Any

from c8s.adapters.cluster import JOBS, JSON_PATCH, PODS, Conflict, Invalid, Object
from c8s.run.labels import ARCHIVE_PROBLEM, ARCHIVED, INFRA_RESTARTS, LOG_FINALIZER, OUTPUTS, RESULT, WAITING
from logbuffer.pods import has_finalizer
from logbuffer.step_objects import StepObjects
from logbuffer.tools import Tools

MARKS = (WAITING, OUTPUTS, RESULT, INFRA_RESTARTS, ARCHIVED, ARCHIVE_PROBLEM)


class JobMarks:
    """The annotations of one Job. Only a change is written; a Job that is gone needs none."""

    def __init__(self, tools: Tools, namespace: str, job: Object | None) -> None:
        self._tools = tools
        self._lock = threading.Lock()
        self._namespace = namespace
        self._name = job["metadata"]["name"] if job else ""
        annotations = (job["metadata"].get("annotations") or {}) if job else {}
        self._written = {name: annotations[name] for name in MARKS if name in annotations}

    def read(self, name: str) -> dict[str, Any]:
        """The JSON object of a mark, empty where there is none, or none that can be read."""
        try:
            mark = json.loads(self._written.get(name, "{}"))
        except (ValueError, RecursionError):
            return {}
        return mark if isinstance(mark, dict) else {}

    def write(self, marks: dict[str, str | None]) -> None:
        """Sets marks, and takes away those that are None. Insists; raises `Invalid` or `Stopped`."""
        with self._lock:
            changed = {name: value for name, value in marks.items() if self._written.get(name) != value}
            if not changed or not self._name:
                return
            patch = {"metadata": {"annotations": changed}}
            self._tools.insist(
                "marking a job", lambda: self._tools.cluster.patch(JOBS, self._name, patch, self._namespace)
            )
            self._written = {
                name: value for name, value in {**self._written, **changed}.items() if value is not None
            }


def is_marked_archived(job: Object | None) -> bool:
    """Whether the whole log of the Job's step is in the archive, verified."""
    return job is not None and (job["metadata"].get("annotations") or {}).get(ARCHIVED) == "true"


def format_mark(mark: dict[str, Any]) -> str:
    """The compact JSON of an annotation."""
    return json.dumps(mark, separators=(",", ":"), ensure_ascii=False)


def release_pods(tools: Tools, objects: StepObjects) -> None:
    """Takes our finalizer from all pods of a step. Insists; raises `Stopped`."""
    for pod in objects.pods():
        if has_finalizer(pod):
            release_pod(tools, pod)


def release_pod(tools: Tools, pod: Object) -> None:
    """Takes our finalizer from the pod, which may be deleted then. Insists; raises `Stopped`."""
    tools.insist("releasing a pod", lambda: _remove_finalizer(tools, pod))


def _remove_finalizer(tools: Tools, pod: Object) -> None:
    """By position, with a test: others add and remove finalizers of their own at the same time."""
    metadata = pod["metadata"]
    name, namespace, uid = metadata["name"], metadata.get("namespace", ""), metadata["uid"]
    while has_finalizer(pod):
        path = f"/metadata/finalizers/{pod['metadata']['finalizers'].index(LOG_FINALIZER)}"
        patch: list[Object] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "test", "path": path, "value": LOG_FINALIZER},
            {"op": "remove", "path": path},
        ]
        try:
            tools.cluster.patch(PODS, name, patch, namespace, content_type=JSON_PATCH)
            return
        except (Conflict, Invalid):  # the list has changed, or another pod has the name now
            pod = tools.cluster.get(PODS, name, namespace)
            if pod["metadata"]["uid"] != uid:
                return
