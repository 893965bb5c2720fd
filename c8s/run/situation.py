"""All that a decision about one step may look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from c8s.pipeline.model import EventFacts
from c8s.run.frozen import FrozenPipeline, build_run_facts
from c8s.run.instances import StepInstance
from c8s.run.limits import Limits, run_timeout_seconds
from c8s.run.names import name_job
from c8s.run.observed_job import ObservedJob
from c8s.run.observed_run import ObservedRun
from c8s.run.pauses import count_paused_seconds, is_paused
from c8s.run.states import StepState
from c8s.run.times import add_seconds, earliest, parse_time


@dataclass(frozen=True, slots=True)
class Situation:
    """A run as it is seen at one moment. `jobs` are by name; `deadline` is empty while none counts."""

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

    @property
    def waits_for_its_turn(self) -> bool:
        """Whether the run belongs to a group, has not been let in, and nothing of it has been asked for."""
        is_free = not self.frozen.group or self.run.turn.is_admitted
        return not is_free and not self.jobs and not any(one.job_name for one in self.run.steps.values())

    def job_name_of(self, instance: StepInstance, attempt: int = 1) -> str:
        return name_job(self.run.name, self.run.uid, instance.name, attempt)

    def job_of(self, instance: StepInstance, attempt: int = 1) -> ObservedJob | None:
        return self.jobs.get(self.job_name_of(instance, attempt))

    def recorded_state_of(self, instance: StepInstance) -> StepState | None:
        return self.run.steps.get(instance.name)

    def ancestors_of(self, instance: StepInstance) -> Iterator[StepInstance]:
        """Yield all that the step depends on, directly or not, in the order of the file."""
        by_name = {one.name: one for one in self.frozen.instances}
        found: set[str] = set()
        waiting = list(instance.depends_on)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += by_name[name].depends_on
        yield from (one for one in self.frozen.instances if one.name in found)

    def attempts_of(self, instance: StepInstance) -> Iterator[int]:
        """Yield the numbers of the Jobs that the step has had, as far as they are recorded or to be seen."""
        recorded = self.recorded_state_of(instance)
        known = recorded.attempt if recorded is not None else 1
        attempt = 1
        while attempt <= known or self.job_of(instance, attempt) is not None:
            yield attempt
            attempt += 1

    def find_owners(self) -> dict[str, tuple[StepInstance, int]]:
        """Return step and number of every Job that one of ours has had, by the Job's name."""
        return {
            self.job_name_of(instance, attempt): (instance, attempt)
            for instance in self.frozen.instances
            for attempt in self.attempts_of(instance)
        }


def observe_situation(
    run: ObservedRun,
    frozen: FrozenPipeline,
    jobs: Mapping[str, ObservedJob],
    now: datetime,
    limits: Limits,
) -> Situation:
    """Put together what is known, with the run's start (its first Job's creation) and deadline."""
    start_time = earliest([run.start_time, *(job.created_at for job in jobs.values())])
    return Situation(
        run=run,
        frozen=frozen,
        jobs=jobs,
        now=now,
        limits=limits,
        facts=build_run_facts(run, frozen),
        start_time=start_time,
        deadline=_find_deadline(run, frozen, start_time or _time_of_first_request(run), now),
    )


def _find_deadline(run: ObservedRun, frozen: FrozenPipeline, clock_start: str, now: datetime) -> str:
    """Return when the run has taken too long; empty while the clock stands still (c8s.run.pauses)."""
    if not clock_start or is_paused(frozen.instances, run.steps):
        return ""
    paused = 0
    if any(instance.step.approval is not None for instance in frozen.instances):
        paused = count_paused_seconds(frozen.instances, run.steps, clock_start, now)
    return add_seconds(clock_start, run_timeout_seconds(frozen.pipeline) + paused)


def _time_of_first_request(run: ObservedRun) -> str:
    """Return when Jobs were asked for that were never made (a quota, an admission rule), for a deadline."""
    if any(state.phase == "Queued" for state in run.steps.values()):
        return run.status_written_at or run.created_at
    return ""
