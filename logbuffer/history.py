"""Removes the oldest runs of each pipeline from the cluster; their records and logs stay in S3.

What is removed is noted on the PipelineConfig before it goes, so that counts stay exact whatever dies when.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from c8s.adapters.cluster import PIPELINE_CONFIGS, PIPELINE_RUNS, ClusterError, Conflict, NotFound, Object
from c8s.adapters.object_store import KeyNotFound, StoreError
from c8s.logs.layout import KEPT_DAYS, RECORDS, record_key
from c8s.run.labels import ARCHIVED, CONFIG_LABEL, PIPELINE_LABEL, REMOVED_RUNS
from c8s.run.reasons import INFRASTRUCTURE_FAILED
from c8s.run.times import parse_time
from c8s.web.logs import log_event
from logbuffer.tools import Tools

log = logging.getLogger("c8s.logbuffer")

SWEEP_SECONDS = 60.0
JITTER = 0.2
MAX_REMOVALS = 100
"""Of one pipeline in one sweep; the rest goes with the next one."""

_AGE = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")

Group = tuple[str, str, str]
"""Namespace, PipelineConfig (or nothing), pipeline."""


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """How many of a pipeline's ended runs stay in the cluster, and for how long after their end."""

    count: int = 100
    age: timedelta = timedelta(days=30)


class HistoryKeeper:
    """Looks once a minute for runs that are too many or too old."""

    def __init__(self, tools: Tools, limits: HistoryLimits) -> None:
        self._tools = tools
        self._limits = limits

    def run(self) -> None:
        """Until the service stops."""
        while not self._tools.stop.wait(SWEEP_SECONDS * random.uniform(1 - JITTER, 1 + JITTER)):  # noqa: S311
            try:
                count = remove_old_runs(self._tools, self._limits)
            except (ClusterError, StoreError) as error:
                log_event(log, "history failed", level=logging.WARNING, error=error)
            else:
                if count:
                    log_event(log, "old runs removed", count=count)


def remove_old_runs(tools: Tools, limits: HistoryLimits) -> int:
    """Remove what is over the limits; return how many. Raises `ClusterError` or `StoreError`."""
    configs = {
        (config["metadata"]["namespace"], config["metadata"]["name"]): config
        for config in tools.cluster.list(PIPELINE_CONFIGS).items
    }
    groups: dict[Group, list[Object]] = defaultdict(list)
    for run in tools.cluster.list(PIPELINE_RUNS, label_selector=f"{ARCHIVED}=true").items:
        groups[_group_of(run)].append(run)
    return sum(
        _remove_some(tools, configs.get((namespace, name)), runs, limits)
        for (namespace, name, _), runs in sorted(groups.items())
    )


def find_doomed(runs: Iterable[Object], limits: HistoryLimits, now: datetime) -> list[Object]:
    """Return the runs of one pipeline that are too many or too old, the oldest first."""
    newest_first = sorted(runs, key=_sort_key, reverse=True)
    doomed = [
        run
        for place, run in enumerate(newest_first)
        if place >= limits.count or now - _ended_at(run) > limits.age
    ]
    return doomed[::-1]


def read_limits(config: Object | None, limits: HistoryLimits) -> HistoryLimits:
    """Return the limits of a PipelineConfig; what it does not say is as in `limits`."""
    history = ((config or {}).get("spec") or {}).get("history") or {}
    count, age = history.get("count", limits.count), limits.age
    match = _AGE.fullmatch(str(history.get("maxAge") or ""))
    if match is not None and any(match.groups()):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        age = timedelta(seconds=min(((days * 24 + hours) * 60 + minutes) * 60 + seconds, 10**9))
    return HistoryLimits(count, age)


def add_removed(text: str, going: Iterable[Object], present: Iterable[str]) -> str:
    """Return the annotation with `going` counted; `present` are the UIDs of all runs that are still there.

    A run that was counted before is not counted again. Raises ValueError for a text that is none of ours.
    """
    known = json.loads(text) if text else {}
    there = set(present)
    removing = [uid for uid in known.get("removing") or [] if uid in there]
    fresh = [run for run in going if run["metadata"]["uid"] not in removing]
    counts = {
        "runs": int(known.get("runs", 0)) + len(fresh),
        "succeeded": int(known.get("succeeded", 0)) + sum(_phase(run) == "Succeeded" for run in fresh),
        "failed": int(known.get("failed", 0)) + sum(map(_has_failed, fresh)),
    }
    uids = removing + [run["metadata"]["uid"] for run in fresh]
    return json.dumps({**counts, "removing": uids}, separators=(",", ":"))


def _remove_some(tools: Tools, config: Object | None, runs: list[Object], limits: HistoryLimits) -> int:
    now = tools.now()
    doomed = find_doomed(runs, read_limits(config, limits), now)[:MAX_REMOVALS]
    safe = [run for run in doomed if _is_safe(tools, run, now)]
    if not safe or (config is not None and not _note(tools, config, safe)):
        return 0
    for run in safe:
        metadata = run["metadata"]
        try:
            tools.cluster.delete(PIPELINE_RUNS, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except (NotFound, Conflict):
            continue
    return len(safe)


def _is_safe(tools: Tools, run: Object, now: datetime) -> bool:
    """Say whether the run's record is in S3, or was there for as long as records are kept."""
    if now - _ended_at(run) > timedelta(days=KEPT_DAYS[RECORDS]):
        return True
    try:
        tools.store.head(record_key(run["metadata"]["namespace"], run["metadata"]["uid"]))
    except KeyNotFound:
        return False
    return True


def _note(tools: Tools, config: Object, going: list[Object]) -> bool:
    """Count the runs on their PipelineConfig; False where somebody else wrote it meanwhile."""
    metadata = config["metadata"]
    annotations = metadata.get("annotations") or {}
    selector = f"{CONFIG_LABEL}={metadata['name']}"
    present = tools.cluster.list(PIPELINE_RUNS, metadata["namespace"], label_selector=selector).items
    try:
        text = add_removed(
            annotations.get(REMOVED_RUNS, ""), going, (run["metadata"]["uid"] for run in present)
        )
        if text != annotations.get(REMOVED_RUNS):
            noted = {**metadata, "annotations": {**annotations, REMOVED_RUNS: text}}
            tools.cluster.replace(PIPELINE_CONFIGS, {**config, "metadata": noted})
    except (Conflict, NotFound):
        return False
    except (ValueError, AttributeError, TypeError):
        names = {"namespace": metadata["namespace"], "pipelineconfig": metadata["name"]}
        log_event(log, "counts of removed runs unreadable", level=logging.WARNING, **names)
        return False
    return True


def _group_of(run: Object) -> Group:
    labels: Mapping[str, str] = run["metadata"].get("labels") or {}
    return run["metadata"]["namespace"], labels.get(CONFIG_LABEL, ""), labels.get(PIPELINE_LABEL, "")


def _phase(run: Object) -> str:
    return str((run.get("status") or {}).get("phase", ""))


def _has_failed(run: Object) -> bool:
    reason = (run.get("status") or {}).get("reason")
    return _phase(run) == "Failed" and reason != INFRASTRUCTURE_FAILED


def _ended_at(run: Object) -> datetime:
    """When it ended; when it was created, where that is not said or can't be read.

    Whoever may write a status can write a year 0: that must not keep the runs of others.
    """
    try:
        return parse_time((run.get("status") or {})["completionTime"])
    except (KeyError, TypeError, ValueError):
        return parse_time(run["metadata"]["creationTimestamp"])


def _sort_key(run: Object) -> tuple[str, str]:
    return run["metadata"]["creationTimestamp"], run["metadata"]["name"]
