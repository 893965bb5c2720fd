"""The run's status, from the states of its steps. No time in it is a clock's: all are copied from objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from c8s.pipeline.durations import format_duration
from c8s.run import reasons
from c8s.run.archive import find_archive_failure, find_unarchived
from c8s.run.errors import UnusablePipeline
from c8s.run.instances import StepInstance
from c8s.run.limits import STATUS_BYTES, run_timeout_seconds
from c8s.run.log_names import name_log
from c8s.run.observed_run import TERMINAL_RUN_PHASES, ObservedRun
from c8s.run.progress import is_cancel_reason
from c8s.run.situation import Situation
from c8s.run.states import StepState, describe_waiting, report_state
from c8s.run.times import latest
from c8s.run.turns import describe_turn

States = Mapping[str, StepState]
Status = dict[str, Any]

STEP_BYTES = 6000
"""More than the entry of a step without outputs can have: its texts are names and two short messages."""

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
        status |= _report_end(verdict, _find_completion_time(situation, states))
    if verdict.reason == reasons.WAITING_FOR_TURN and situation.run.turn.place is not None:
        status["queue"] = {"group": frozen.group, "position": situation.run.turn.place.position}
    status["steps"] = [report_step(one, states[one.name]) for one in frozen.instances]
    return fit_status(status)


def report_step(instance: StepInstance, state: StepState) -> Status:
    """Return the entry of `status.steps`; fields with nothing to say are absent."""
    entry: Status = {"name": instance.name}
    if instance.step.name != instance.name:
        entry["step"] = instance.step.name
    if instance.combination:
        entry["matrix"] = dict(instance.combination)
    if instance.shard is not None:
        entry["shard"] = instance.shard
    for key, is_so in (("allowedToFail", instance.step.allow_failure), ("final", instance.is_final)):
        if is_so:
            entry[key] = True
    return entry | report_state(instance.name, state)


def fit_status(status: Status) -> Status:
    """Return `status` with shorter messages where it would be too large for the cluster's database."""
    if _is_small(status):
        return status
    for characters in (120, 40, 0):
        if len(json.dumps(status, ensure_ascii=False).encode()) <= STATUS_BYTES:
            return status
        status = status | {"steps": [_shorten_messages(step, characters) for step in status["steps"]]}
    return status


def _is_small(status: Status) -> bool:
    """Say whether the status fits without a look at its length: few steps, and no outputs."""
    steps = status["steps"]
    return len(steps) * STEP_BYTES <= STATUS_BYTES and not any("outputs" in step for step in steps)


def _shorten_messages(step: Status, characters: int) -> Status:
    shortened = _shorten_message(step, characters)
    if "waiting" not in step:
        return shortened
    return shortened | {"waiting": _shorten_message(step["waiting"], characters)}


def _shorten_message(step: Status, characters: int) -> Status:
    message = step.get("message", "")
    if len(message) <= characters:
        return step
    if not characters:
        return {key: value for key, value in step.items() if key != "message"}
    return step | {"message": message[: characters - 1] + "…"}


def report_unresolved(run: ObservedRun) -> Status:
    """Return the status of a run whose pipeline is being looked up, or no longer needs to be."""
    if run.is_cancelled:
        verdict = _judge_cancel(run)
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
        return _judge_going_run(situation, states)
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
    return judge_ended_steps(situation, states)


def judge_ended_steps(situation: Situation, states: States) -> Verdict:
    """Say how a run ends whose `states` are the last ones, or would end if there were no steps but these."""
    ordinary = [states[one.name] for one in situation.frozen.instances if not one.is_final]
    if any(is_cancel_reason(state.reason) for state in ordinary):
        return _judge_cancel(situation.run)
    if any(state.reason == reasons.RUN_TIMED_OUT for state in ordinary):
        limit = format_duration(run_timeout_seconds(situation.frozen.pipeline))
        message = f"the run reached its time limit of {limit}; raise the pipeline's `timeout` or do less"
        return Verdict("Failed", reasons.RUN_TIMED_OUT, message)
    failed = [
        one.name
        for one in situation.frozen.instances
        if one.name in states and states[one.name].phase == "Failed" and not one.step.allow_failure
    ]
    if not failed:
        return Verdict("Succeeded")
    is_infrastructures = all(states[name].is_infrastructure for name in failed)
    reason = reasons.INFRASTRUCTURE_FAILED if is_infrastructures else reasons.STEPS_FAILED
    return Verdict("Failed", reason, _describe_failures(situation.run.name, failed, states))


def _judge_cancel(run: ObservedRun) -> Verdict:
    superseded = run.turn.superseded
    if superseded is None:
        return Verdict("Cancelled", reasons.RUN_CANCELLED)
    message = f"the newer run {superseded.run} of its concurrency group has taken its place"
    return Verdict("Cancelled", reasons.SUPERSEDED, message)


def _judge_going_run(situation: Situation, states: States) -> Verdict:
    phase: Literal["Pending", "Running"] = "Running" if situation.start_time else "Pending"
    if situation.waits_for_its_turn and not situation.run.is_cancelled:
        message = describe_turn(situation.frozen.group, situation.run.turn.place)
        return Verdict("Pending", reasons.WAITING_FOR_TURN, message)
    awaited = next((one for one in states.values() if one.reason == reasons.AWAITING_APPROVAL), None)
    is_going = any(state.phase in ("Queued", "Running") for state in states.values())
    if awaited is not None and awaited.waiting is not None and not is_going:
        return Verdict(phase, reasons.AWAITING_APPROVAL, awaited.waiting.message)
    return Verdict(phase)


def _describe_failures(run: str, failed: list[str], states: States) -> str:
    sentences = [f'step "{name}": {states[name].message or states[name].reason}' for name in failed]
    more = len(failed) - NAMED_STEPS
    counted = [f"{more} more failed"] if more > 0 else []
    with_log = [name_log(name, states[name].attempt) for name in failed if states[name].exit_code is not None]
    hint = [f"see `c8s logs {run} --step {with_log[0]}`"] if with_log else []
    return "; ".join(sentences[:NAMED_STEPS] + counted + hint)


def _find_completion_time(situation: Situation, states: States) -> str:
    """Return when the last step ended, as near as the objects tell; what was taken over ended before."""
    own = [state for state in states.values() if not state.reused_from]
    times = [state.completion_time for state in own]
    ordinary = [states[one.name].reason for one in situation.frozen.instances if not one.is_final]
    if any(is_cancel_reason(reason) for reason in ordinary):
        times.append(situation.run.cancelled_at)
    if reasons.RUN_TIMED_OUT in ordinary:
        times.append(situation.deadline)
    return (
        latest(times)
        or latest([situation.start_time, *(state.start_time for state in own)])
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
