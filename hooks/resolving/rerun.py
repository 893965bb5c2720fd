"""A run that repeats another: the same commit and pipeline, and what of the old run is taken over.

Trust is the old run's and is never raised: what was frozen for it is signed anew for the new run, and only if
that has the same refs and the same pull request. Approvals are not taken over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from c8s.pipeline.model import Pipeline
from c8s.pipeline.parse import parse_document
from c8s.run.frozen import is_frozen_signed, is_full_commit
from c8s.run.instances import StepInstance, expand_instances, sort_instances
from c8s.run.observed_run import ObservedRun, observe_run
from c8s.run.reading import Json, parse_object, read_flag, read_mapping, read_mappings, read_text
from hooks.resolving.outcome import NotYet, Unresolved
from hooks.resolving.request import Related

RUNS = "PipelineRun.c8s.dev/v1alpha1"

_SAME = (
    "pipelineSpec",
    "pipelineConfigRef",
    "repositoryConnectionRef",
    "path",
    "source",
    "branch",
    "tag",
    "event",
    "pullRequest",
    "params",
)
"""Fields of `spec` that decide what runs and with which trust; a rerun has those of the run it repeats."""


@dataclass(frozen=True, slots=True)
class OldRun:
    """The run that is repeated. `frozen` is what it was frozen with, its signature verified.

    It is empty where pipeline, source and commit stand in the run's own spec, which can't be changed.
    """

    run: ObservedRun
    frozen: Json
    pipeline: Pipeline
    steps: Mapping[str, Json]

    @property
    def commit(self) -> str:
        return read_text(read_mapping(self.frozen, "source"), "commit") or self.run.commit


def name_old_run(spec: Json) -> str:
    """Return the name of the run that `spec` repeats, or nothing."""
    return read_text(read_mapping(spec, "rerunOf"), "run")


def find_old_run(run: ObservedRun, spec: Json, related: Related, keys: Sequence[str]) -> OldRun:
    """Return the old run. Raises Unresolved: `RerunNotFound`, `RerunNotFinished`, `RerunUntrusted`."""
    name = name_old_run(spec)
    document = related.get(RUNS, {}).get(f"{run.namespace}/{name}")
    if document is None:
        raise NotYet("RerunNotFound", f'namespace "{run.namespace}" has no PipelineRun "{name}" any more')
    old = observe_run(document)
    if not old.is_terminal:
        raise NotYet("RerunNotFinished", f'PipelineRun "{name}" has not ended; wait for it, or cancel it')
    frozen = _read_frozen(old, keys)
    steps = {read_text(entry, "name"): entry for entry in read_mappings(old.status, "steps")}
    repeated = OldRun(old, frozen, _parse_pipeline(old, frozen), steps)
    _compare(spec, read_mapping(document, "spec"), run, repeated)
    return repeated


def _parse_pipeline(old: ObservedRun, frozen: Json) -> Pipeline:
    document = read_mapping(frozen, "pipeline") or (old.inline.document if old.inline else {})
    result = parse_document(dict(document), "the frozen pipeline")
    if result.pipeline is None:
        raise Unresolved(
            "InvalidPipeline", "this c8s can't read the pipeline of the old run; start a new run"
        )
    return result.pipeline


def _read_frozen(old: ObservedRun, keys: Sequence[str]) -> Json:
    text = old.frozen_text
    if not text and old.inline is not None and is_full_commit(old.commit):
        return {}
    if not is_frozen_signed(keys, old.namespace, old.name, old.uid, text, old.frozen_signature):
        raise Unresolved(
            "RerunUntrusted",
            f'PipelineRun "{old.name}" has no frozen pipeline that c8s signed; start a new run',
        )
    return parse_object(text, "the frozen pipeline of the old run")


def _compare(spec: Json, old_spec: Json, run: ObservedRun, old: OldRun) -> None:
    differing = [key for key in _SAME if spec.get(key) != old_spec.get(key)]
    if run.commit and not old.commit.startswith(run.commit.lower()):
        differing.append("commit")
    if differing:
        raise Unresolved(
            "RerunUntrusted",
            f'it differs from PipelineRun "{old.run.name}", which it repeats, in {", ".join(differing)}',
        )


def find_reused(old: OldRun, spec: Json) -> dict[str, Any]:
    """Return what is taken over, by step instance, as it is frozen. Raises Unresolved for unknown steps."""
    rerun = read_mapping(spec, "rerunOf")
    wanted = rerun.get("steps") or []
    if not wanted and read_text(rerun, "scope") != "failed":
        return {}
    instances = sort_instances(expand_instances(old.pipeline))
    if unknown := [str(name) for name in wanted if name not in {one.name for one in instances}]:
        raise Unresolved("InvalidRun", f'the run it repeats has no step "{unknown[0][:80]}"')
    reused: dict[str, Any] = {}
    for instance in instances:
        entry = old.steps.get(instance.name, {})
        is_asked_for = instance.name in wanted
        if not is_asked_for and _may_be_reused(instance, entry, old.steps, reused):
            reused[instance.name] = _describe(old, instance.name, entry)
    return reused


def fit_reused(reused: Mapping[str, Any], pipeline: Pipeline, limit_bytes: int) -> dict[str, Any]:
    """Return `reused` without the steps whose outputs take too much room, and all that depends on those."""
    kept = dict(reused)
    while kept and len(json.dumps(kept, ensure_ascii=False).encode()) > limit_bytes:
        largest = max(kept, key=lambda name: len(json.dumps(kept[name])))
        del kept[largest]
        for instance in sort_instances(expand_instances(pipeline)):
            gone = [other for other in instance.depends_on if other in reused and other not in kept]
            if gone:
                kept.pop(instance.name, None)
    return kept


def _may_be_reused(
    instance: StepInstance, entry: Json, steps: Mapping[str, Json], reused: Iterable[str]
) -> bool:
    """Say whether the step succeeded, and everything before it stays as it was."""
    is_kept = entry.get("phase") == "Succeeded" and instance.step.approval is None
    if not is_kept or entry.get("final"):
        return False
    return all(other in reused or _was_left_out(steps.get(other, {})) for other in instance.depends_on)


def _was_left_out(entry: Json) -> bool:
    return entry.get("phase") == "Skipped" and entry.get("reason") == "ConditionFalse"


def _describe(old: OldRun, name: str, entry: Json) -> dict[str, Any]:
    """Return where the step's log and files lie: in the run that it really ran in."""
    earlier = read_mapping(read_mapping(old.frozen, "reuse"), name)
    source = earlier or {"run": old.run.name, "uid": old.run.uid, "log": read_text(entry, "log") or name}
    described: dict[str, Any] = {key: source[key] for key in ("run", "uid", "log")}
    if outputs := read_mapping(entry, "outputs"):
        described["outputs"] = dict(outputs)
    if read_flag(entry, "artifacts"):
        described["artifacts"] = True
    times = {key: read_text(entry, key) for key in ("startTime", "completionTime")}
    return described | {key: time for key, time in times.items() if time}
