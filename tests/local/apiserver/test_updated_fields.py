"""What managedFields tells of updates: c8s reads there when a run was cancelled and its status written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from c8s.adapters.cluster import PIPELINE_RUNS
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.run.observed_run import observe_run

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = {"metadata": {"name": "one"}, "spec": {"pipelineConfigRef": {"name": "web"}}}


def ticking() -> Callable[[], datetime]:
    """A clock that is a second later each time it is read."""
    seconds = iter(range(10_000))
    return lambda: START + timedelta(seconds=next(seconds))


def entries(run: dict) -> list[tuple[str, dict]]:
    return [(one.get("subresource", ""), one["fieldsV1"]) for one in run["metadata"]["managedFields"]]


def new_run() -> InProcessCluster:
    cluster = new_cluster(ticking())
    cluster.create(PIPELINE_RUNS, RUN, "default")
    return cluster


def test_changed_field_is_noted() -> None:
    run = new_run().patch(PIPELINE_RUNS, "one", {"spec": {"cancel": True}}, "default")
    assert entries(run) == [("", {"f:spec": {"f:cancel": {}}})]


def test_later_update_keeps_earlier_fields() -> None:
    cluster = new_run()
    cluster.patch(PIPELINE_RUNS, "one", {"status": {"phase": "Running"}}, "default", subresource="status")
    run = cluster.patch(
        PIPELINE_RUNS, "one", {"status": {"reason": "Archiving"}}, "default", subresource="status"
    )
    assert entries(run) == [("", {}), ("status", {"f:status": {"f:phase": {}, "f:reason": {}}})]


def test_times_of_cancel_and_status_are_read() -> None:
    cluster = new_run()
    cluster.patch(PIPELINE_RUNS, "one", {"spec": {"cancel": True}}, "default")
    run = cluster.patch(
        PIPELINE_RUNS, "one", {"status": {"phase": "Running"}}, "default", subresource="status"
    )
    observed = observe_run(run)
    times = [entry["time"] for entry in run["metadata"]["managedFields"]]
    assert [observed.cancelled_at, observed.status_written_at] == times
    assert times[0] < times[1]
