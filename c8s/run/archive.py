"""Whether the logs of a run are safe. A run ends only when they are, or when that has failed for too long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from c8s.run.observed_job import ObservedJob
from c8s.run.states import Waiting
from c8s.run.times import add_seconds, parse_time


def find_unarchived(jobs: Iterable[ObservedJob]) -> list[ObservedJob]:
    """Return the Jobs that ended by themselves and whose logs are not in S3 yet."""
    return [job for job in jobs if job.has_ended and not job.is_archived]


def archive_deadline(job: ObservedJob, limit_seconds: int) -> str:
    """Return when the run fails if the log of `job` can't be archived until then; empty without a problem."""
    problem = job.archive_problem
    return add_seconds(problem.since, limit_seconds) if problem and problem.since else ""


def find_archive_failure(jobs: Iterable[ObservedJob], limit_seconds: int, now: datetime) -> Waiting | None:
    """Return the problem of the first Job whose archive has failed for longer than the limit."""
    for job in jobs:
        deadline = archive_deadline(job, limit_seconds)
        if deadline and now >= parse_time(deadline):
            return job.archive_problem
    return None
