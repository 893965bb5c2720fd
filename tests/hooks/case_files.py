"""Case files: a situation in short form, and what the hook answers.

why: one sentence
given:
  now: 2026-01-02T03:04:05Z
  parent: a PipelineRun, merged into BASE_PARENT
  frozen: a frozen pipeline, merged into BASE_FROZEN, signed and put on the parent
  children: Jobs by the name of their log (`unit`, `unit.2`), merged into a bare Job
  finalizing: true for the hook `finalize`
expect: {status, children, resyncAfterSeconds, finalized}, children as "keep NAME" or "create NAME"
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from c8s.objects.settings import PodSettings
from c8s.run.frozen import sign_frozen
from c8s.run.log_names import parse_log_name
from c8s.run.names import name_job
from hooks.pipelinerun import finalize_pipelinerun, sync_pipelinerun
from hooks.settings import Settings

Object = dict[str, Any]

FREEZE_KEY = "freeze-key-of-the-tests-0123456789"
SETTINGS = Settings((FREEZE_KEY,), PodSettings("c8s:test", "https://c8s.example.com"))

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

_EXPECT = "\nexpect:\n"


@dataclass(frozen=True)
class Case:
    """One case file, expanded to a request of Metacontroller's."""

    path: Path
    request: Object
    now: datetime
    expect: Object

    def answer(self, request: Object) -> Object:
        hook = finalize_pipelinerun if request["finalizing"] else sync_pipelinerun
        return hook(request, SETTINGS, self.now)


def load_case(path: Path) -> Case:
    document = yaml.load(path.read_text(), CaseLoader)
    given = document["given"]
    return Case(path, build_request(given), datetime.fromisoformat(given["now"]), document.get("expect"))


def build_request(given: Object) -> Object:
    """Return the request that the short form stands for."""
    parent = merge(BASE_PARENT, given.get("parent", {}))
    if "pipelineSpec" in parent["spec"]:
        parent["spec"].setdefault("source", SOURCE)
    if "frozen" in given:
        _freeze(parent, merge(BASE_FROZEN, given["frozen"]))
    jobs = {}
    for instance, partial in given.get("children", {}).items():
        name = name_job(parent["metadata"]["name"], parent["metadata"]["uid"], *parse_log_name(instance))
        jobs[f"team/{name}"] = merge(_bare_job(name, instance), partial or {})
    return {
        "controller": {"kind": "CompositeController"},
        "parent": parent,
        "children": {"Job.batch/v1": jobs},
        "related": {},
        "finalizing": given.get("finalizing", False),
    }


def summarize(answer: Object, request: Object) -> Object:
    """Return `answer` as case files write it."""
    observed = {key.rpartition("/")[2] for key in request["children"]["Job.batch/v1"]}
    names = [child["metadata"]["name"] for child in answer["children"]]
    verbs = ["keep" if name in observed else "create" for name in names]
    return {**answer, "children": [f"{verb} {name}" for verb, name in zip(verbs, names, strict=True)]}


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
