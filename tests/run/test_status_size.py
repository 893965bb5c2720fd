"""However large a run: its status stays far below what etcd takes."""

import json
from datetime import UTC, datetime

import pytest

from c8s.run.frozen import find_pipeline
from c8s.run.limits import STATUS_BYTES, Limits
from c8s.run.observed_run import observe_run
from c8s.run.situation import observe_situation
from c8s.run.states import StepState, Waiting
from c8s.run.status import report_run

ETCD_BYTES = 1536 * 1024
STEPS = 500
NOW = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
TIME = "2026-01-02T03:04:05Z"
LONG_MESSAGES = ("m" * 300, "é" * 300, "\N{ROCKET}" * 300)


def _observe_long_run():
    steps = [
        {"name": f"{number:03}-" + "s" * 59, "image": "alpine:3", "commands": ["true"]}
        for number in range(STEPS)
    ]
    metadata = {"name": "r" * 63, "namespace": "team", "uid": "u", "creationTimestamp": TIME}
    spec = {
        "commit": "a" * 40,
        "pipelineSpec": {"name": "app", "steps": steps},
        "source": {"repository": "https://git.example.com/team/app.git"},
    }
    return observe_run({"metadata": metadata, "spec": spec})


def _failed(message: str) -> StepState:
    return StepState("Failed", "CheckoutFailed", message, "j" * 58, 137, 3, TIME, TIME, attempt=12, retries=8)


def _queued(message: str) -> StepState:
    waiting = Waiting("ImagePullBackOff", message, TIME)
    return StepState("Queued", "Retrying", message, "j" * 58, waiting=waiting, attempt=12, retries=8)


@pytest.mark.parametrize("make_state", [_failed, _queued])
@pytest.mark.parametrize("message", LONG_MESSAGES)
def test_status_of_the_largest_run_stays_small(make_state, message):
    run = _observe_long_run()
    frozen = find_pipeline(run, (), ())
    assert frozen is not None
    situation = observe_situation(run, frozen, {}, NOW, Limits())
    status = report_run(situation, {one.name: make_state(message) for one in frozen.instances})
    size = len(json.dumps(status, ensure_ascii=False).encode())
    assert size <= STATUS_BYTES <= ETCD_BYTES * 0.3
    assert len(status["steps"]) == STEPS
