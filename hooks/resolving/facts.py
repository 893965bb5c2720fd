"""What is found out about a run beside its pipeline: values of parameters, changed files, its group."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from c8s.pipeline.expressions import ExpressionError, expression_values, substitute
from c8s.pipeline.model import Concurrency, EventFacts, Pipeline
from c8s.run.observed_run import build_facts
from hooks.resolving.outcome import Unresolved
from hooks.resolving.request import ResolveRequest

GROUP_CHARACTERS = 255
KEY_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Found:
    """`changed_paths` None: not known, or not asked for."""

    commit: str
    params: Mapping[str, str]
    changed_paths: tuple[str, ...] | None = None


def build_run_facts(request: ResolveRequest, found: Found) -> EventFacts:
    """Return what the language may know of the run."""
    facts = build_facts(request.run, found.commit, request.code.repository)
    return replace(facts, params=found.params, changed_paths=found.changed_paths)


def asks_for_paths(pipeline: Pipeline) -> bool:
    """Say whether anything in the pipeline depends on which files have changed."""
    push, pull_request = pipeline.triggers.push, pipeline.triggers.pull_request
    triggers = [trigger for trigger in (push, pull_request) if trigger is not None]
    if any(one.paths is not None or one.paths_ignore is not None for one in triggers):
        return True
    return any(step.conditional.paths for step in (*pipeline.steps, *pipeline.final_steps))


def name_group(concurrency: Concurrency, facts: EventFacts, namespace: str) -> dict[str, Any]:
    """Return the group as a run is frozen with it: `{group, key, max, onNew}`.

    A stranger's branch may stand in its name: that is only hashed and shown. A fork's may be `main`:
    so runs of forks have groups of their own, and hold up and supersede each other only. Raises Unresolved.
    """
    try:
        group = substitute(concurrency.group, expression_values(facts, {}))[:GROUP_CHARACTERS]
    except ExpressionError as error:
        raise Unresolved("InvalidPipeline", f"concurrency.group: {error}") from error
    # No namespace holds a line break, so no group of ours has a fork's key.
    whose = "fork\n" if facts.from_fork else ""
    key = hashlib.sha256(f"{whose}{namespace}/{group}".encode()).hexdigest()[:KEY_DIGITS]
    return {"group": group, "key": key, "max": concurrency.max, "onNew": concurrency.on_new}
