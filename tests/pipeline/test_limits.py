"""What the schema repeats of `limits` is the same there."""

from __future__ import annotations

from c8s.pipeline import limits
from c8s.pipeline.condition_costs import CHARACTERS
from schemas import load_pipeline_schema


def test_schema_agrees_with_limits() -> None:
    schema = load_pipeline_schema()
    step, matrix = schema["$defs"]["step"]["properties"], schema["$defs"]["matrix"]["properties"]
    assert schema["properties"]["steps"]["maxItems"] == limits.STEPS
    assert schema["$defs"]["name"]["maxLength"] == limits.NAME_CHARACTERS
    assert schema["$defs"]["glob"]["maxLength"] == limits.GLOB_CHARACTERS
    assert step["image"]["maxLength"] == limits.IMAGE_CHARACTERS
    assert matrix["exclude"]["maxItems"] == matrix["include"]["maxItems"] == limits.COMBINATIONS
    variable = step["secrets"]["items"]["properties"]["envVar"]
    assert variable["maxLength"] == limits.ENVIRONMENT_NAME_CHARACTERS
    assert step["services"]["items"]["properties"]["name"]["maxLength"] == limits.SERVICE_NAME_CHARACTERS
    schedule = schema["properties"]["on"]["properties"]["schedule"]["items"]["properties"]
    assert schedule["cron"]["maxLength"] == limits.CRON_CHARACTERS
    assert step["conditional"]["properties"]["if"]["maxLength"] == CHARACTERS
