"""The run's status, from the states of its steps. No time in it is a clock's: all are copied from objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from c8s.pipeline.durations import format_duration
from c8s.run import reasons
from c8s.run.archive import find_archive_failure, find_unarchived
from c8s.run.errors import UnusablePipeline
from c8s.run.limits import run_timeout_seconds
from c8s.run.observed_run import TERMINAL_RUN_PHASES, ObservedRun
from c8s.run.situation import Situation
from c8s.run.states import StepState, describe_waiting, report_step
from c8s.run.times import latest

States = Mapping[str, StepState]
Status = dict[str, Any]

NAMED_STEPS = 3
"""How many failed steps a run's message names."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The run's phase, with one word and a sentence."""

    phase: Literal["Pending", "Running", "Succeeded", "Failed", "Cancelled"]
    reason: str = ""
    message: str = ""


def report_run(situation: Situation, states: States) -> Status:
    """Return the status of a run whose pipeline is known."""
    frozen = situation.frozen
    verdict = judge_run(situation, states)
    ended = sum(state.is_terminal for state in states.values())
    status = _report_verdict(verdict)
    if frozen.commit:
        status["commit"] = frozen.commit
    status["pipeline"] = frozen.pipeline.name
    status["progress"] = f"{ended}/{len(states)}"
    if situation.start_time:
        status["startTime"] = situation.start_time
    if verdict.phase in TERMINAL_RUN_PHASES:
        status |= _report_end(verdict, _find_completion_time(situation, states.values()))
    status["steps"] = [
        report_step(one.name, one.step.name, one.combination, states[one.name]) for one in frozen.instances
    ]
    return status


def report_unresolved(run: ObservedRun) -> Status:
    """Return the status of a run whose pipeline is being looked up, or no longer needs to be."""
    if run.is_cancelled:
        verdict = Verdict("Cancelled", reasons.RUN_CANCELLED)
        return _report_verdict(verdict) | _report_end(verdict, run.cancelled_at or run.created_at)
    return _report_verdict(Verdict("Pending", reasons.RESOLVING, "its pipeline is being looked up"))


def report_unusable(run: ObservedRun, problem: UnusablePipeline) -> Status:
    """Return the status of a run whose pipeline can't be had; what is known of its steps stays.

    A run that its pipeline's `on` does not want is no failure: a push beside its filters leaves nothing red.
    """
    recorded = run.status.get("steps")
    known = {key: run.status[key] for key in ("commit", "pipeline", "startTime") if key in run.status}
    end = latest([run.created_at, run.start_time, *(state.completion_time for state in run.steps.values())])
    is_unwanted = problem.reason == reasons.NOT_TRIGGERED
    verdict = Verdict("Cancelled" if is_unwanted else "Failed", problem.reason, problem.message)
    status = _report_verdict(verdict) | known | _report_end(verdict, end)
    return status | {"steps": recorded} if recorded else status


def report_invalid_run(error: Exception, created_at: str) -> Status:
    """Return the status of a run whose own object can't be read; it ended when it was created."""
    message = f"this run can't be read: {error}; delete it and start a new one"
    verdict = Verdict("Failed", reasons.INVALID_RUN, message)
    return _report_verdict(verdict) | _report_end(verdict, created_at)


def judge_run(situation: Situation, states: States) -> Verdict:
    """Say how the run stands. It has ended when all steps have, and all logs are safe."""
    if not all(state.is_terminal for state in states.values()):
        return Verdict("Running" if situation.start_time else "Pending")
    unarchived = find_unarchived(situation.jobs.values())
    failure = find_archive_failure(unarchived, situation.limits.archive_limit_seconds, situation.now)
    if failure is not None:
        return Verdict(
            "Failed",
            reasons.LOG_ARCHIVE_FAILED,
            f"the logs can't be archived: {describe_waiting(failure)}; they are kept until that works again",
        )
    if unarchived:
        return Verdict("Running", reasons.ARCHIVING, "all steps have ended, their logs are being archived")
    return _judge_ended_steps(situation, states)


def _judge_ended_steps(situation: Situation, states: States) -> Verdict:
    step_reasons = {state.reason for state in states.values()}
    if reasons.RUN_CANCELLED in step_reasons:
        return Verdict("Cancelled", reasons.RUN_CANCELLED)
    if reasons.RUN_TIMED_OUT in step_reasons:
        limit = format_duration(run_timeout_seconds(situation.frozen.pipeline))
        message = f"the run reached its time limit of {limit}; raise the pipeline's `timeout` or do less"
        return Verdict("Failed", reasons.RUN_TIMED_OUT, message)
    failed = [name for name, state in states.items() if state.phase == "Failed"]
    if failed:
        return Verdict("Failed", reasons.STEPS_FAILED, _describe_failures(situation.run.name, failed, states))
    return Verdict("Succeeded")


def _describe_failures(run: str, failed: list[str], states: States) -> str:
    sentences = [f'step "{name}": {states[name].message or states[name].reason}' for name in failed]
    more = len(failed) - NAMED_STEPS
    counted = [f"{more} more failed"] if more > 0 else []
    with_log = [name for name in failed if states[name].exit_code is not None]
    hint = [f"see `c8s logs {run} --step {with_log[0]}`"] if with_log else []
    return "; ".join(sentences[:NAMED_STEPS] + counted + hint)


def _find_completion_time(situation: Situation, states: Collection[StepState]) -> str:
    """Return when the last step ended, as near as the objects tell."""
    times = [state.completion_time for state in states]
    if any(state.reason == reasons.RUN_CANCELLED for state in states):
        times.append(situation.run.cancelled_at)
    if any(state.reason == reasons.RUN_TIMED_OUT for state in states):
        times.append(situation.deadline)
    return (
        latest(times)
        or latest([situation.start_time, *(state.start_time for state in states)])
        or situation.run.created_at
    )


def _report_verdict(verdict: Verdict) -> Status:
    texts = {"phase": verdict.phase, "reason": verdict.reason, "message": verdict.message}
    return {key: text for key, text in texts.items() if text}


def _report_end(verdict: Verdict, completion_time: str) -> Status:
    """Return `completionTime` and the condition that `kubectl wait --for=condition=Finished` looks for."""
    condition = {
        "type": "Finished",
        "status": "True",
        "reason": verdict.reason or verdict.phase,
        "message": verdict.message or f"the run ended {verdict.phase}",
        "lastTransitionTime": completion_time,
    }
    return {"completionTime": completion_time, "conditions": [condition]} if completion_time else {}
