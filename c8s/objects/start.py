"""What a step's pod has to be given, and to keep, beside running the commands."""

from __future__ import annotations

from c8s.pipeline.model import Step
from c8s.run.frozen import FrozenPipeline
from c8s.run.started import StartedStep


def has_something_to_save(step: Step) -> bool:
    """Say whether something outlives the step's pod."""
    return bool(step.artifacts or step.cache or step.outputs)


def has_something_to_restore(started: StartedStep) -> bool:
    """Say whether something is put in place before the step; what is saved is prepared then too."""
    return bool(started.restore_from) or has_something_to_save(started.instance.step)


def gets_outputs(frozen: FrozenPipeline, started: StartedStep) -> bool:
    """Say whether a step before this one declares outputs."""
    names = {source.rpartition("/")[2].partition(".")[0] for source in started.restore_from}
    return any(other.step.outputs for other in frozen.instances if other.name in names)
