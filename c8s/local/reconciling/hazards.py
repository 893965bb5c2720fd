"""What can go wrong around a controller, on purpose and from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from c8s.adapters.cluster import Cluster, Conflict, Object, Resource, Unavailable
from c8s.local.reconciling.counting_cluster import CountingCluster

Answer = TypeVar("Answer")


class SimulatedCrash(BaseException):
    """The process dies here: nobody catches this but the simulation."""


@dataclass(frozen=True, slots=True)
class Hazards:
    """Probabilities from 0 to 1, and how old copies of objects may be.

    `refused_write`: a write fails with 409 or 500 and is not done. `lost_answer`: it is done, but says it
    failed. `crash`: the process dies before or after a write. `doubled_sync`: a key is synced once more
    for no reason. `resync_all`: every key is. `is_shuffled`: waiting keys come in any order, and so do
    processes.
    """

    stale_seconds: float = 0.0
    refused_write: float = 0.0
    lost_answer: float = 0.0
    crash: float = 0.0
    doubled_sync: float = 0.0
    resync_all: float = 0.0
    is_shuffled: bool = False


NO_HAZARDS = Hazards()
ALL_HAZARDS = Hazards(
    stale_seconds=2.0,
    refused_write=0.05,
    lost_answer=0.03,
    crash=0.02,
    doubled_sync=0.1,
    resync_all=0.01,
    is_shuffled=True,
)


class HazardousCluster(CountingCluster):
    """Writes meet `hazards`; reads don't: what is stale is the copies, not the API."""

    def __init__(self, cluster: Cluster, hazards: Hazards, random: Random) -> None:
        super().__init__(cluster)
        self._hazards = hazards
        self._random = random

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
        if self._happens(self._hazards.refused_write):
            raise self._random.choice(
                (Conflict("simulated", status=409), Unavailable("simulated", status=500))
            )
        answer = write()
        self._maybe_crash()
        if self._happens(self._hazards.lost_answer):
            raise Unavailable("simulated: the answer is lost", status=504)
        return answer

    def _maybe_crash(self) -> None:
        if self._happens(self._hazards.crash / 2):
            raise SimulatedCrash

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability
