"""Whether a step that was not asked for yet starts now, and what its Job is told of the steps before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from c8s.pipeline.cel_conditions import ConditionError
from c8s.pipeline.conditions import evaluate
from c8s.pipeline.globs import matches_any
from c8s.pipeline.model import Decision, StepOutcome
from c8s.run import reasons
from c8s.run.approving import await_approval
from c8s.run.instances import StepInstance
from c8s.run.log_names import name_log
from c8s.run.outcomes import shorten
from c8s.run.progress import Progress, is_cancel_reason
from c8s.run.rendering import UnrenderableStep, render_step
from c8s.run.situation import Situation
from c8s.run.started import StartedStep
from c8s.run.states import StepState


def decide_start(situation: Situation, instance: StepInstance, progress: Progress) -> StepState:
    """Return Queued for a step that is to start, else what it waits for, or why it does not start at all."""
    if situation.waits_for_its_turn and not situation.run.is_cancelled:
        return StepState("Pending")
    if instance.is_final:
        held_back = _hold_final_back(situation, progress)
        if held_back is not None:
            return held_back
    known = {name: progress.outcomes[name] for name in instance.depends_on if name in progress.outcomes}
    has_all = len(known) == len(set(instance.depends_on))
    try:
        decision = _evaluate(situation, instance, progress, known, has_all)
    except ConditionError as error:
        return StepState("Failed", reasons.INVALID_STEP, shorten(str(error)))
    # A condition counts only when all before it has ended, so that what comes after keeps its order.
    if not decision.holds and (has_all or decision.reason == "DependencyFailed"):
        return StepState("Skipped", decision.reason, shorten(decision.message))
    if not has_all:
        return StepState("Pending")
    if instance.step.approval is not None:
        return await_approval(situation, instance, instance.step.approval, progress)
    return _refuse(situation, instance, progress) or _wait_for_room(situation, instance, progress)


def build_started_step(
    situation: Situation, instance: StepInstance, states: Mapping[str, StepState], run_status: str
) -> StartedStep:
    """Return the step with all that its Job is told: outputs, files to be restored, the run's status."""
    before = situation.ancestors_of(instance)
    return StartedStep(
        instance,
        attempt=states[instance.name].attempt,
        restore_from=tuple(_list_sources(situation, before, states)),
        outputs=_name_outputs(situation, instance, states),
        run_status=run_status if instance.is_final else "",
    )


def _hold_final_back(situation: Situation, progress: Progress) -> StepState | None:
    """Return why a step under `finally` does not start now: others go on, or nothing has ever started."""
    ordinary = [progress.states[one.name] for one in situation.frozen.instances if not one.is_final]
    if not all(state.is_terminal for state in ordinary):
        return StepState("Pending")
    stopped = next((state.reason for state in ordinary if is_cancel_reason(state.reason)), "")
    if stopped and not any(state.job_name for state in ordinary):
        return StepState("Skipped", stopped, "nothing of the run had started")
    return None


def _evaluate(
    situation: Situation,
    instance: StepInstance,
    progress: Progress,
    known: Mapping[str, StepOutcome],
    has_all: bool,
) -> Decision:
    conditional = instance.step.conditional
    steps = None
    if conditional.expression is not None and has_all:
        steps = _describe_steps(situation, instance, progress.states)
    return evaluate(conditional, situation.facts, known, instance.combination, steps)


def _describe_steps(
    situation: Situation, instance: StepInstance, states: Mapping[str, StepState]
) -> dict[str, dict[str, Any]]:
    """Return outcome and outputs of the steps before, by name; of several instances the worst outcome."""
    steps: dict[str, dict[str, Any]] = {}
    for one in _find_visible(situation, instance):
        state = states[one.name]
        entry = steps.setdefault(one.step.name, {"outcome": "Succeeded", "outputs": {}})
        if state.phase != "Succeeded" and entry["outcome"] != "Failed":
            entry["outcome"] = state.phase
        entry["outputs"].update(state.outputs)
    return steps


def _name_outputs(
    situation: Situation, instance: StepInstance, states: Mapping[str, StepState]
) -> dict[str, str]:
    """Return the outputs that the step may use, by their names in expressions."""
    return {
        f"steps.{one.step.name}.outputs.{name}": text
        for one in _find_visible(situation, instance)
        if one.step.outputs
        for name, text in states[one.name].outputs.items()
    }


def _find_visible(situation: Situation, instance: StepInstance) -> Iterator[StepInstance]:
    """Yield the steps whose outcome and outputs count: those before, and for `finally` all others."""
    if instance.is_final:
        yield from (one for one in situation.frozen.instances if not one.is_final)
    yield from situation.ancestors_of(instance)


def _list_sources(
    situation: Situation, before: Iterable[StepInstance], states: Mapping[str, StepState]
) -> Iterator[str]:
    """Yield `<run uid>/<log name>` of the steps that have kept files or written outputs."""
    for one in before:
        state = states[one.name]
        if state.has_artifacts or (one.step.outputs and state.phase == "Succeeded"):
            reused = situation.frozen.reused.get(one.name)
            if reused is not None:
                yield f"{reused.uid}/{reused.log}"
            else:
                yield f"{situation.run.uid}/{name_log(one.name, state.attempt)}"


def _refuse(situation: Situation, instance: StepInstance, progress: Progress) -> StepState | None:
    """Return the failure of a step that may not or can't be started, else None."""
    if instance.step.run_as_root and not situation.frozen.allow_root:
        return StepState(
            "Failed",
            reasons.ROOT_NOT_ALLOWED,
            "`runAs: root` is not allowed for this repository; leave it out, or ask the administrator to set"
            " `allow.root` on its RepositoryConnection",
        )
    outputs = _name_outputs(situation, instance, progress.states)
    try:
        rendered = render_step(situation.frozen.pipeline, instance, situation.facts, outputs)
    except UnrenderableStep as error:
        return StepState("Failed", reasons.INVALID_STEP, shorten(str(error)))
    return _refuse_images(situation.frozen.allowed_images, rendered.images)


def _refuse_images(allowed: tuple[str, ...] | None, images: tuple[str, ...]) -> StepState | None:
    """`resolve` has looked at images already; those that are made of outputs are known only now."""
    if allowed is None or "*" in allowed:
        return None
    for image in images:
        if not matches_any(allowed, image):
            message = f'the image "{image}" is not among `allow.images` of the RepositoryConnection'
            return StepState("Failed", reasons.IMAGE_NOT_ALLOWED, shorten(message))
    return None


def _wait_for_room(situation: Situation, instance: StepInstance, progress: Progress) -> StepState:
    for group, limit in progress.limited_groups(instance):
        if len(progress.going.get(group, ())) >= limit:
            message = f"{limit} of its matrix go on already, as many as maxParallel allows"
            return StepState("Pending", reasons.MAX_PARALLEL, message)
    return StepState("Queued", job_name=situation.job_name_of(instance))
