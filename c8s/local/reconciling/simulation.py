"""Virtual time: processes of a cluster as state machines in one thread, with a clock that jumps.

The very reconcilers that run in threads run here step by step. With `Hazards` their copies of objects are
old, their writes fail, and they die between any two of them and start anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Protocol

from c8s.local.reconciling.event_log import EventLog, SubscribableCluster
from c8s.local.reconciling.hazards import NO_HAZARDS, Dice, HazardousCluster, Hazards, SimulatedCrash
from c8s.local.reconciling.loop import Reconciler, process_next
from c8s.local.reconciling.subscribed_caches import SubscribedCaches

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
MAX_STEPS_AT_ONE_MOMENT = 100_000


class NeverSettles(Exception):
    """Something is done over and over without time going by: a hot loop."""


class NotReached(Exception):
    """What was waited for did not come in the time given."""


class VirtualClock:
    """Seconds since the beginning; moves when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.seconds)

    def pause(self, seconds: float) -> None:
        """Does not wait: who pauses between two tries tries at once."""


class Component(Reconciler, Protocol):
    """What a process runs; it may start more reconcilers with the process as its runner."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


MakeComponent = Callable[["SimulatedProcess"], Component]


@dataclass(slots=True)
class SimulatedProcess:
    """One process: a component, its connection to the cluster, its copies of objects. Is its own `Runner`.

    `cluster` counts calls across restarts. `caches` are new after every restart.
    """

    name: str
    make: MakeComponent
    source: SubscribableCluster
    log: EventLog
    clock: VirtualClock
    dice: Dice
    cluster: HazardousCluster = field(init=False)
    caches: SubscribedCaches = field(init=False)
    component: Component = field(init=False)
    restarts: int = 0
    _reconcilers: list[Reconciler] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cluster = HazardousCluster(self.source, self.dice)
        self._boot()

    @property
    def random(self) -> Random:
        return self.dice.random

    def start(self, reconciler: Reconciler, workers: int) -> None:
        del workers
        self._reconcilers.append(reconciler)

    def stop(self, reconciler: Reconciler) -> None:
        self._reconcilers = [item for item in self._reconcilers if item is not reconciler]

    def restart(self) -> None:
        """Everything in memory is lost: timers, back-offs, what was remembered."""
        self.component.stop()
        self.caches.close()
        self.restarts += 1
        self._boot()

    def choose(self, count: int) -> int:
        """Which of so many waiting keys is next."""
        return self.dice.choose(count)

    def step(self) -> bool:
        """Delivers events and syncs one key; whether there was anything to do."""
        delivered = self.caches.deliver()
        return any(self._sync_next(reconciler) for reconciler in self._in_order()) or delivered

    def next_due(self) -> float | None:
        dues = [self.caches.next_due(), *(reconciler.queue.next_due() for reconciler in self._reconcilers)]
        return min((due for due in dues if due is not None), default=None)

    def _boot(self) -> None:
        self._reconcilers = []
        self.caches = SubscribedCaches(self.log, self.clock, self.dice, restarting=self.restarts > 0)
        self.component = self.make(self)
        self._reconcilers.append(self.component)
        self.component.start()

    def _in_order(self) -> list[Reconciler]:
        order = list(self._reconcilers)
        if self.dice.hazards.is_shuffled and not self.dice.is_quiet:
            self.random.shuffle(order)
        return order

    def _sync_next(self, reconciler: Reconciler) -> bool:
        try:
            key = process_next(reconciler)
        except SimulatedCrash:
            self.restart()
            return True
        if key is not None and self.dice.strikes("doubled_sync"):
            reconciler.queue.add(key)
        if key is not None and self.dice.strikes("resync_all"):
            self.restart()
        return key is not None


class Simulation:
    """All processes around one cluster. Everything that happens is determined by the seed."""

    def __init__(self, source: SubscribableCluster, clock: VirtualClock, *, seed: int = 0) -> None:
        self.clock = clock
        self.random = Random(seed)  # noqa: S311
        self.on_step: Callable[[], None] = lambda: None
        self._source = source
        self._log = EventLog(source, clock)
        self._processes: list[SimulatedProcess] = []

    def add(
        self, name: str, make: MakeComponent, hazards: Hazards = NO_HAZARDS, dice: Dice | None = None
    ) -> SimulatedProcess:
        """Starts a process; `make` gets it to take clock, cluster and copies from.

        Given `dice`, these decide what goes wrong, else `hazards` and the simulation's seed.
        """
        dice = dice or Dice(hazards, self.random)
        added = SimulatedProcess(name, make, self._source, self._log, self.clock, dice)
        self._processes.append(added)
        return added

    def settle(self) -> None:
        """Does everything there is to do without time going by. Raises `NeverSettles`."""
        for _ in range(MAX_STEPS_AT_ONE_MOMENT):
            if not self._step():
                return
        raise NeverSettles(f"still busy after {MAX_STEPS_AT_ONE_MOMENT} steps at second {self.clock.seconds}")

    def run_for(self, seconds: float) -> None:
        """Lets so much time go by."""
        end = self.clock.seconds + seconds
        self.settle()
        while (due := self._next_due()) is not None and due <= end:
            self.clock.seconds = max(due, self.clock.seconds)
            self.settle()
        self.clock.seconds = end
        self.settle()

    def run_until(self, is_reached: Callable[[], bool], limit_seconds: float) -> None:
        """Lets time go by until `is_reached`, looked at whenever nothing is left to do. Raises
        `NotReached`.
        """
        end = self.clock.seconds + limit_seconds
        self.settle()
        while not is_reached():
            due = self._next_due()
            if due is None or due > end:
                raise NotReached(f"not reached by second {self.clock.seconds:g} of {end:g}")
            self.clock.seconds = max(due, self.clock.seconds)
            self.settle()

    def _step(self) -> bool:
        order = list(self._processes)
        if any(one.dice.hazards.is_shuffled for one in order):
            self.random.shuffle(order)
        did_something = False
        for one in order:
            did_something = one.step() or did_something
            self.on_step()
        return did_something

    def _next_due(self) -> float | None:
        dues = [one.next_due() for one in self._processes]
        return min((due for due in dues if due is not None), default=None)
