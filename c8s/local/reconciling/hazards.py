"""What can go wrong around a controller, on purpose and from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from c8s.adapters.cluster import Cluster, Conflict, Object, ObjectList, Resource, Unavailable
from c8s.local.reconciling.counting_cluster import CountingCluster

Answer = TypeVar("Answer")


class SimulatedCrash(BaseException):
    """The process dies here: nobody catches this but the simulation."""


@dataclass(frozen=True, slots=True)
class Hazards:
    """Probabilities from 0 to 1, and how old copies of objects may be.

    `late_event`: a change reaches a copy up to `stale_seconds` late, and those after it with it.
    `broken_watch`: changes do not reach it at all, until it lists anew up to `stale_seconds` later.
    `stale_list`: what a process lists at its start is up to `stale_seconds` old.
    `refused_write`: a write fails with 409 or 500 and is not done. `lost_answer`: it is done, but says it
    failed. `failed_read`: a read fails. `crash`: the process dies before or after a write.
    `failed_hook`: a hook answers 500 or 429, or not in time; in the last case it may have been called.
    `doubled_sync`: a key is synced once more for no reason. `resync_all`: the process starts anew, so that
    every key is. `is_shuffled`: waiting keys come in any order, and so do processes.
    """

    stale_seconds: float = 0.0
    late_event: float = 1.0
    broken_watch: float = 0.0
    stale_list: float = 0.0
    refused_write: float = 0.0
    lost_answer: float = 0.0
    failed_read: float = 0.0
    crash: float = 0.0
    failed_hook: float = 0.0
    doubled_sync: float = 0.0
    resync_all: float = 0.0
    is_shuffled: bool = False


NO_HAZARDS = Hazards()
ALL_HAZARDS = Hazards(
    stale_seconds=2.0,
    broken_watch=0.02,
    refused_write=0.05,
    lost_answer=0.03,
    failed_read=0.03,
    crash=0.02,
    failed_hook=0.05,
    doubled_sync=0.1,
    resync_all=0.01,
    is_shuffled=True,
)


class Dice:
    """Says at every chance whether a hazard strikes, and counts what struck.

    `chances` and `struck` are by the name of the hazard. While `is_quiet`, nothing strikes.
    """

    def __init__(self, hazards: Hazards, random: Random) -> None:
        self.hazards = hazards
        self.random = random
        self.chances: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.is_quiet = False

    def strikes(self, name: str) -> bool:
        """Whether the hazard `name`, a field of `Hazards`, strikes now."""
        if self.is_quiet:
            return False
        self.chances[name] += 1
        if not self.decides(name):
            return False
        self.struck[name] += 1
        return True

    def decides(self, name: str) -> bool:
        """The decision itself; other dice may decide otherwise."""
        probability = float(getattr(self.hazards, name))
        return probability > 0 and self.random.random() < probability

    def late_seconds(self) -> float:
        """How late the next change is."""
        if not self.hazards.stale_seconds or not self.strikes("late_event"):
            return 0.0
        return self.random.uniform(0.0, self.hazards.stale_seconds)

    def choose(self, count: int) -> int:
        """Which of so many comes next; the first, unless they are shuffled."""
        if not self.hazards.is_shuffled or self.is_quiet:
            return 0
        chosen = self.random.randrange(count)
        self.struck["is_shuffled"] += chosen > 0
        return chosen


class HazardousCluster(CountingCluster):
    """Reads and writes that meet hazards."""

    def __init__(self, cluster: Cluster, dice: Dice) -> None:
        super().__init__(cluster)
        self._dice = dice

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        self._maybe_fail_reading()
        return super().get(resource, name, namespace)

    def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> ObjectList:
        self._maybe_fail_reading()
        return super().list(resource, namespace, label_selector=label_selector, field_selector=field_selector)

    def create(self, resource: Resource, body: Object, namespace: str = "") -> Object:
        return self._dare(lambda: super(HazardousCluster, self).create(resource, body, namespace))

    def replace(self, resource: Resource, body: Object, *, subresource: str = "") -> Object:
        return self._dare(
            lambda: super(HazardousCluster, self).replace(resource, body, subresource=subresource)
        )

    def patch(self, resource: Resource, name: str, patch: Any, namespace: str = "", **options: Any) -> Object:
        return self._dare(
            lambda: super(HazardousCluster, self).patch(resource, name, patch, namespace, **options)
        )

    def delete(self, resource: Resource, name: str, namespace: str = "", **options: Any) -> None:
        self._dare(lambda: super(HazardousCluster, self).delete(resource, name, namespace, **options))

    def _dare(self, write: Callable[[], Answer]) -> Answer:
        self._maybe_crash()
        if self._dice.strikes("refused_write"):
            errors = (Conflict("simulated", status=409), Unavailable("simulated", status=500))
            raise self._dice.random.choice(errors)
        answer = write()
        self._maybe_crash()
        if self._dice.strikes("lost_answer"):
            raise Unavailable("simulated: the answer is lost", status=504)
        return answer

    def _maybe_crash(self) -> None:
        if self._dice.strikes("crash"):
            raise SimulatedCrash

    def _maybe_fail_reading(self) -> None:
        if self._dice.strikes("failed_read"):
            raise Unavailable("simulated: the answer is late", status=504)
