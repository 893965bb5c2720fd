"""The planner: what a run wants now. Nothing is left out of `jobs` by doubt, and nothing runs twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from c8s.run.errors import Doubt, UnusablePipeline
from c8s.run.frozen import FrozenPipeline
from c8s.run.instances import StepInstance
from c8s.run.limits import FINAL_STEPS_SECONDS, Limits
from c8s.run.names import name_job
from c8s.run.observed_job import ObservedJob
from c8s.run.observed_run import ObservedRun
from c8s.run.progress import Progress, find_victims, start_progress
from c8s.run.retention import drop_seconds, is_stopped, may_be_dropped, see_attempt
from c8s.run.situation import Situation, observe_situation
from c8s.run.started import StartedStep
from c8s.run.starting import build_started_step
from c8s.run.states import StepState
from c8s.run.status import judge_ended_steps, report_run, report_unresolved, report_unusable
from c8s.run.step_decision import next_state
from c8s.run.timers import find_resync_seconds, round_up
from c8s.run.times import add_seconds, latest

States = Mapping[str, StepState]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted: Jobs that stay as they are, by name; steps to be started; the status; the next look.

    `wants_workspace`: the run has a volume of its own, which is to be there.
    """

    kept: tuple[str, ...]
    started: tuple[StartedStep, ...]
    status: Mapping[str, Any]
    resync_after_seconds: int | None = None
    wants_workspace: bool = False


def plan(
    run: ObservedRun,
    frozen: FrozenPipeline | None,
    jobs: Mapping[str, ObservedJob],
    now: datetime,
    limits: Limits,
) -> Plan:
    """Return what `run` wants. `jobs` are all its Jobs by name; `frozen` is None while it is not known.

    Raises Doubt where Jobs exist although nothing can have started them.
    """
    if run.is_terminal:
        return _plan_ended_run(run, jobs, now)
    if frozen is None:
        if jobs:
            raise Doubt("the run has Jobs and no pipeline")
        return Plan((), (), report_unresolved(run))
    situation = observe_situation(run, frozen, jobs, now, limits)
    progress = _decide_all(situation)
    states = {instance.name: progress.states[instance.name] for instance in frozen.instances}
    owners = situation.find_owners() if jobs else {}
    kept = _keep_jobs(situation, states, owners)
    started = tuple(_find_started(situation, states, progress.run_status))
    return Plan(
        kept=tuple(job.name for job in kept),
        started=started,
        status=report_run(situation, states),
        resync_after_seconds=find_resync_seconds(situation, states, kept, owners, progress.final_deadline),
        wants_workspace=frozen.pipeline.workspace is not None and bool(kept or started),
    )


def plan_unusable(run: ObservedRun, jobs: Iterable[str], problem: UnusablePipeline) -> Plan:
    """Return the plan of a run whose pipeline can't be had: it fails, and no Job is touched."""
    return Plan(tuple(jobs), (), report_unusable(run, problem))


def _plan_ended_run(run: ObservedRun, jobs: Mapping[str, ObservedJob], now: datetime) -> Plan:
    """Return the plan of a run that is over: the status stays to the letter, Jobs go one after the other."""
    recorded = {
        name_job(run.name, run.uid, name, attempt): see_attempt(state, attempt)
        for name, state in run.steps.items()
        for attempt in range(1, state.attempt + 2)  # one more may have been asked for, and come too late
    }
    kept = []
    for job in jobs.values():
        state = recorded.get(job.name)
        if not may_be_dropped(run, job, state, state, now):
            kept.append(job)
    states = [(job, recorded.get(job.name)) for job in kept]
    waits = [drop_seconds(run, job, state, state, now) for job, state in states]
    return Plan(tuple(job.name for job in kept), (), run.status, round_up(waits))


def _decide_all(situation: Situation) -> Progress:
    """Decide on every step after those it depends on; once more where a failure stops others of a matrix."""
    progress = _decide_once(situation, start_progress(situation))
    victims = find_victims(situation, progress.states)
    if not victims:
        return progress
    again = start_progress(situation)
    again.victims = victims
    return _decide_once(situation, again)


def _decide_once(situation: Situation, progress: Progress) -> Progress:
    has_final = bool(situation.frozen.pipeline.final_steps)
    for instance in situation.frozen.order:
        if has_final and instance.is_final and not progress.run_status:
            _look_at_the_others(situation, progress)
        progress.add(instance, next_state(situation, instance, progress))
    return progress


def _look_at_the_others(situation: Situation, progress: Progress) -> None:
    """Before the first step under `finally`: note how the others ended, and until when these may take."""
    states = progress.states
    if not all(state.is_terminal for state in states.values()):
        return
    progress.run_status = judge_ended_steps(situation, states).phase
    cancelled_at = situation.run.cancelled_at if situation.run.is_cancelled else ""
    ends = (state.completion_time for state in states.values())
    end = latest([situation.run.ready_at, situation.start_time, cancelled_at, *ends])
    progress.final_deadline = add_seconds(end, FINAL_STEPS_SECONDS) if end else ""


def _keep_jobs(
    situation: Situation, states: States, owners: Mapping[str, tuple[StepInstance, int]]
) -> list[ObservedJob]:
    """Return the Jobs that stay, those of no step of ours included."""
    kept = []
    for job in situation.jobs.values():
        instance, attempt = owners.get(job.name, (None, 1))
        recorded = see_attempt(situation.recorded_state_of(instance), attempt) if instance else None
        state = see_attempt(states[instance.name], attempt) if instance else None
        if not may_be_dropped(situation.run, job, recorded, state, situation.now):
            kept.append(job)
    return kept


def _find_started(situation: Situation, states: States, run_status: str) -> Iterable[StartedStep]:
    """Yield the steps that are asked for and have no Job: new ones, and those whose request may be lost."""
    for instance in situation.frozen.instances:
        state = states[instance.name]
        if state.phase != "Queued" or is_stopped(state):
            continue
        if situation.job_of(instance, state.attempt) is None:
            yield build_started_step(situation, instance, states, run_status)
