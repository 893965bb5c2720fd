"""Case files of the hook `concurrency`: the runs of one group, and what is answered about one of them.

why: one sentence
given:
  now: 2026-01-02T03:04:05Z
  about: the name of the run that is asked about
  rules: {max, onNew} of every run's frozen pipeline
  runs: by name {createdAt, priority, cancel, phase, completionTime, admitted, superseded, deleting, label,
    holds: [slots], rules, signed}
expect: {labels, annotations, holds, resyncAfterSeconds}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from c8s.run.frozen import sign_frozen
from hooks.concurrency import LEASES, RUNS, sync_concurrency
from tests.hooks.case_files import FREEZE_KEY, SETTINGS, CaseLoader

Object = dict[str, Any]

GROUP, KEY = "deploy-main", "0123456789abcdef"


@dataclass(frozen=True)
class ConcurrencyCase:
    path: Path
    request: Object
    now: datetime
    expect: Object

    def answer(self, request: Object) -> Object:
        return sync_concurrency(request, SETTINGS, self.now)


def load_concurrency_case(path: Path) -> ConcurrencyCase:
    document = yaml.load(path.read_text(), CaseLoader)
    given = document["given"]
    return ConcurrencyCase(
        path, build_request(given), datetime.fromisoformat(given["now"]), document.get("expect")
    )


def build_request(given: Object) -> Object:
    rules = given.get("rules", {})
    runs = {f"team/{name}": build_run(name, short or {}, rules) for name, short in given["runs"].items()}
    leases = {
        f"team/c8s-{KEY}-{slot}": _build_lease(name, slot)
        for name, short in given["runs"].items()
        for slot in (short or {}).get("holds", [])
    }
    about = runs[f"team/{given['about']}"]
    own = {
        key: lease
        for key, lease in leases.items()
        if lease["metadata"]["ownerReferences"][0]["uid"] == about["metadata"]["uid"]
    }
    return {
        "controller": {"kind": "DecoratorController"},
        "object": about,
        "attachments": {LEASES: own},
        "related": {LEASES: leases, RUNS: runs},
        "finalizing": False,
    }


def build_run(name: str, short: Object, rules: Object) -> Object:
    """Return the PipelineRun that the short form stands for."""
    metadata: Object = {
        "name": name,
        "namespace": "team",
        "uid": f"uid-{name}",
        "creationTimestamp": short.get("createdAt", "2026-01-02T03:00:00Z"),
        "labels": {"c8s.dev/concurrency": short.get("label", KEY)},
        "annotations": freeze(f"uid-{name}", name, short.get("rules", rules), short.get("signed", True)),
    }
    if "admitted" in short:
        metadata["annotations"]["c8s.dev/admitted"] = str(short["admitted"])
    if "superseded" in short:
        metadata["annotations"]["c8s.dev/superseded"] = json.dumps({"run": short["superseded"], "at": ""})
    if short.get("deleting"):
        metadata["deletionTimestamp"] = "2026-01-02T03:04:00Z"
    spec = {key: short[key] for key in ("priority", "cancel") if key in short}
    status = {key: short[key] for key in ("phase", "completionTime") if key in short}
    kind = {"apiVersion": "c8s.dev/v1alpha1", "kind": "PipelineRun"}
    return {**kind, "metadata": metadata, "spec": spec, "status": status}


def freeze(
    uid: str, name: str, rules: Object | None, is_signed: bool = True, namespace: str = "team"
) -> Object:
    """Return the annotations of a run frozen with these rules; None: its pipeline has no concurrency."""
    frozen: Object = {"version": 1}
    if rules is not None:
        frozen["concurrency"] = {"group": GROUP, "key": KEY, **rules}
    text = json.dumps(frozen)
    signature = sign_frozen(FREEZE_KEY, namespace, name, uid, text) if is_signed else "v1=00"
    return {"c8s.dev/frozen": text, "c8s.dev/frozen-signature": signature}


def summarize_concurrency(answer: Object) -> Object:
    """Return `answer` as case files write it: Leases by the number of their slot."""
    rest = {key: value for key, value in answer.items() if key != "attachments" and value != {}}
    holds = [int(lease["metadata"]["name"].rpartition("-")[2]) for lease in answer["attachments"]]
    return {**rest, "holds": holds}


def _build_lease(run: str, slot: int) -> Object:
    owner = {"kind": "PipelineRun", "name": run, "uid": f"uid-{run}", "controller": True}
    name = {"name": f"c8s-{KEY}-{slot}", "namespace": "team"}
    metadata = {**name, "labels": {"c8s.dev/concurrency": KEY}, "ownerReferences": [owner]}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
