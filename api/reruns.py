"""A run once more: the same commit and pipeline, all of it or what did not succeed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.runs import TERMINAL_PHASES, observe_phase
from c8s.adapters.cluster import Object
from c8s.web.errors import BadRequest, Clash

SCOPES = ("all", "failed")
MAX_STEPS = 500
_NOT_REPEATED = frozenset({"cancel", "approvals", "rerunOf", "triggeredBy", "triggeredAt"})


def parse_rerun(body: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Scope and step instances of the body of `POST …/rerun`. Raises `BadRequest` with the field."""
    scope, steps = body.get("scope", "failed"), body.get("steps", [])
    if scope not in SCOPES:
        raise BadRequest("scope must be all or failed", field="scope")
    if (
        not isinstance(steps, list)
        or len(steps) > MAX_STEPS
        or not all(isinstance(one, str) for one in steps)
    ):
        raise BadRequest("steps must be a list of names of step instances", field="steps")
    return scope, steps


def build_rerun(old: Object, scope: str, steps: list[str]) -> dict[str, Any]:
    """The spec of the run that repeats `old`. Raises `Clash` while that goes on, `BadRequest` for a step."""
    status, name = old.get("status") or {}, old["metadata"]["name"]
    if observe_phase(old) not in TERMINAL_PHASES:
        raise Clash(f"run {name} has not ended", reason="NotFinished", hint="wait for it, or cancel it")
    known = {step["name"] for step in status.get("steps") or []}
    if not known:
        raise Clash(f"run {name} has no steps", reason="NothingToRepeat", hint="start a new run")
    unknown = [step for step in steps if step not in known]
    if unknown:
        raise BadRequest(f"run {name} has no step {unknown[0][:80]}", field="steps", hint="see its steps")
    spec = {field: value for field, value in old["spec"].items() if field not in _NOT_REPEATED}
    commit = {"commit": status["commit"]} if status.get("commit") else {}
    return {**spec, **commit, "rerunOf": {"run": name, "scope": scope, **({"steps": steps} if steps else {})}}
