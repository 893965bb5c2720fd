"""The parts of a step that depend on the run: expressions replaced by their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from c8s.pipeline.expressions import ExpressionError, expression_values, find_expressions, substitute
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
    service_images: tuple[str, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """All images of the step's pod but c8s's own."""
        return (self.image, *self.service_images)


def render_step(
    pipeline: Pipeline,
    instance: StepInstance,
    facts: EventFacts,
    outputs: Mapping[str, str] | None = None,
) -> RenderedStep:
    """Put the run's values in; `outputs` by their names in expressions, `steps.unit.outputs.version`.

    Raises UnrenderableStep where what comes out can't be started.
    """
    values = expression_values(facts, instance.combination) | dict(outputs or {})
    step = instance.step
    try:
        rendered = RenderedStep(
            image=substitute(step.image, values),
            commands=tuple(substitute(command, values) for command in step.commands),
            env={
                name: substitute(value, values)
                for name, value in (*_shared_env(pipeline, instance, values), *step.env.items())
            },
            service_images=tuple(substitute(service.image, values) for service in step.services),
        )
        for service in step.services:
            for value in service.env.values():
                substitute(value, values)
    except ExpressionError as error:
        raise UnrenderableStep(_explain(str(error))) from error
    _check(rendered)
    return rendered


def _shared_env(
    pipeline: Pipeline, instance: StepInstance, values: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the pipeline's variables; under `finally` those that name a value of the matrix don't exist."""
    for name, value in pipeline.env.items():
        names = {expression.name or "" for expression in find_expressions(value)}
        if not instance.is_final or all(one in values or not one.startswith("matrix.") for one in names):
            yield name, value


def _explain(problem: str) -> str:
    if ".outputs." not in problem:
        return problem
    return (
        f"{problem}: the step did not write it, or it has more than 16 KiB; read large ones from"
        " /c8s/outputs/STEP/NAME"
    )


def _check(rendered: RenderedStep) -> None:
    for image in rendered.images:
        if not is_image_reference(image):
            raise UnrenderableStep(f'"{image[:80]}" is no name of an image; change `image`')
    size = sum(len(command.encode()) for command in rendered.commands)
    if size > SCRIPT_BYTES:
        raise UnrenderableStep(
            f"its commands have {size} bytes, {SCRIPT_BYTES} are allowed; move them to a file"
        )
