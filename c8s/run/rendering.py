"""The parts of a step that depend on the run: expressions replaced by their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from c8s.pipeline.expressions import ExpressionError, expression_values, substitute
from c8s.pipeline.images import is_image_reference
from c8s.pipeline.model import EventFacts, Pipeline
from c8s.run.instances import StepInstance

SCRIPT_BYTES = 100_000
"""Linux takes 128 KiB in one argument of a program; the script announces its commands as well."""


class UnrenderableStep(ValueError):
    """The step can't be started with this run's values; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class RenderedStep:
    """What a step's container runs. `env` is the pipeline's, then the step's."""

    image: str
    commands: tuple[str, ...]
    env: Mapping[str, str]


def render_step(pipeline: Pipeline, instance: StepInstance, facts: EventFacts) -> RenderedStep:
    """Put the run's values in. Raises UnrenderableStep where what comes out can't be started."""
    values = expression_values(facts, instance.combination)
    step = instance.step
    try:
        rendered = RenderedStep(
            image=substitute(step.image, values),
            commands=tuple(substitute(command, values) for command in step.commands),
            env={
                name: substitute(value, values) for name, value in (*pipeline.env.items(), *step.env.items())
            },
        )
    except ExpressionError as error:
        raise UnrenderableStep(str(error)) from error
    _check(rendered)
    return rendered


def _check(rendered: RenderedStep) -> None:
    if not is_image_reference(rendered.image):
        raise UnrenderableStep(f'"{rendered.image[:80]}" is no name of an image; change `image`')
    size = sum(len(command.encode()) for command in rendered.commands)
    if size > SCRIPT_BYTES:
        raise UnrenderableStep(
            f"its commands have {size} bytes, {SCRIPT_BYTES} are allowed; move them to a file"
        )
