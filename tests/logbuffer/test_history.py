"""Old runs leave the cluster, never before they are written down, and stay counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from c8s.adapters.cluster import PIPELINE_CONFIGS, PIPELINE_RUNS, Conflict, Object, Resource
from c8s.adapters.object_store import InMemoryObjectStore
from c8s.local.apiserver.in_process import new_cluster
from c8s.logs.layout import record_key
from c8s.run.times import format_time
from logbuffer.history import HistoryLimits, add_removed, read_limits, remove_old_runs
from logbuffer.settings import read_settings
from logbuffer.tools import Tools

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STEP = {"name": "unit", "image": "alpine", "commands": ["make"]}


class History:
    """A cluster whose runs ended some days ago, each with its record unless it is told otherwise."""

    def __init__(self) -> None:
        self.moment = NOW
        self.cluster = new_cluster(lambda: self.moment)
        self.tools = Tools(self.cluster, InMemoryObjectStore(), now=lambda: self.moment)

    def add_config(self, **history: object) -> None:
        spec = {"steps": [STEP], **({"history": history} if history else {})}
        self.cluster.create(PIPELINE_CONFIGS, {"metadata": {"name": "app"}, "spec": spec}, "default")

    def add_run(
        self,
        name: str,
        days: float,
        phase: str = "Succeeded",
        reason: str = "",
        *,
        is_archived: bool = True,
        has_record: bool = True,
    ) -> Object:
        labels = {"c8s.dev/pipelineconfig": "app", "c8s.dev/pipeline": "app"}
        if is_archived:
            labels["c8s.dev/archived"] = "true"
        self.moment = NOW - timedelta(days=days)
        body = {"metadata": {"name": name, "labels": labels}, "spec": {"pipelineConfigRef": {"name": "app"}}}
        run = self.cluster.create(PIPELINE_RUNS, body, "default")
        status = {"phase": phase, "completionTime": format_time(self.moment)}
        patch = {"status": {**status, **({"reason": reason} if reason else {})}}
        self.cluster.patch(PIPELINE_RUNS, name, patch, "default", subresource="status")
        self.moment = NOW
        if has_record:
            self.tools.store.put(record_key("default", run["metadata"]["uid"]), b"{}")
        return run

    def names(self) -> set[str]:
        return {run["metadata"]["name"] for run in self.cluster.list(PIPELINE_RUNS).items}

    def removed(self) -> Object:
        config = self.cluster.get(PIPELINE_CONFIGS, "app", "default")
        annotations = config["metadata"].get("annotations", {})
        found: Object = json.loads(annotations.get("c8s.dev/removed-runs", "{}"))
        return found


@pytest.fixture
def history() -> History:
    return History()


def test_the_newest_stay(history: History) -> None:
    history.add_config(count=2)
    for days in range(1, 6):
        history.add_run(f"run-{days}", days)
    assert remove_old_runs(history.tools, HistoryLimits()) == 3
    assert history.names() == {"run-1", "run-2"}
    assert (history.removed()["runs"], history.removed()["succeeded"]) == (3, 3)


def test_the_old_go(history: History) -> None:
    history.add_config(maxAge="1d12h")
    history.add_run("new", 1)
    history.add_run("old", 2)
    remove_old_runs(history.tools, HistoryLimits())
    assert history.names() == {"new"}


def test_settings_count_without_a_config(history: History) -> None:
    history.add_run("new", 1)
    history.add_run("old", 8)
    remove_old_runs(history.tools, HistoryLimits(age=timedelta(days=7)))
    assert history.names() == {"new"}


def test_what_is_not_written_down_stays(history: History) -> None:
    history.add_config(count=0)
    history.add_run("unarchived", 40, is_archived=False)
    history.add_run("unrecorded", 40, has_record=False)
    assert remove_old_runs(history.tools, HistoryLimits()) == 0
    assert history.names() == {"unarchived", "unrecorded"}


def test_record_that_has_expired_holds_nobody(history: History) -> None:
    history.add_run("ancient", 91, has_record=False)
    remove_old_runs(history.tools, HistoryLimits())
    assert history.names() == set()


def test_outcomes_are_counted_apart(history: History) -> None:
    history.add_config(count=0)
    history.add_run("a", 1)
    history.add_run("b", 1, "Failed", "StepsFailed")
    history.add_run("c", 1, "Failed", "InfrastructureFailed")
    history.add_run("d", 1, "Cancelled")
    remove_old_runs(history.tools, HistoryLimits())
    counts = {key: history.removed()[key] for key in ("runs", "succeeded", "failed")}
    assert counts == {"runs": 4, "succeeded": 1, "failed": 1}


def test_death_between_note_and_removal_counts_once(history: History) -> None:
    history.add_config(count=0)
    run = history.add_run("a", 1)
    text = add_removed("", [run | {"status": {"phase": "Succeeded"}}], [run["metadata"]["uid"]])
    patch = {"metadata": {"annotations": {"c8s.dev/removed-runs": text}}}
    history.cluster.patch(PIPELINE_CONFIGS, "app", patch, "default")
    assert remove_old_runs(history.tools, HistoryLimits()) == 1
    assert (history.names(), history.removed()["runs"]) == (set(), 1)
    history.add_run("b", 1)
    remove_old_runs(history.tools, HistoryLimits())
    assert (history.removed()["runs"], len(history.removed()["removing"])) == (2, 1)


def test_config_written_meanwhile_removes_nothing(history: History) -> None:
    history.add_config(count=0)
    history.add_run("a", 1)

    class Contended:
        def replace(self, resource: Resource, body: Object, *, subresource: str = "") -> Object:
            raise Conflict("somebody was faster", status=409)

        def __getattr__(self, name: str) -> object:
            return getattr(history.cluster, name)

    history.tools.cluster = Contended()  # type: ignore[assignment]
    assert remove_old_runs(history.tools, HistoryLimits()) == 0
    assert history.names() == {"a"}


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"runs":"x"}'])
def test_unreadable_counts_remove_nothing(history: History, text: str) -> None:
    history.add_config(count=0)
    history.add_run("a", 1)
    patch = {"metadata": {"annotations": {"c8s.dev/removed-runs": text}}}
    history.cluster.patch(PIPELINE_CONFIGS, "app", patch, "default")
    assert remove_old_runs(history.tools, HistoryLimits()) == 0
    assert history.names() == {"a"}


def test_limits_are_read() -> None:
    limits = HistoryLimits(5, timedelta(days=1))
    assert read_limits(None, limits) == limits
    config = {"spec": {"history": {"count": 0, "maxAge": "2h"}}}
    assert read_limits(config, limits) == HistoryLimits(0, timedelta(hours=2))
    settings, _ = read_settings(
        {
            "C8S_HISTORY_COUNT": "7",
            "C8S_HISTORY_DAYS": "3",
            "C8S_S3_ENDPOINT": "http://s3",
            "C8S_S3_ACCESS_KEY": "a",
            "C8S_S3_SECRET_KEY": "b",
        }
    )
    assert settings.history == HistoryLimits(7, timedelta(days=3))
