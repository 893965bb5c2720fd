"""What has been decided so far in one call, as later decisions need it: states, outcomes, what goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from c8s.pipeline.model import Matrix, StepOutcome
from c8s.run import reasons
from c8s.run.instances import StepInstance
from c8s.run.situation import Situation
from c8s.run.states import StepState

Group = tuple[object, ...]
"""The instances of one matrix: the pipeline's, or that of a step in one combination of the pipeline's."""

_STOPPING = {StepOutcome.FAILED, StepOutcome.CANCELLED, StepOutcome.SKIPPED_AFTER_FAILURE}


@dataclass(frozen=True, slots=True)
class Failure:
    """The step that failed, and when; empty where that is not known."""

    step: str
    at: str


@dataclass(slots=True)
class Progress:
    """Filled in step by step, in an order in which each comes after all it depends on.

    `victims` are the steps that a failure elsewhere in their matrix stops. `run_matrix` is the pipeline's.
    `run_status` is what steps under `finally` are told; `final_deadline` when these have taken too long.
    """

    run_matrix: Matrix | None = None
    victims: Mapping[str, Failure] = field(default_factory=dict)
    run_status: str = ""
    final_deadline: str = ""
    states: dict[str, StepState] = field(default_factory=dict)
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    going: dict[Group, set[str]] = field(default_factory=dict)
    output_bytes: int = 0

    def add(self, instance: StepInstance, state: StepState) -> None:
        """Note what was decided on one step."""
        self.states[instance.name] = state
        if state.is_terminal:
            self.outcomes[instance.name] = describe_outcome(instance, state, self.outcomes)
        is_going = state.phase in ("Queued", "Running")
        for group, _ in self.limited_groups(instance):
            members = self.going.setdefault(group, set())
            members.add(instance.name) if is_going else members.discard(instance.name)

    def limited_groups(self, instance: StepInstance) -> Iterator[tuple[Group, int]]:
        """Yield the matrices of the step that have a limit, each with it; set by `start_progress`."""
        for group, matrix in _find_matrices(instance, self.run_matrix):
            if matrix.max_parallel is not None:
                yield group, matrix.max_parallel


def start_progress(situation: Situation) -> Progress:
    """Return what is known before anything is decided: what goes on, and what outputs are recorded."""
    progress = Progress(run_matrix=situation.frozen.pipeline.matrix)
    for instance in situation.frozen.instances:
        recorded = situation.recorded_state_of(instance)
        if recorded is not None:
            progress.output_bytes += count_output_bytes(recorded)
        for group, _ in progress.limited_groups(instance):
            if _is_going(situation, instance, recorded):
                progress.going.setdefault(group, set()).add(instance.name)
    return progress


def find_victims(situation: Situation, states: Mapping[str, StepState]) -> dict[str, Failure]:
    """Return the steps to be stopped because another combination of their matrix has failed."""
    instances = situation.frozen.instances
    run_matrix = situation.frozen.pipeline.matrix
    failed: dict[Group, list[StepInstance]] = {}
    for instance in instances:
        if states[instance.name].phase == "Failed" and not instance.step.allow_failure:
            for group, matrix in _find_matrices(instance, run_matrix):
                if matrix.fail_fast:
                    failed.setdefault(group, []).append(instance)
    victims: dict[str, Failure] = {}
    for instance in instances if failed else ():
        for group, _ in _find_matrices(instance, run_matrix):
            culprit = next((one for one in failed.get(group, ()) if _is_other(group, instance, one)), None)
            if culprit is not None and not states[instance.name].is_terminal:
                failure = Failure(culprit.name, states[culprit.name].completion_time)
                victims.setdefault(instance.name, failure)
    return victims


def _is_other(group: Group, instance: StepInstance, failed: StepInstance) -> bool:
    """Say whether the two are of different combinations of the matrix; the pipeline's has the empty group."""
    if not group:
        return instance.run_combination != failed.run_combination
    return instance.combination != failed.combination


def describe_outcome(
    instance: StepInstance, state: StepState, outcomes: Mapping[str, StepOutcome]
) -> StepOutcome:
    """Say what a terminal `state` means to the steps that depend on this one.

    A step that its condition skipped hands on the failure of what it depends on.
    """
    if state.phase == "Failed" and instance.step.allow_failure:
        return StepOutcome.SUCCEEDED
    if state.phase != "Skipped":
        return StepOutcome(state.phase)
    if state.reason != "ConditionFalse":
        return StepOutcome.SKIPPED_AFTER_FAILURE
    before = {outcomes.get(name) for name in instance.depends_on}
    if instance.step.conditional.on_success and before & _STOPPING:
        return StepOutcome.SKIPPED_AFTER_FAILURE
    return StepOutcome.SKIPPED


def count_output_bytes(state: StepState) -> int:
    """Return what the outputs of a step take in the status."""
    return sum(len(name) + len(text.encode()) for name, text in state.outputs.items())


def _is_going(situation: Situation, instance: StepInstance, recorded: StepState | None) -> bool:
    if recorded is not None and (recorded.is_terminal or recorded.phase in ("Queued", "Running")):
        return not recorded.is_terminal
    job = situation.job_of(instance)
    return job is not None and not job.has_ended


def _find_matrices(instance: StepInstance, run_matrix: Matrix | None) -> Iterator[tuple[Group, Matrix]]:
    if run_matrix is not None and not instance.is_final:
        yield (), run_matrix
    if instance.step.matrix is not None:
        yield (instance.step.name, *instance.run_combination.values()), instance.step.matrix


def is_cancel_reason(reason: str) -> bool:
    """Say whether a step ended for the sake of the run's cancel."""
    return reason in (reasons.RUN_CANCELLED, reasons.SUPERSEDED)
