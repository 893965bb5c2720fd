"""Which run a schedule wants now. Its name follows from the minute, so that it is made once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from c8s.pipeline.cron import find_times, parse_cron
from c8s.pipeline.model import Schedule
from c8s.run.labels import CONFIG_LABEL, MANAGED_BY_LABEL, PIPELINE_LABEL
from c8s.run.names import make_dns_safe, name_pipeline_label
from c8s.run.times import format_time

LATE_MINUTES = 10
"""How long after its time a run is still started, where nobody looked before."""
LOOK_AHEAD_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Due:
    """A time at which a run has to start, and what for."""

    at: datetime
    schedule: Schedule


def find_due(schedules: Sequence[Schedule], now: datetime, since: str) -> list[Due]:
    """Return the times that have come after `since`, the latest of each schedule only."""
    found = []
    for schedule in schedules:
        latest = _find_first(schedule, now, -LATE_MINUTES)
        if latest is not None and format_time(latest) > since:
            found.append(Due(latest, schedule))
    return found


def seconds_to_next(schedules: Sequence[Schedule], now: datetime) -> int | None:
    """Return when to look again, at most an hour on; None where there are no schedules."""
    if not schedules:
        return None
    start = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    times = [_find_first(one, start, LOOK_AHEAD_MINUTES) for one in schedules]
    due = min(
        (time for time in times if time is not None), default=start + timedelta(minutes=LOOK_AHEAD_MINUTES)
    )
    return max(1, round((due - now).total_seconds() + 0.5))


def _find_first(schedule: Schedule, start: datetime, minutes: int) -> datetime | None:
    return next(find_times(parse_cron(schedule.cron), ZoneInfo(schedule.timezone), start, minutes), None)


def build_scheduled_run(config: str, namespace: str, due: Due) -> dict[str, Any]:
    """Return the PipelineRun of one minute; two schedules of the same minute and branch want the same one."""
    minute = due.at.astimezone(UTC).strftime("%Y%m%d%H%M")
    pipeline = name_pipeline_label(config)
    name = "-".join((pipeline, *_tell_apart(config, due.schedule.branch or ""), minute))
    spec: dict[str, Any] = {
        "pipelineConfigRef": {"name": config},
        "event": "schedule",
        "triggeredBy": f"schedule:{due.schedule.cron}"[:200],
        "triggeredAt": format_time(due.at),
    }
    if due.schedule.branch:
        spec["branch"] = due.schedule.branch
    return {
        "apiVersion": "c8s.dev/v1alpha1",
        "kind": "PipelineRun",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {
                MANAGED_BY_LABEL: "c8s",
                CONFIG_LABEL: config,
                PIPELINE_LABEL: pipeline,
            },
        },
        "spec": spec,
    }


def _tell_apart(config: str, branch: str) -> list[str]:
    """Return a digest of the branch, and of a PipelineConfig's name that its label changes."""
    said = branch if make_dns_safe(config) == config else f"{config}\n{branch}"
    return [hashlib.sha256(said.encode()).hexdigest()[:6]] if said else []
