"""Values of parameters."""

from __future__ import annotations

from c8s.pipeline.model import Parameter
from c8s.pipeline.parameters import complete_values, find_parameter_problems

PARAMETERS = (
    Parameter("target", "choice", ("staging", "production"), "staging"),
    Parameter("count", "number"),
    Parameter("loud", "boolean", default="false"),
)


def test_defaults_are_filled_in() -> None:
    assert find_parameter_problems(PARAMETERS, {"count": "3"}) == []
    values = complete_values(PARAMETERS, {"count": "3"})
    assert values == {"target": "staging", "count": "3", "loud": "false"}


def test_every_problem_is_told() -> None:
    problems = find_parameter_problems(PARAMETERS, {"target": "moon", "loud": "yes", "tarket": "x"})
    assert problems == [
        'the pipeline has no parameter "tarket" (did you mean "target"?)',
        '"moon", given for "target", is not among the options (allowed: "production", "staging")',
        'the parameter "count" needs a value; it has no default',
        '"yes", given for "loud", is neither true nor false',
    ]
