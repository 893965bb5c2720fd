"""A run's values put into a step."""

from __future__ import annotations

import pytest

from c8s.pipeline.model import EventFacts, Matrix, Pipeline, Service, Step
from c8s.run.instances import StepInstance, expand_instances
from c8s.run.rendering import UnrenderableStep, render_step

FACTS = EventFacts("push", "0" * 40, branch="main", params={"target": "staging"})


def instance_of(pipeline: Pipeline, name: str) -> StepInstance:
    return next(one for one in expand_instances(pipeline) if one.name == name)


def test_final_step_goes_without_variables_of_the_matrix() -> None:
    step = Step("unit", "alpine", ("true",))
    pipeline = Pipeline(
        "app",
        (step,),
        env={"ZONE": "${{ matrix.zone }}", "TARGET": "${{ params.target }}"},
        matrix=Matrix({"zone": ("utc",)}),
        final_steps=(Step("notify", "alpine", ("true",)),),
    )
    assert render_step(pipeline, instance_of(pipeline, "unit-utc"), FACTS).env == {
        "ZONE": "utc",
        "TARGET": "staging",
    }
    assert render_step(pipeline, instance_of(pipeline, "notify"), FACTS).env == {"TARGET": "staging"}


def test_outputs_are_put_in() -> None:
    pipeline = Pipeline("app", (Step("unit", "alpine:${{ steps.build.outputs.tag }}", ("true",)),))
    unit = instance_of(pipeline, "unit")
    assert render_step(pipeline, unit, FACTS, {"steps.build.outputs.tag": "3"}).image == "alpine:3"


def test_missing_output_says_what_to_do() -> None:
    pipeline = Pipeline("app", (Step("unit", "alpine", ("true",), env={"V": "${{ steps.b.outputs.v }}"}),))
    with pytest.raises(UnrenderableStep, match="read large ones from /c8s/outputs/STEP/NAME"):
        render_step(pipeline, instance_of(pipeline, "unit"), FACTS)


def test_image_of_a_service_is_looked_at_as_well() -> None:
    service = Service("db", "${{ branch }}:17")
    pipeline = Pipeline("app", (Step("unit", "alpine", ("true",), services=(service,)),))
    unit = instance_of(pipeline, "unit")
    assert render_step(pipeline, unit, FACTS).images == ("alpine", "main:17")
    with pytest.raises(UnrenderableStep, match="is no name of an image"):
        render_step(pipeline, unit, EventFacts("push", branch="Feature X"))
