"""What pages take from a run's pipeline. Its signature is the planner's business: here it only draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from c8s.adapters.cluster import Object
from c8s.run.labels import FROZEN


@dataclass(frozen=True, slots=True)
class ReusedFrom:
    """The run that a step's result was taken over from; `uid` and `log` say where it really ran."""

    run: str
    uid: str
    log: str


def observe_dependencies(run: Object) -> dict[str, list[str]]:
    """Who depends on whom, from the pipeline; empty where it can't be read."""
    document = _observe_document(run)
    try:
        steps = [*document["steps"], *(document.get("finally") or ())]
        return {step["name"]: [str(name) for name in step.get("dependsOn") or ()] for step in steps}
    except (KeyError, TypeError, AttributeError):
        return {}


def observe_reuse(run: Object) -> dict[str, ReusedFrom]:
    """Step instance → where its result comes from; empty where that can't be read."""
    reuse = _observe_frozen(run).get("reuse") or {}
    try:
        return {
            str(name): ReusedFrom(str(one["run"]), str(one["uid"]), str(one["log"]))
            for name, one in reuse.items()
        }
    except (KeyError, TypeError, AttributeError):
        return {}


def observe_params(run: Object) -> tuple[tuple[str, str], ...]:
    """The values of the run's parameters, defaults filled in where it is frozen."""
    params = _observe_frozen(run).get("params") or (run.get("spec") or {}).get("params") or {}
    return (
        tuple((str(name), str(value)) for name, value in params.items()) if isinstance(params, dict) else ()
    )


def _observe_document(run: Object) -> Mapping[str, Any]:
    found = _observe_frozen(run).get("pipeline") or (run.get("spec") or {}).get("pipelineSpec")
    return found if isinstance(found, dict) else {}


def _observe_frozen(run: Object) -> Mapping[str, Any]:
    text = (run["metadata"].get("annotations") or {}).get(FROZEN, "")
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
