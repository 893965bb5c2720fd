"""What becomes of one attempt of a step, and how many attempts follow from that: the rules said once more,
without looking at the planner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from c8s.pipeline.model import Step
from c8s.run.instances import StepInstance
from c8s.run.log_names import name_log

INFRASTRUCTURE_RETRIES = 3
UNREACHABLE = 12


@dataclass(frozen=True, slots=True)
class Fate:
    """The end of one attempt, whose first pod may be evicted before. `exit_codes` are by container."""

    start_seconds: float
    run_seconds: float
    exit_codes: tuple[tuple[str, int], ...] = ()
    pod_reason: str = ""
    oom_killed: str = ""
    is_evicted: bool = False
    hangs: bool = False

    @property
    def is_of_infrastructure(self) -> bool:
        return bool(self.pod_reason) or any(code == UNREACHABLE for _, code in self.exit_codes)

    @property
    def has_begun(self) -> bool:
        """Whether the user's own container was started."""
        return bool(self.pod_reason) or "checkout" not in dict(self.exit_codes)

    @property
    def exit_code(self) -> int:
        return 137 if self.oom_killed else dict(self.exit_codes).get("step", 0)


@dataclass(frozen=True, slots=True)
class Tries:
    """`attempts` counts Jobs, `retries` the user's own among them, `broken` those of the infrastructure."""

    attempts: int
    retries: int
    broken: int
    has_succeeded: bool


def choose_fate(random: Random, instance: StepInstance, hangs: bool) -> Fate:
    start_seconds, run_seconds = random.uniform(0, 3), random.uniform(1, 60)
    is_evicted = random.random() < 0.08
    if hangs and not instance.is_final and random.random() < 0.5:
        return Fate(start_seconds, run_seconds, is_evicted=is_evicted, hangs=True)
    kind = random.choices(("end", "node", "checkout", "memory", "save"), (80, 6, 4, 2, 2))[0]
    codes: dict[str, int] = {}
    if kind == "end":
        codes["step"] = random.choices((0, 1, 2, 137), (12, 2, 1, 1))[0]
    elif kind == "checkout":
        codes["checkout"] = UNREACHABLE
    elif kind == "save" and instance.step.outputs:
        codes["save"] = UNREACHABLE
    return Fate(
        start_seconds,
        run_seconds,
        tuple(codes.items()),
        "NodeLost" if kind == "node" else "",
        "step" if kind == "memory" else "",
        is_evicted,
    )


def count_tries(instance: StepInstance, fate_of: Callable[[str], Fate]) -> Tries:
    """Follow the attempts to the last one."""
    retries = 0
    attempt = 1
    while True:
        fate = fate_of(name_log(instance.name, attempt))
        broken = attempt - 1 - retries
        is_taken_away = fate.is_evicted and not instance.step.idempotent
        is_broken = fate.is_of_infrastructure or is_taken_away
        if is_broken:
            may_repeat = instance.step.idempotent or not (is_taken_away or fate.has_begun)
            goes_on = may_repeat and broken < INFRASTRUCTURE_RETRIES
        else:
            goes_on = fate.exit_code != 0 and _may_retry(instance.step, fate.exit_code, retries)
            retries += goes_on
        if not goes_on:
            has_succeeded = not is_broken and fate.exit_code == 0
            return Tries(attempt, retries, broken, has_succeeded)
        attempt += 1


def _may_retry(step: Step, exit_code: int, retries: int) -> bool:
    if step.retry is None or retries >= step.retry.max:
        return False
    return not step.retry.exit_codes or exit_code in step.retry.exit_codes
