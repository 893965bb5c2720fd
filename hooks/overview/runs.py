"""What the runs of one PipelineConfig add up to, those that history has removed counted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from c8s.run.errors import MalformedObject
from c8s.run.labels import QUEUE, REMOVED_RUNS
from c8s.run.observed_run import TERMINAL_RUN_PHASES
from c8s.run.reading import Json, parse_object, read_integer, read_mapping, read_text, read_time
from c8s.run.reasons import INFRASTRUCTURE_FAILED

LISTED_QUEUE = 100


@dataclass(frozen=True, slots=True)
class RunOverview:
    """One run, cut to what is counted. `position` is its place in a queue, 0 if it stands in none."""

    name: str
    uid: str
    created_at: str
    status: Json
    position: int

    @property
    def phase(self) -> str:
        return str(self.status.get("phase") or "Pending")

    @property
    def has_ended(self) -> bool:
        return self.phase in TERMINAL_RUN_PHASES


@dataclass(frozen=True, slots=True)
class Removed:
    """Runs that are gone or going: `removing` are UIDs that are counted already and may still be there."""

    runs: int = 0
    succeeded: int = 0
    failed: int = 0
    removing: tuple[str, ...] = ()


def observe_runs(documents: Iterable[Json]) -> list[RunOverview]:
    """Read the runs, the newest first; one that can't be read is left out."""
    found = []
    for document in documents:
        try:
            found.append(_observe(document))
        except MalformedObject:
            continue
    return sorted(found, key=lambda run: (run.created_at, run.name), reverse=True)


def observe_removed(config: Json) -> Removed:
    """Read what the log buffer noted on the PipelineConfig before it removed runs. Raises MalformedObject."""
    text = read_text(read_mapping(read_mapping(config, "metadata"), "annotations"), REMOVED_RUNS)
    if not text:
        return Removed()
    entry = parse_object(text, REMOVED_RUNS)
    runs, succeeded, failed = (read_integer(entry, key) or 0 for key in ("runs", "succeeded", "failed"))
    removing = tuple(str(uid) for uid in entry.get("removing") or [])
    return Removed(runs, succeeded, failed, removing)


def report_runs(runs: list[RunOverview], removed: Removed) -> dict[str, Any]:
    """Return the part of the status that speaks of runs; `runs` begin with the newest."""
    counted = [run for run in runs if run.uid not in removed.removing]
    succeeded = removed.succeeded + sum(run.phase == "Succeeded" for run in counted)
    failed = removed.failed + sum(is_failure(run.status) for run in counted)
    status: dict[str, Any] = {
        "totalRuns": removed.runs + len(counted),
        "activeRuns": sum(not run.has_ended for run in runs),
    }
    if runs:
        status["lastRun"] = _report_last(runs[0])
    if succeeded + failed:
        status["successRate"] = f"{100 * succeeded // (succeeded + failed)}%"
    waiting = sorted(
        (run for run in runs if run.position and not run.has_ended), key=lambda run: run.position
    )
    if waiting:
        status["queue"] = [run.name for run in waiting[:LISTED_QUEUE]]
    return status


def is_failure(status: Json) -> bool:
    """Say whether a run failed by its own fault."""
    return status.get("phase") == "Failed" and status.get("reason") != INFRASTRUCTURE_FAILED


def _observe(document: Json) -> RunOverview:
    metadata = read_mapping(document, "metadata")
    queue = read_text(read_mapping(metadata, "annotations"), QUEUE)
    return RunOverview(
        name=read_text(metadata, "name"),
        uid=read_text(metadata, "uid"),
        created_at=read_time(metadata, "creationTimestamp"),
        status=read_mapping(document, "status"),
        position=_read_position(queue) if queue else 0,
    )


def _read_position(text: str) -> int:
    try:
        return read_integer(json.loads(text), "position") or 0
    except (ValueError, AttributeError, MalformedObject):
        return 0


def _report_last(run: RunOverview) -> dict[str, str]:
    told = {"name": run.name, "phase": run.phase}
    for key in ("commit", "startTime", "completionTime"):
        if text := read_text(run.status, key):
            told[key] = text
    return told
