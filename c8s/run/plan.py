"""The planner: what a run wants now. Nothing is left out of `jobs` by doubt, and nothing runs twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from c8s.pipeline.model import StepOutcome
from c8s.run.errors import Doubt, UnusablePipeline
from c8s.run.frozen import FrozenPipeline
from c8s.run.instances import StepInstance
from c8s.run.limits import Limits
from c8s.run.names import name_job
from c8s.run.observed_job import ObservedJob
from c8s.run.observed_run import ObservedRun
from c8s.run.retention import drop_seconds, is_stopped, may_be_dropped
from c8s.run.situation import Situation, observe_situation
from c8s.run.states import StepState
from c8s.run.status import report_run, report_unresolved, report_unusable
from c8s.run.step_decision import describe_outcome, next_state
from c8s.run.timers import find_resync_seconds, round_up

States = dict[str, StepState]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted: Jobs that stay as they are, by name; steps to be started; the status; the next look."""

    kept: tuple[str, ...]
    started: tuple[StepInstance, ...]
    status: Mapping[str, Any]
    resync_after_seconds: int | None = None


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
    states = _next_states(situation)
    kept = _keep_jobs(situation, states)
    return Plan(
        kept=tuple(job.name for job in kept),
        started=_started_instances(situation, states),
        status=report_run(situation, states),
        resync_after_seconds=find_resync_seconds(situation, states, kept),
    )


def plan_unusable(run: ObservedRun, jobs: Iterable[str], problem: UnusablePipeline) -> Plan:
    """Return the plan of a run whose pipeline can't be had: it fails, and no Job is touched."""
    return Plan(tuple(jobs), (), report_unusable(run, problem))


def _plan_ended_run(run: ObservedRun, jobs: Mapping[str, ObservedJob], now: datetime) -> Plan:
    """Return the plan of a run that is over: the status stays to the letter, Jobs go one after the other."""
    recorded = {name_job(run.name, run.uid, name): state for name, state in run.steps.items()}
    kept = []
    for job in jobs.values():
        state = recorded.get(job.name)
        if not may_be_dropped(run, job, state, state, now):
            kept.append(job)
    states = [(job, recorded.get(job.name)) for job in kept]
    waits = [drop_seconds(run, job, state, state, now) for job, state in states]
    return Plan(tuple(job.name for job in kept), (), run.status, round_up(waits))


def _next_states(situation: Situation) -> States:
    """Decide on every step after those it depends on."""
    states: States = {}
    outcomes: dict[str, StepOutcome] = {}
    for instance in situation.frozen.order:
        state = next_state(situation, instance, outcomes)
        states[instance.name] = state
        if state.is_terminal:
            outcomes[instance.name] = describe_outcome(instance, state, outcomes)
    return {instance.name: states[instance.name] for instance in situation.frozen.instances}


def _keep_jobs(situation: Situation, states: States) -> list[ObservedJob]:
    """Return the Jobs that stay, those of no step of ours included."""
    instances = {situation.job_name_of(one): one for one in situation.frozen.instances}
    kept = []
    for job in situation.jobs.values():
        instance = instances.get(job.name)
        recorded = situation.recorded_state_of(instance) if instance else None
        state = states[instance.name] if instance else None
        if not may_be_dropped(situation.run, job, recorded, state, situation.now):
            kept.append(job)
    return kept


def _started_instances(situation: Situation, states: States) -> tuple[StepInstance, ...]:
    """Return the steps that are asked for and have no Job: new ones, and those whose request may be lost."""
    return tuple(
        instance
        for instance in situation.frozen.instances
        if states[instance.name].phase == "Queued"
        and not is_stopped(states[instance.name])
        and situation.job_of(instance) is None
    )
