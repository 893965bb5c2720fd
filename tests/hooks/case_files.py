"""Case files: a situation in short form, and what the hook answers.

why: one sentence
given:
  now: 2026-01-02T03:04:05Z
  parent: a PipelineRun, merged into BASE_PARENT
  frozen: a frozen pipeline, merged into BASE_FROZEN, signed and put on the parent
  approvals: `spec.approvals`, each merged into BASE_APPROVAL and signed, unless it brings a `signature`
  children: Jobs by the names of their logs (`unit`, of a second attempt `unit.2`), merged into a bare Job
  workspace: true where the volume that all steps share is there
  finalizing: true for the hook `finalize`
expect: {status, children, resyncAfterSeconds, finalized}, children as "keep NAME" or "create NAME"
show: what to tell of new Jobs under `expect.shown`: names of variables, or `files`, `class`, `volume`
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from c8s.objects.settings import PodSettings
from c8s.objects.workspace_claim import build_kept_claim, name_workspace_claim
from c8s.run.approvals import observe_approvals, sign_approval
from c8s.run.frozen import sign_frozen
from c8s.run.labels import STEP_LABEL
from c8s.run.limits import Limits
from c8s.run.log_names import parse_log_name
from c8s.run.names import name_job
from hooks.pipelinerun import finalize_pipelinerun, sync_pipelinerun
from hooks.settings import Settings

Object = dict[str, Any]

FREEZE_KEY = "freeze-key-of-the-tests-0123456789"
APPROVAL_KEY = "approval-key-of-the-tests-0123456"
SETTINGS = Settings(
    (FREEZE_KEY,),
    PodSettings("c8s:test", "https://c8s.example.com", "http://api.c8s:8080", ("low", "normal", "high")),
    limits=Limits(approval_keys=(APPROVAL_KEY,)),
)
SETTINGS_OF_A_SMALL_CLUSTER = replace(SETTINGS, pods=replace(SETTINGS.pods, priority_classes=()))
"""For the simulated cluster, which has no PriorityClasses."""

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = {"repository": "https://git.example.com/team/app.git"}
BASE_PARENT: Object = {
    "apiVersion": "c8s.dev/v1alpha1",
    "kind": "PipelineRun",
    "metadata": {
        "name": "app-1",
        "namespace": "team",
        "uid": "11111111-1111-1111-1111-111111111111",
        "creationTimestamp": "2026-01-02T03:00:00Z",
        "generation": 1,
    },
    "spec": {"event": "push", "branch": "main", "commit": COMMIT},
}
BASE_FROZEN: Object = {
    "version": 1,
    "source": {**SOURCE, "commit": COMMIT},
    "allow": {"root": False},
    "trusted": True,
}

BASE_APPROVAL: Object = {
    "step": "release",
    "user": "ann",
    "groups": ["release"],
    "decision": "approve",
    "at": "2026-01-02T03:01:30Z",
    "commit": COMMIT,
}

_EXPECT = "\nexpect:\n"


@dataclass(frozen=True)
class Case:
    """One case file, expanded to a request of Metacontroller's. `show`: what to tell of new Jobs."""

    path: Path
    request: Object
    now: datetime
    expect: Object
    show: tuple[str, ...] = ()

    def answer(self, request: Object) -> Object:
        hook = finalize_pipelinerun if request["finalizing"] else sync_pipelinerun
        return hook(request, SETTINGS, self.now)


def load_case(path: Path) -> Case:
    document = yaml.load(path.read_text(), CaseLoader)
    given = document["given"]
    now, show = datetime.fromisoformat(given["now"]), tuple(document.get("show", ()))
    return Case(path, build_request(given), now, document.get("expect"), show)


def build_request(given: Object) -> Object:
    """Return the request that the short form stands for."""
    parent = merge(BASE_PARENT, given.get("parent", {}))
    if "pipelineSpec" in parent["spec"]:
        parent["spec"].setdefault("source", SOURCE)
    if "frozen" in given:
        _freeze(parent, merge(BASE_FROZEN, given["frozen"]))
    if "approvals" in given:
        parent["spec"]["approvals"] = [_sign(parent, one) for one in given["approvals"]]
    jobs = {}
    for log_name, partial in given.get("children", {}).items():
        name = name_job(parent["metadata"]["name"], parent["metadata"]["uid"], *parse_log_name(log_name))
        jobs[f"team/{name}"] = merge(_bare_job(name, log_name), partial or {})
    claims = _build_claims(parent) if given.get("workspace") else {}
    return {
        "controller": {"kind": "CompositeController"},
        "parent": parent,
        "children": {"Job.batch/v1": jobs, "PersistentVolumeClaim.v1": claims},
        "related": {},
        "finalizing": given.get("finalizing", False),
    }


def summarize(answer: Object, request: Object) -> Object:
    """Return `answer` as case files write it."""
    observed = {key.rpartition("/")[2] for children in request["children"].values() for key in children}
    names = [child["metadata"]["name"] for child in answer["children"]]
    verbs = ["keep" if name in observed else "create" for name in names]
    return {**answer, "children": [f"{verb} {name}" for verb, name in zip(verbs, names, strict=True)]}


def show_new_jobs(answer: Object, show: tuple[str, ...]) -> Object:
    """Return what `show` names of every new Job, by the name of its log."""
    jobs = [child for child in answer["children"] if child["kind"] == "Job" and "spec" in child]
    told = {
        job["metadata"]["labels"][STEP_LABEL]: _describe_pod(job["spec"]["template"]["spec"]) for job in jobs
    }
    return {name: {key: pod[key] for key in show if key in pod} for name, pod in told.items()}


def _describe_pod(pod: Object) -> Object:
    """Return the step's variables, and: `files` that are restored, the priority `class`, the `volume`."""
    step = next(one for one in pod["containers"] if one["name"] == "step")
    told = {one["name"]: one["value"] for one in step["env"] if "value" in one}
    for restore in (one for one in pod["initContainers"] if one["name"] == "restore"):
        words = [*restore["command"], *restore.get("args", ())]
        told["files"] = [value for name, value in pairwise(words) if name == "--from"]
    if "priorityClassName" in pod:
        told["class"] = pod["priorityClassName"]
    for volume in (one for one in pod["volumes"] if "persistentVolumeClaim" in one):
        told["volume"] = volume["persistentVolumeClaim"]["claimName"]
    return told


def rewrite_case(case: Case, summary: Object) -> None:
    rewrite_expect(case.path, summary)


def rewrite_expect(path: Path, summary: Object) -> None:
    given, _, _ = path.read_text().partition(_EXPECT)
    expect = yaml.safe_dump(summary, sort_keys=False, allow_unicode=True, width=110)
    lines = "".join(f"  {line}\n" for line in expect.splitlines())
    path.write_text(given.rstrip("\n") + _EXPECT + lines)


def merge(base: Object, partial: Object) -> Object:
    """Return a copy of `base` with `partial` laid over it, objects key by key."""
    merged = copy.deepcopy(base)
    for key, value in partial.items():
        is_nested = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if is_nested else copy.deepcopy(value)
    return merged


def _freeze(parent: Object, frozen: Object) -> None:
    metadata = parent["metadata"]
    text = json.dumps(frozen)
    signature = sign_frozen(FREEZE_KEY, metadata["namespace"], metadata["name"], metadata["uid"], text)
    signed = {"c8s.dev/frozen": text, "c8s.dev/frozen-signature": signature}
    metadata["annotations"] = signed | metadata.get("annotations", {})


def _sign(parent: Object, partial: Object) -> Object:
    entry = merge(BASE_APPROVAL, partial)
    (given,) = observe_approvals({"approvals": [entry]})
    names = (parent["metadata"][key] for key in ("namespace", "name", "uid"))
    return {"signature": sign_approval(APPROVAL_KEY, *names, given), **entry}


def _build_claims(parent: Object) -> Object:
    name = name_workspace_claim(parent["metadata"]["name"], parent["metadata"]["uid"])
    return {f"team/{name}": build_kept_claim("team", name)}


def _bare_job(name: str, step: str) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": "team",
            "creationTimestamp": "2026-01-02T03:00:01Z",
            "labels": {"c8s.dev/step": step},
        },
        "status": {"startTime": "2026-01-02T03:00:02Z"},
    }


class CaseLoader(yaml.SafeLoader):
    """Leaves times as the text they are."""


CaseLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
