"""Which step a pod's token speaks for: the token's pod, its Job and its run, each checked against the next.

What a step may have is read from its Job, which c8s built out of a pipeline it had frozen and signed. Who may
create Jobs and pods in a namespace could forge that chain, and could as well mount the namespace's Secrets:
such people are trusted with its caches and artifacts too (docs/reference/data.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import orjson

from api.durations import read_moment
from c8s.adapters.cluster import (
    JOBS,
    PIPELINE_RUNS,
    PODS,
    TOKEN_REVIEWS,
    Cluster,
    ClusterError,
    NotFound,
    Object,
)
from c8s.run.labels import FROZEN, RUN_UID_LABEL, STEP_LABEL
from c8s.run.log_names import parse_log_name
from c8s.run.names import name_job
from c8s.web.authorization import MAX_TOKEN_CHARACTERS
from c8s.web.errors import Busy, Missing, NotAllowed, Unauthenticated

AUDIENCE = "c8s"
_POD_NAME = "authentication.kubernetes.io/pod-name"
_POD_UID = "authentication.kubernetes.io/pod-uid"
_ACCOUNT = "system:serviceaccount:"
_WHO_HINT = "only containers `restore` and `save` of a step have such a token"
_CHAIN_HINT = "only pods that c8s itself made for a step may ask here"


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """The step a pod runs. `sources` are all it may restore, `<run uid>/<log name>` each."""

    namespace: str
    pod_uid: str
    run_uid: str
    log_name: str
    repository: str
    sources: frozenset[str]
    is_trusted: bool


class PodIdentities:
    """Asks the cluster for every request: nothing of a pod is remembered."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def identify(self, token: str, now: datetime) -> PodIdentity:
        """The step of the token's pod. Raises `Unauthenticated`, `NotAllowed`, `Missing` or `Busy`."""
        namespace, name, uid = self._review(token)
        try:
            pod = _check_uid(self._cluster.get(PODS, name, namespace), uid)
            _check_alive(pod, now)
            name, uid = _owner(pod, "Job")
            job = _check_uid(self._cluster.get(JOBS, name, namespace), uid)
            name, uid = _owner(job, "PipelineRun")
            run = _check_uid(self._cluster.get(PIPELINE_RUNS, name, namespace), uid)
        except NotFound as error:
            raise Missing("the pod, its Job or its run does not exist", hint=_CHAIN_HINT) from error
        except ClusterError as error:
            raise Busy("the cluster does not answer", hint="try again in a moment") from error
        return _observe_identity(pod, job, run)

    def _review(self, token: str) -> tuple[str, str, str]:
        """Namespace, name and UID of the pod that the token is bound to."""
        if not token or len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated("this needs a pod's token", hint=_WHO_HINT)
        body = {
            "apiVersion": TOKEN_REVIEWS.api_version,
            "kind": TOKEN_REVIEWS.kind,
            "spec": {"token": token, "audiences": [AUDIENCE]},
        }
        try:
            status = self._cluster.create(TOKEN_REVIEWS, body).get("status") or {}
        except ClusterError as error:
            raise Busy("the cluster can't say now whose token this is", reason="ReviewFailed") from error
        return _read_review(status)


def _check_uid(found: Object, uid: str) -> Object:
    if found["metadata"]["uid"] != uid:
        raise NotAllowed(f"another object has the name {found['metadata']['name']} now", hint=_CHAIN_HINT)
    return found


def _read_review(status: Mapping[str, Any]) -> tuple[str, str, str]:
    # A server that knows no audiences leaves them out: then the token may be for anything.
    if status.get("authenticated") is not True or AUDIENCE not in (status.get("audiences") or ()):
        raise Unauthenticated("the token is not valid (any more), or not for c8s", hint=_WHO_HINT)
    user = status.get("user") or {}
    extra, name = user.get("extra") or {}, str(user.get("username") or "")
    pod, uid = (next(iter(extra.get(key) or ()), "") for key in (_POD_NAME, _POD_UID))
    namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
    if not (name.startswith(_ACCOUNT) and namespace and pod and uid):
        raise NotAllowed("the token is not bound to a pod", hint=_WHO_HINT)
    return namespace, pod, uid


def _check_alive(pod: Object, now: datetime) -> None:
    """A deletion's time is that of its end: the request's, and the grace period."""
    end = read_moment(str(pod["metadata"].get("deletionTimestamp") or ""))
    has_ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if has_ended or (end is not None and end < now):
        raise NotAllowed("the pod has ended", hint="its token counts only while it runs")


def _owner(child: Object, kind: str) -> tuple[str, str]:
    """Name and UID of its controller."""
    for owner in child["metadata"].get("ownerReferences") or ():
        if owner.get("kind") == kind and owner.get("controller") is True:
            return owner["name"], owner["uid"]
    raise NotAllowed(f"no {kind} owns {child['metadata']['name']}", hint=_CHAIN_HINT)


def _observe_identity(pod: Object, job: Object, run: Object) -> PodIdentity:
    name, uid = run["metadata"]["name"], run["metadata"]["uid"]
    labels = job["metadata"].get("labels") or {}
    log_name = str(labels.get(STEP_LABEL) or "")
    if job["metadata"]["name"] != name_job(name, uid, *parse_log_name(log_name)):
        raise NotAllowed("the Job is not one that c8s made for this run", hint=_CHAIN_HINT)
    if labels.get(RUN_UID_LABEL) != uid or not _has_commands_of(pod, job):
        raise NotAllowed("the pod is not what its Job describes", hint=_CHAIN_HINT)
    template = job["spec"]["template"]["spec"]
    return PodIdentity(
        namespace=run["metadata"]["namespace"],
        pod_uid=pod["metadata"]["uid"],
        run_uid=uid,
        log_name=log_name,
        repository=_read_repository(template),
        sources=_read_sources(template),
        is_trusted=_is_trusted(run),
    )


def _has_commands_of(pod: Object, job: Object) -> bool:
    """Admission may add containers and change images; what c8s's containers do stays."""
    made = _commands(pod["spec"])
    return all(made.get(name) == one for name, one in _commands(job["spec"]["template"]["spec"]).items())


def _commands(pod_spec: Mapping[str, Any]) -> dict[str, Any]:
    containers = [*(pod_spec.get("initContainers") or ()), *(pod_spec.get("containers") or ())]
    return {one["name"]: (one.get("command"), one.get("args")) for one in containers}


def _read_sources(template: Mapping[str, Any]) -> frozenset[str]:
    command, _ = _commands(template).get("restore", ((), ()))
    words = list(command or ())
    return frozenset(value for word, value in pairwise(words) if word == "--from")


def _read_repository(template: Mapping[str, Any]) -> str:
    """What c8s tells every step, and no pipeline can say otherwise."""
    variables = [
        one for step in template["containers"] if step["name"] == "step" for one in step.get("env") or ()
    ]
    found = [one.get("value") for one in variables if one.get("name") == "C8S_REPOSITORY"]
    return str(found[-1] or "") if found else ""


def _is_trusted(run: Object) -> bool:
    """False for a fork's pull request, by the run's own words or by what it was frozen with."""
    if (run["spec"].get("pullRequest") or {}).get("fork") is True:
        return False
    text = (run["metadata"].get("annotations") or {}).get(FROZEN)
    if not text:
        return True
    try:
        return orjson.loads(text).get("trusted") is True
    except (orjson.JSONDecodeError, AttributeError):
        return False
