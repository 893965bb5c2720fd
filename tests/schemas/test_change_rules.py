"""What of a PipelineRun may change after its creation, as an API server with our definitions holds it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from c8s.adapters.cluster import PIPELINE_CONFIGS, PIPELINE_RUNS, Invalid
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SPEC = {"pipelineConfigRef": {"name": "app"}, "commit": COMMIT, "before": "fedcba9"}


def approval(user: str, **changes: str) -> dict[str, Any]:
    entry = {"step": "release", "user": user, "groups": ["team"], "decision": "approve"}
    return {**entry, "at": "2026-01-02T03:04:05Z", "commit": COMMIT, "signature": "v1=00", **changes}


@pytest.fixture
def cluster() -> InProcessCluster:
    cluster = new_cluster(lambda: NOW)
    run = {"metadata": {"name": "one"}, "spec": {**SPEC, "approvals": [approval("ann")]}}
    cluster.create(PIPELINE_RUNS, run, "default")
    return cluster


def change(cluster: InProcessCluster, **spec: Any) -> None:
    cluster.patch(PIPELINE_RUNS, "one", {"spec": spec}, "default")


def test_approvals_can_be_added(cluster: InProcessCluster) -> None:
    change(cluster, approvals=[approval("ann"), approval("bob", decision="reject")])
    spec = cluster.get(PIPELINE_RUNS, "one", "default")["spec"]
    assert [entry["user"] for entry in spec["approvals"]] == ["ann", "bob"]


@pytest.mark.parametrize(
    "approvals",
    [
        None,
        [],
        [approval("bob")],
        [approval("bob"), approval("carl")],
        [approval("ann", decision="reject")],
        [approval("ann", signature="v1=11"), approval("bob")],
        [approval("ann"), approval("ann")],
        [approval("ann"), approval("bob", decision="perhaps")],
    ],
)
def test_approvals_cannot_be_changed(cluster: InProcessCluster, approvals: object) -> None:
    with pytest.raises(Invalid):
        change(cluster, approvals=approvals)


@pytest.mark.parametrize(
    "spec", [{"before": "0123456"}, {"rerunOf": {"run": "other"}}, {"commit": None}, {"event": "push"}]
)
def test_the_rest_cannot_be_changed(cluster: InProcessCluster, spec: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="can't be changed"):
        change(cluster, **spec)


@pytest.mark.parametrize("age", ["30d", "1d12h", "90m"])
def test_history_is_limited_by_age(cluster: InProcessCluster, age: str) -> None:
    step = {"name": "unit", "image": "a", "commands": ["true"]}
    config = {"metadata": {"name": "app"}, "spec": {"steps": [step], "history": {"count": 5, "maxAge": age}}}
    stored = cluster.create(PIPELINE_CONFIGS, config, "default")
    assert stored["spec"]["history"] == {"count": 5, "maxAge": age}
    config = {"metadata": {"name": "bad"}, "spec": {"steps": [step], "history": {"maxAge": f"{age}x"}}}
    with pytest.raises(Invalid):
        cluster.create(PIPELINE_CONFIGS, config, "default")
