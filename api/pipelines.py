"""PipelineConfigs as the list of runs shows them: how their runs went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.durations import format_age
from c8s.adapters.cluster import PIPELINE_CONFIGS, Cluster, ClusterError, Object
from c8s.web.cluster_problems import problem_from_cluster


@dataclass(frozen=True, slots=True)
class PipelineView:
    """All text, ready to be escaped; a field with nothing to say is empty or 0."""

    name: str
    success_rate: str
    total_runs: int
    active_runs: int
    queued_runs: int
    last_phase: str
    last_run: str
    last_scheduled: str
    problem: str


class Pipelines:
    """Reads PipelineConfigs. Permission is checked before, by whoever calls."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def list(self, namespace: str, now: datetime) -> list[PipelineView]:
        """Those of a namespace, by name. Raises `Busy`."""
        try:
            found = self._cluster.list(PIPELINE_CONFIGS, namespace).items
        except ClusterError as error:
            raise problem_from_cluster(error, f"the list of pipelines in {namespace}") from error
        return [show_pipeline(one, now) for one in sorted(found, key=lambda one: one["metadata"]["name"])]


def show_pipeline(config: Object, now: datetime) -> PipelineView:
    """What a PipelineConfig's tile shows."""
    status = config.get("status") or {}
    last = status.get("lastRun") or {}
    return PipelineView(
        name=config["metadata"]["name"],
        success_rate=str(status.get("successRate") or ""),
        total_runs=int(status.get("totalRuns") or 0),
        active_runs=int(status.get("activeRuns") or 0),
        queued_runs=len(status.get("queue") or ()),
        last_phase=str(last.get("phase") or ""),
        last_run=str(last.get("name") or ""),
        last_scheduled=format_age(str(status.get("lastScheduleTime") or ""), now),
        problem=_find_problem(status),
    )


def _find_problem(status: Mapping[str, Any]) -> str:
    conditions = status.get("conditions") or ()
    found: Mapping[str, Any] = next((one for one in conditions if one.get("type") == "Valid"), {})
    return str(found.get("message") or found.get("reason") or "") if found.get("status") == "False" else ""
