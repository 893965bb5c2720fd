"""All that a decision about one step may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from c8s.pipeline.model import EventFacts
from c8s.run.frozen import FrozenPipeline
from c8s.run.instances import StepInstance
from c8s.run.limits import Limits, run_timeout_seconds
from c8s.run.names import name_job
from c8s.run.observed_job import ObservedJob
from c8s.run.observed_run import ObservedRun, build_facts
from c8s.run.states import StepState
from c8s.run.times import add_seconds, earliest, parse_time


@dataclass(frozen=True, slots=True)
class Situation:
    """A run as it is seen at one moment. `jobs` are by name; `deadline` is empty before the first Job."""

    run: ObservedRun
    frozen: FrozenPipeline
    jobs: Mapping[str, ObservedJob]
    now: datetime
    limits: Limits
    facts: EventFacts
    start_time: str
    deadline: str

    @property
    def is_past_deadline(self) -> bool:
        return bool(self.deadline) and self.now >= parse_time(self.deadline)

    def job_name_of(self, instance: StepInstance) -> str:
        return name_job(self.run.name, self.run.uid, instance.name)

    def job_of(self, instance: StepInstance) -> ObservedJob | None:
        return self.jobs.get(self.job_name_of(instance))

    def recorded_state_of(self, instance: StepInstance) -> StepState | None:
        return self.run.steps.get(instance.name)


def observe_situation(
    run: ObservedRun,
    frozen: FrozenPipeline,
    jobs: Mapping[str, ObservedJob],
    now: datetime,
    limits: Limits,
) -> Situation:
    """Put together what is known, with the run's start (its first Job's creation) and deadline."""
    start_time = earliest([run.start_time, *(job.created_at for job in jobs.values())])
    clock_start = start_time or _time_of_first_request(run)
    timeout_seconds = run_timeout_seconds(frozen.pipeline)
    return Situation(
        run=run,
        frozen=frozen,
        jobs=jobs,
        now=now,
        limits=limits,
        facts=build_facts(run, frozen.commit, frozen.repository),
        start_time=start_time,
        deadline=add_seconds(clock_start, timeout_seconds) if clock_start else "",
    )


def _time_of_first_request(run: ObservedRun) -> str:
    """Return when Jobs were asked for that were never made (a quota, an admission rule), for a deadline."""
    if any(state.phase == "Queued" for state in run.steps.values()):
        return run.status_written_at or run.created_at
    return ""
