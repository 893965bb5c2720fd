"""All that a run's page shows, and what its viewer may do there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.approvals import check_decision
from api.permissions import Permissions, Viewer
from api.run_view import show_run
from api.runs import TERMINAL_PHASES, is_gone, observe_phase
from api.stages import MAX_LANES, arrange_lanes, arrange_stages
from api.step_logs import is_archived
from api.step_view import StepView, show_steps
from c8s.adapters.cluster import Object
from c8s.web.authorization import User
from c8s.web.errors import HttpProblem

MAX_OUTPUTS = 50


@dataclass(frozen=True, slots=True)
class Rights:
    """Which forms the viewer is shown. That does not allow anything: each form asks again."""

    cancel: bool
    rerun: bool
    decide: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A step that waits for people; `refusal` says why this viewer is not the one to decide."""

    step: StepView
    refusal: str


def observe_rights(permissions: Permissions, viewer: Viewer, run: Object) -> Rights:
    """What may be done with `run` as it is, by whom. Without a session there are no forms."""
    namespace, name = run["metadata"]["namespace"], run["metadata"]["name"]
    if permissions.session() is None or is_gone(run):
        return Rights(cancel=False, rerun=False, decide=False)
    is_finished = observe_phase(run) in TERMINAL_PHASES
    has_steps, is_cancelled = bool((run.get("status") or {}).get("steps")), run["spec"].get("cancel") is True
    is_going_on = not is_finished and not is_cancelled
    return Rights(
        cancel=is_going_on and permissions.may(viewer, "patch", namespace, name),
        rerun=is_finished and has_steps and permissions.may(viewer, "create", namespace),
        decide=is_going_on and permissions.may(viewer, "update", namespace, name, "approve"),
    )


def show_run_page(run: Object, user: User, now: datetime) -> dict[str, Any]:
    """The values of `run.html`."""
    views = show_steps(run, now)
    stages = arrange_stages(run, [view for view in views if not view.is_final])
    final_stages = arrange_stages(run, [view for view in views if view.is_final])
    lanes = arrange_lanes(stages + final_stages)
    outputs = [(view.name, name, text) for view in views for name, text in view.outputs]
    return {
        "run": show_run(run, now),
        "stages": stages,
        "final_stages": final_stages,
        "lanes": lanes[:MAX_LANES],
        "lanes_left_out": max(0, len(lanes) - MAX_LANES),
        "outputs": outputs[:MAX_OUTPUTS],
        "outputs_left_out": max(0, len(outputs) - MAX_OUTPUTS),
        "questions": [_ask(run, view, user) for view in views if view.awaits_approval],
        "is_archived": is_archived(run),
    }


def _ask(run: Object, view: StepView, user: User) -> Question:
    try:
        check_decision(run, view.name, user)
    except HttpProblem as problem:
        return Question(view, problem.message)
    return Question(view, "")
