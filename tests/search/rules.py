"""What must hold of every play, whatever strikes: who starts when, how often, and what is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from c8s.run.instances import StepInstance
from c8s.run.log_names import parse_log_name
from tests.search.fates import INFRASTRUCTURE_RETRIES
from tests.search.scenario import Scenario
from tests.search.world import Ending


def find_broken_rules(scenario: Scenario, ending: Ending) -> Iterator[str]:
    """Sentences about what must not be in any play."""
    yield from _find_doubles(scenario, ending)
    yield from _find_early_starts(scenario, ending)
    if scenario.deed.kind != "delete run":
        yield from _find_missing_final_steps(scenario, ending)


def _find_doubles(scenario: Scenario, ending: Ending) -> Iterator[str]:
    starts_of: dict[str, int] = {}
    for log_name, starts in ending.starts.items():
        name, attempt = parse_log_name(log_name)
        step = scenario.instances[name].step
        if len(starts) > scenario.starts(log_name):
            yield f"{log_name} started {len(starts)} times, at the seconds {starts}"
        if attempt > 1 + (step.retry.max if step.retry else 0) + INFRASTRUCTURE_RETRIES:
            yield f"{log_name} is one attempt too many"
        fate = scenario.fate(log_name)
        begun = [fate.has_begun or fate.is_evicted] * len(starts)
        starts_of[name] = starts_of.get(name, 0) + sum(begun)
    for name, count in starts_of.items():
        if count > 1 and not scenario.instances[name].step.idempotent:
            yield f"{name} is not idempotent and started {count} times"


def _find_early_starts(scenario: Scenario, ending: Ending) -> Iterator[str]:
    """Before the run is admitted, before people have approved; under `finally` before others have ended."""
    ordinary = {
        name: times for name, times in _first_starts(scenario, ending) if not _is_final(scenario, name)
    }
    last = max((max(times) for times in ordinary.values()), default=0.0)
    for name, times in _first_starts(scenario, ending):
        if _is_final(scenario, name) and min(times) < last:
            yield f"{name} started at second {min(times):g}, others at second {last:g}"
        if scenario.is_grouped and (ending.admitted_at is None or min(times) < ending.admitted_at):
            yield f"{name} started at second {min(times):g}, the run was let in at {ending.admitted_at}"
        for before in scenario.instances[name].depends_on:
            is_approved = before in ending.decided_at and ending.decided_at[before] <= min(times)
            conditional = scenario.instances[name].step.conditional
            if scenario.instances[before].step.approval and conditional.on_success and not is_approved:
                yield f"{name} started at second {min(times):g}, before {before} was approved"


def _first_starts(scenario: Scenario, ending: Ending) -> Iterator[tuple[str, list[float]]]:
    del scenario
    entries = sorted((parse_log_name(log_name)[0], times) for log_name, times in ending.starts.items())
    for name, group in groupby(entries, key=lambda entry: entry[0]):
        yield name, [time for _, times in group for time in times]


def _is_final(scenario: Scenario, name: str) -> bool:
    return scenario.instances[name].is_final


def _find_missing_final_steps(scenario: Scenario, ending: Ending) -> Iterator[str]:
    """Where anything has started, each final step runs, but for one whose own kind has failed before."""
    if not any(not _is_final(scenario, parse_log_name(log_name)[0]) for log_name in ending.starts):
        return
    for name, instance in scenario.instances.items():
        end = ending.steps.get(name)
        if not instance.is_final or end is None or end.reason == "DependencyFailed":
            continue
        if end.phase not in ("Succeeded", "Failed"):
            yield f"{name} is to run in any case, and ended {end}"


def find_crowds(scenario: Scenario, ending: Ending) -> Iterator[str]:
    """More pods at once than a matrix allows; holds in a play without faults only."""
    matrix = scenario.pipeline.get("matrix") or {}
    ordinary = [one for one in scenario.instances.values() if not one.is_final]
    if "maxParallel" in matrix:
        yield from _find_crowd(ending, ordinary, matrix["maxParallel"])
    for instances in _group_by_matrix(ordinary):
        own = instances[0].step.matrix
        if own is not None and own.max_parallel is not None:
            yield from _find_crowd(ending, instances, own.max_parallel)


def _group_by_matrix(instances: Iterable[StepInstance]) -> Iterable[list[StepInstance]]:
    groups: dict[tuple[str, ...], list[StepInstance]] = {}
    for one in instances:
        groups.setdefault((one.step.name, *one.run_combination.values()), []).append(one)
    return groups.values()


def _find_crowd(ending: Ending, instances: list[StepInstance], limit: int) -> Iterator[str]:
    names = {one.name for one in instances}
    spans = [
        span
        for log_name, found in ending.intervals.items()
        if parse_log_name(log_name)[0] in names
        for span in found
    ]
    for start, _ in spans:
        at_once = sum(begin <= start < end for begin, end in spans)
        if at_once > limit:
            yield f"{at_once} pods of {sorted(names)} ran at second {start:g}, {limit} may"


def find_miscounts(scenario: Scenario, ending: Ending) -> Iterator[str]:
    """Steps whose attempts are not those that follow from their fates; where nothing stops any."""
    if scenario.is_disturbed:
        return
    for name, end in ending.steps.items():
        if scenario.instances[name].step.approval is not None or name not in dict(
            _first_starts(scenario, ending)
        ):
            continue
        tries = scenario.tries(name)
        counted = (end.attempts, end.retries, end.broken, end.phase == "Succeeded")
        if counted != (tries.attempts, tries.retries, tries.broken, tries.has_succeeded):
            yield f"{name} ended {end}, and should have had {tries}"
