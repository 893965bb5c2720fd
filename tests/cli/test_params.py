from __future__ import annotations

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS
from c8s.cli.errors import UsageError
from c8s.cli.exec import check_params
from c8s.cli.main import main
from c8s.cli.params import parse_params
from c8s.pipeline.model import Parameter
from c8s.pipeline.parse import parse_pipeline
from tests.adapters.test_api_client import Served

PIPELINE = b"""version: v1alpha1
name: app
params:
  - {name: target, type: choice, options: [staging, production]}
steps:
  - {name: unit, image: alpine, commands: ["true"]}
"""


def test_values_may_hold_anything() -> None:
    assert parse_params(["a=1", "b=", "c=x=y z", "d=é\n"]) == {"a": "1", "b": "", "c": "x=y z", "d": "é\n"}


@pytest.mark.parametrize(
    ("words", "message"),
    [(["a"], "--param a names no value"), (["=1"], "names no value"), (["a=1", "a=1"], "gives a twice")],
)
def test_wrong_use_is_told(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_params(words)


def test_run_takes_params(connected: Served, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--pipeline", "web", "--branch", "main", "--param", "target=production", "--param", "n=1"]

    assert main(words) == 0

    name = capsys.readouterr().out.splitlines()[0]
    spec = connected.cluster.get(PIPELINE_RUNS, name, "default")["spec"]
    assert spec["params"] == {"target": "production", "n": "1"}
    assert main(["run", "--pipeline", "web", "--branch", "main", "--param", "target"]) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [({}, "needs a value"), ({"target": "mars"}, "not among the options"), ({"x": "1"}, "no parameter")],
)
def test_exec_checks_values_before_it_starts(given: dict[str, str], message: str) -> None:
    pipeline = parse_pipeline(PIPELINE, "app.yaml").pipeline
    assert pipeline is not None
    assert pipeline.parameters == (Parameter("target", "choice", ("staging", "production")),)

    with pytest.raises(UsageError, match=message):
        check_params(pipeline, given)
    assert check_params(pipeline, {"target": "staging"}) == {"target": "staging"}
